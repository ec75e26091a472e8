/**
 * map@k = Σ_{r ≤ k} precision@r · [hit at r] / min(k, |relevant|): average precision, cut at k.
 * Manning, Raghavan & Schütze (2008), ch. 8.
 */
import type { QueryMetric } from "../metric.js";

export const map: QueryMetric = {
  name: "map",
  title: "Mean average precision",
  formula: "Σ precision@r · hit_r / min(k, |relevant|)",
  of: "query",
  value({ gains, numRelevant, k }) {
    let hits = 0;
    let sum = 0;
    for (let r = 1; r <= k && r <= gains.length; r++) if (gains[r - 1] > 0) sum += ++hits / r;
    return sum / Math.min(k, numRelevant);
  },
};
