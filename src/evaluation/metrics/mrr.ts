/**
 * mrr@k = 1 / place of the first hit within k, 0 when there is none. Voorhees (1999), The TREC-8 question answering track report.
 */
import type { QueryMetric } from "../metric.js";

export const mrr: QueryMetric = {
  name: "mrr",
  title: "Mean reciprocal rank",
  formula: "1 / place of the first hit",
  of: "query",
  value({ gains, k }) {
    for (let r = 1; r <= k && r <= gains.length; r++) if (gains[r - 1] > 0) return 1 / r;
    return 0;
  },
};
