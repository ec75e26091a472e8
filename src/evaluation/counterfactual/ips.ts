/**
 * Inverse propensity scoring:  V = 1/n Σ_i w_i r_i,  w_i = π(a_i|x_i) / p_i.
 * Unbiased where the propensities are right and every item of the policy could be logged; clipped weights min(w, M) trade variance for a
 * bias towards 0. Horvitz & Thompson (1952), A generalization of sampling without replacement from a finite universe;
 * clipping: Ionides (2008), Truncated importance sampling.
 */
import type { WeightedRows } from "./logged-rows.js";
import { type MeanWithError, meanWithError } from "./mean-with-error.js";

export function ips({ weight, reward, cluster }: WeightedRows, level?: number): MeanWithError {
  return meanWithError(
    weight.map((w, row) => w * reward[row]),
    { cluster, level },
  );
}
