/**
 * The direct method:  V = 1/n Σ_i Σ_a π(a|x_i) r̂(x_i, a): what the reward model predicts for the policy. Small variance, as biased as
 * the model; shown beside the others for comparison. Its interval does not know the model's error.
 */
import type { WeightedRows } from "./logged-rows.js";
import { type MeanWithError, meanWithError } from "./mean-with-error.js";

export function directMethod({ expected, cluster }: WeightedRows & { expected: Float64Array }, level?: number): MeanWithError {
  return meanWithError(expected, { cluster, level });
}
