/**
 * ndcg@k = Σ_{r ≤ k} [hit at r] / log₂(r + 1) over the same sum of an ideal list, which has min(k, |relevant|) hits first.
 * Binary gain. Järvelin & Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques.
 */
import type { QueryMetric } from "../metric.js";

export const ndcg: QueryMetric = {
  name: "ndcg",
  title: "NDCG",
  formula: "Σ hit_r / log2(r + 1), over that of an ideal list",
  of: "query",
  value({ gains, numRelevant, k }) {
    let gain = 0;
    let ideal = 0;
    for (let r = 1; r <= k && r <= gains.length; r++) if (gains[r - 1] > 0) gain += 1 / Math.log2(r + 1);
    for (let r = 1; r <= k && r <= numRelevant; r++) ideal += 1 / Math.log2(r + 1);
    return gain / ideal;
  },
};
