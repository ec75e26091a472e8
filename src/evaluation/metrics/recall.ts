/**
 * recall@k = hits / |relevant|. Manning, Raghavan & Schütze (2008), ch. 8.
 */
import { countHits } from "../hits.js";
import type { QueryMetric } from "../metric.js";

export const recall: QueryMetric = {
  name: "recall",
  title: "Recall",
  formula: "hits / |relevant|",
  of: "query",
  value: (list) => countHits(list) / list.numRelevant,
};
