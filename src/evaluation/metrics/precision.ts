/**
 * precision@k = Σ_{r ≤ k} gain_r / k: relevant items of the list over k, also when the list is shorter than k.
 * Manning, Raghavan & Schütze (2008), Introduction to information retrieval, ch. 8.
 */
import type { QueryMetric } from "../metric.js";

export const precision: QueryMetric = {
  name: "precision",
  title: "Precision",
  formula: "hits / k",
  of: "query",
  value({ gains, k }) {
    let sum = 0;
    for (let r = 0; r < k && r < gains.length; r++) sum += gains[r];
    return sum / k;
  },
};
