/**
 * Doubly robust:  V = 1/n Σ_i [ Σ_a π(a|x_i) r̂(x_i, a) + w_i (r_i − r̂(x_i, a_i)) ].
 * Unbiased when either the propensities or the reward model are right, and of smaller variance than IPS as far as the model explains
 * the rewards. Dudík, Langford & Li (2011), Doubly robust policy evaluation and learning.
 */
import type { WeightedRows } from "./logged-rows.js";
import { type MeanWithError, meanWithError } from "./mean-with-error.js";

export function doublyRobust(
  { weight, reward, predicted, expected, cluster }: WeightedRows & { predicted: Float64Array; expected: Float64Array },
  level?: number,
): MeanWithError {
  return meanWithError(
    weight.map((w, row) => expected[row] + w * (reward[row] - predicted[row])),
    { cluster, level },
  );
}
