/**
 * recall-truncated@k = hits / min(k, |relevant|): a full list of hits counts 1.
 * Liang et al. (2018), Variational autoencoders for collaborative filtering, eq. for Recall@R.
 */
import { countHits } from "../hits.js";
import type { QueryMetric } from "../metric.js";

export const recallTruncated: QueryMetric = {
  name: "recall-truncated",
  title: "Truncated recall",
  formula: "hits / min(k, |relevant|)",
  of: "query",
  value: (list) => countHits(list) / Math.min(list.k, list.numRelevant),
};
