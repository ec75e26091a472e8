/**
 * auc = share of pairs (relevant, other) in which the relevant item scores higher, a tie counting 1/2.
 * Over all items that may be recommended; a relevant item that may not (seen, say) loses all its pairs; undefined when there is no other item.
 * Hanley & McNeil (1982), The meaning and use of the area under a receiver operating characteristic curve.
 */
import type { RankingMetric } from "../metric.js";

export const auc: RankingMetric = {
  name: "auc",
  title: "AUC",
  formula: "pairs won / pairs of a relevant and another item",
  of: "ranking",
  value({ items, scores, gainOf, numRelevant }) {
    let above = 0; // others that score higher
    let lost = 0;
    let listed = 0;
    for (let start = 0; start < items.length; ) {
      let hits = 0;
      let end = start;
      for (; end < items.length && scores[end] === scores[start]; end++) if (gainOf[items[end]] > 0) hits++;
      const others = end - start - hits;
      lost += hits * (above + others / 2);
      above += others;
      listed += hits;
      start = end;
    }
    lost += (numRelevant - listed) * above;
    return above === 0 ? Number.NaN : 1 - lost / (numRelevant * above);
  },
};
