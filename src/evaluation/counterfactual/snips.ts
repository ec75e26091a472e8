/**
 * Self-normalised inverse propensity scoring:  V = Σ_i w_i r_i / Σ_i w_i.
 * Slightly biased (vanishing with n), bounded by the rewards, and unmoved when all rewards shift by a constant.
 * Swaminathan & Joachims (2015), The self-normalized estimator for counterfactual learning. The error is the delta method's, from
 * the linearised row values V + w_i (r_i − V) / w̄.
 */
import type { WeightedRows } from "./logged-rows.js";
import { type MeanWithError, meanWithError } from "./mean-with-error.js";

/** NaN where the policy shows none of the logged items. */
export function snips({ weight, reward, cluster }: WeightedRows, level?: number): MeanWithError {
  const total = weight.reduce((sum, w) => sum + w, 0);
  if (total === 0) return { value: Number.NaN, standardError: Number.NaN, low: Number.NaN, high: Number.NaN };
  const value = weight.reduce((sum, w, row) => sum + w * reward[row], 0) / total;
  const mean = total / weight.length;
  return {
    ...meanWithError(
      weight.map((w, row) => value + (w * (reward[row] - value)) / mean),
      { cluster, level },
    ),
    value,
  };
}
