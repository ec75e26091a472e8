/**
 * accuracy@k = 1 when the next item is among the first k, else 0: the hit rate of cases with one right answer.
 * Also called recall@k or HR@k of next-item recommendation; Hidasi et al. (2016), Session-based recommendations with recurrent neural networks.
 */
import { countHits } from "../hits.js";
import type { QueryMetric } from "../metric.js";

export const accuracy: QueryMetric = {
  name: "accuracy",
  title: "Next-item accuracy",
  formula: "1 if the next item is in the list",
  of: "query",
  value: (list) => (countHits(list) > 0 ? 1 : 0),
};
