/**
 * Feature-aware als: a row is drawn towards what its features say, x_u ~ N(Bᵀf_u, 1/λ_u), instead of towards 0.
 *   minimise over B:  Σ_u λ_u ‖x_u − Bᵀf_u‖² + featureRegularization · λ ‖B‖²   ⇒   (FᵀΛF + featureRegularization·I) B = FᵀΛX, Λ = λ_u / λ
 * solved exactly after every half-sweep, so the whole objective still falls; rows without events take no part, and get Bᵀf at the end
 * (regression-based factors: Agarwal & Chen 2009, Regression-based latent factor models). Called by als-fit.ts.
 */
import type { Csr } from "../../core/interactions.js";
import { createPacer } from "../../core/pacer.js";
import { factorizeInPlace, solveInPlace } from "./small-cholesky.js";

export interface AlsPriors {
  /** B from the present rows (numRows × factors), and what follows: Bᵀf of every row, and the penalty on B in units of λ. */
  update(rows: Float32Array): Promise<{ priors: Float32Array; penalty: number }>;
}

interface PriorsProblem {
  /** F, one row per user or item. */
  features: Csr;
  /** Offsets of the training matrix of that side: which rows have events. */
  offsets: Int32Array;
  /** λ_r / λ of every row. */
  rowWeights: Float32Array;
  factors: number;
  featureRegularization: number;
}

export async function createPriors(problem: PriorsProblem, signal: AbortSignal | undefined): Promise<AlsPriors> {
  const { features, offsets, rowWeights, factors, featureRegularization } = problem;
  const { numRows, numColumns, indices, values } = features;
  const pace = createPacer(signal);
  const hasEvents = (row: number) => offsets[row + 1] > offsets[row];
  const normal = new Float64Array(numColumns * numColumns);
  for (let row = 0; row < numRows; row++) {
    if (row % 1024 === 0) await pace();
    if (!hasEvents(row)) continue;
    for (let a = features.offsets[row]; a < features.offsets[row + 1]; a++)
      for (let b = features.offsets[row]; b <= a; b++)
        normal[indices[a] * numColumns + indices[b]] += rowWeights[row] * values[a] * values[b];
  }
  for (let k = 0; k < numColumns; k++) normal[k * numColumns + k] += featureRegularization;
  factorizeInPlace(normal, numColumns);

  return {
    async update(rows) {
      const embeddings = new Float64Array(factors * numColumns); // Bᵀ, one row per factor
      for (let row = 0; row < numRows; row++) {
        if (row % 1024 === 0) await pace();
        if (!hasEvents(row)) continue;
        for (let e = features.offsets[row]; e < features.offsets[row + 1]; e++) {
          const weight = rowWeights[row] * values[e];
          for (let d = 0; d < factors; d++) embeddings[d * numColumns + indices[e]] += weight * rows[row * factors + d];
        }
      }
      for (let d = 0; d < factors; d++) {
        await pace();
        solveInPlace(normal, numColumns, embeddings.subarray(d * numColumns, (d + 1) * numColumns));
      }
      const priors = new Float32Array(numRows * factors);
      for (let row = 0; row < numRows; row++) {
        if (row % 1024 === 0) await pace();
        for (let e = features.offsets[row]; e < features.offsets[row + 1]; e++)
          for (let d = 0; d < factors; d++) priors[row * factors + d] += values[e] * embeddings[d * numColumns + indices[e]];
      }
      return { priors, penalty: featureRegularization * embeddings.reduce((sum, value) => sum + value ** 2, 0) };
    },
  };
}
