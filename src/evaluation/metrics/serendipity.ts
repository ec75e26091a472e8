/**
 * serendipity@k = relevant items of the list that are not among the k most popular of training, over k.
 * The unexpected is what a primitive recommender, here popularity (ties by ascending index), would not have shown.
 * Murakami, Mori & Orihara (2008); Ge, Delgado-Battenfeld & Jannach (2010), Beyond accuracy.
 */
import { topOfRow } from "../../ranking/top-of-row.js";
import type { ListMetric } from "../metric.js";
import { needed } from "../metric-context.js";

export const serendipity: ListMetric = {
  name: "serendipity",
  title: "Serendipity",
  formula: "relevant and not among the k most popular / k",
  of: "list",
  prepare(context, k) {
    const popularity = Float32Array.from(needed(context, "popularity", `serendipity@${k}`));
    const topK = Math.min(k, context.numItems);
    const top = { itemIndex: new Int32Array(topK), score: new Float32Array(topK) };
    topOfRow(popularity, { ...top, at: 0, topK });
    const expected = new Uint8Array(context.numItems);
    for (const item of top.itemIndex) if (item >= 0) expected[item] = 1;
    return ({ gains, ranked }) => {
      let hits = 0;
      for (let r = 0; r < k && r < ranked.length; r++) if (gains[r] > 0 && expected[ranked[r]] === 0) hits++;
      return hits / k;
    };
  },
};
