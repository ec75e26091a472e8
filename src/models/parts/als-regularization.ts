/**
 * The λ that als takes when it is told "auto": the size of the noise in the confidence matrix.
 *   λ = 1.3 · c̄ · ā · √pairs / (users · items)^¼,  c̄ = geometric mean of the observed pairs' weights w (above 0),
 *   ā = root mean square of what they aim at (1 for preferences)
 * √pairs / (users · items)^¼ is the geometric mean of √(pairs per user) and √(pairs per item), the scale of the largest singular value
 * of a random sparse matrix; only rows with pairs count. The factor 1.3 lies between the best values found on validation parts of
 * Online Retail (1.3, quantities 1.5), MovieLens 100k (1.3, unweighted 1.5), Last.fm (2) and Beauty (below 0.5, where all is flat):
 * replication/als-regularization.mjs prints them.
 */
import type { AlsProblem } from "../../kernels/als.js";
import { ridgeByRow } from "../../kernels/als-layout.js";

const NOISE_FACTOR = 1.3;

/** 0 for a matrix without pairs. */
export function autoRegularization({
  matrixByUser,
  matrixByItem,
  goals,
  alpha,
  unobservedWeight,
}: Pick<AlsProblem, "matrixByUser" | "matrixByItem" | "goals" | "alpha" | "unobservedWeight">): number {
  const { values } = matrixByUser;
  if (values.length === 0) return 0;
  let logs = 0;
  let squares = goals ? 0 : values.length;
  for (let e = 0; e < values.length; e++) {
    logs += Math.log(unobservedWeight + alpha * values[e] || 1);
    if (goals) squares += goals.byUser[e] ** 2;
  }
  const size = Math.exp(logs / values.length) * Math.sqrt(squares / values.length);
  return (NOISE_FACTOR * size * Math.sqrt(values.length)) / (numUsedRows(matrixByUser) * numUsedRows(matrixByItem)) ** 0.25;
}

/** Geometric mean of the two sides' mean λ. */
export function meanRidge(
  problem: Pick<AlsProblem, "matrixByUser" | "matrixByItem" | "unobservedWeight" | "regularization" | "regularizationExponent">,
): number {
  const mean = (matrix: AlsProblem["matrixByUser"]) =>
    ridgeByRow(matrix.offsets, matrix.numColumns, problem).reduce((sum, ridge) => sum + ridge / matrix.numRows, 0);
  return Math.sqrt(mean(problem.matrixByUser) * mean(problem.matrixByItem));
}

function numUsedRows({ offsets, numRows }: AlsProblem["matrixByUser"]): number {
  let used = 0;
  for (let row = 0; row < numRows; row++) if (offsets[row + 1] > offsets[row]) used++;
  return used;
}
