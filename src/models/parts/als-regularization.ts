/**
 * The λ that als takes when it is told "auto": the size of the noise in the confidence matrix.
 *   λ = 1.3 · c̄ · √pairs / (users · items)^¼,  c̄ = geometric mean of unobservedWeight + alpha · weight over the observed pairs
 * √pairs / (users · items)^¼ is the geometric mean of √(pairs per user) and √(pairs per item), the scale of the largest singular value
 * of a random sparse matrix; only rows with pairs count. The factor 1.3 lies between the best values found on validation parts of
 * Online Retail (1.3, quantities 1.5), MovieLens 100k (1.3, unweighted 1.5), Last.fm (2) and Beauty (below 0.5, where all is flat):
 * replication/als-regularization.mjs prints them.
 */
import type { Csr } from "../../core/interactions.js";

const NOISE_FACTOR = 1.3;

/** 0 for a matrix without pairs. */
export function autoRegularization(
  { byUser, byItem }: { byUser: Csr; byItem: Csr },
  { alpha, unobservedWeight }: { alpha: number; unobservedWeight: number },
): number {
  const { values } = byUser;
  if (values.length === 0) return 0;
  let logs = 0;
  for (let e = 0; e < values.length; e++) logs += Math.log(unobservedWeight + alpha * values[e]);
  const confidence = Math.exp(logs / values.length);
  return (NOISE_FACTOR * confidence * Math.sqrt(values.length)) / (numUsedRows(byUser) * numUsedRows(byItem)) ** 0.25;
}

function numUsedRows({ offsets, numRows }: Csr): number {
  let used = 0;
  for (let row = 0; row < numRows; row++) if (offsets[row + 1] > offsets[row]) used++;
  return used;
}
