/**
 * hit-rate@k = 1 when the list holds at least one relevant item, else 0.
 * Deshpande & Karypis (2004), Item-based top-N recommendation algorithms.
 */
import { countHits } from "../hits.js";
import type { QueryMetric } from "../metric.js";

export const hitRate: QueryMetric = {
  name: "hit-rate",
  title: "Hit rate",
  formula: "1 if any hit",
  of: "query",
  value: (list) => (countHits(list) > 0 ? 1 : 0),
};
