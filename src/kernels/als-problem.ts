/**
 * What an ALS solver is given, and the checks on it. The objective stands in als.ts, which calls this.
 */
import { KernelError } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";

export interface AlsProblem {
  /** Users × items; entries of a row ascend by item, each pair once. Copied in. */
  matrixByUser: Csr;
  /** Its transpose. Copied in. */
  matrixByItem: Csr;
  /** a_ui of each entry, in the order of the two matrices; 1 for all when absent. Copied in. */
  goals?: { byUser: Float32Array; byItem: Float32Array };
  /** Latent dimensions, 1 or more. */
  factors: number;
  /** Extra weight of an observed pair per unit of its value, ≥ 0. */
  alpha: number;
  /** Weight of every unobserved pair (α₀), ≥ 0. */
  unobservedWeight: number;
  /** λ, ≥ 0. */
  regularization: number;
  /** ν: λ_u = λ·(#u + unobservedWeight·numItems)^ν, λ_i likewise; 0 = the same λ for all. */
  regularizationExponent: number;
  /** `cg`: `cgSteps` conjugate gradient steps from the present factors; `cholesky`: rows exactly; `ials++`: blocks of factors in turn. */
  solver: "cg" | "cholesky" | "ials++";
  cgSteps: number;
  /** Factors per block of ials++, rounded up to a multiple of 8. Default 16: larger blocks cost more than they gain per sweep. */
  blockFactors?: number;
  /** Initial values, numUsers × factors, row-major. Copied in. */
  userFactors: Float32Array;
  /** Initial values, numItems × factors, row-major. Copied in. */
  itemFactors: Float32Array;
  /** m_u, numUsers × factors, row-major; 0 when absent. Copied in. */
  userPriors?: Float32Array;
  /** m_i, numItems × factors, row-major; 0 when absent. Copied in. */
  itemPriors?: Float32Array;
}

/** Throws KernelError when arrays do not fit each other or numbers are out of range. */
export function checkProblem(problem: AlsProblem): void {
  const { matrixByUser: byUser, matrixByItem: byItem, factors, goals } = problem;
  const fail = (message: string) => {
    throw new KernelError(`ALS cannot start: ${message}.`, {
      hint: "Pass the matrix of the data, its transpose, and factors of their sizes.",
    });
  };
  if (!(Number.isInteger(factors) && factors >= 1)) fail(`factors is ${factors}, not a whole number from 1 on`);
  const entries = byUser.indices.length;
  if (byUser.numRows !== byItem.numColumns || byUser.numColumns !== byItem.numRows || entries !== byItem.indices.length)
    fail("matrixByItem is not the transpose of matrixByUser");
  for (const [name, array, rows] of [
    ["userFactors", problem.userFactors, byUser.numRows],
    ["itemFactors", problem.itemFactors, byItem.numRows],
    ["userPriors", problem.userPriors, byUser.numRows],
    ["itemPriors", problem.itemPriors, byItem.numRows],
  ] as const)
    if (array && array.length !== rows * factors) fail(`${name} has ${array.length} values, but ${rows} × ${factors} are needed`);
  for (const [name, array] of Object.entries(goals ?? {}))
    if (array.length !== entries) fail(`goals ${name} has ${array.length} values, but there are ${entries} entries`);
  for (const name of ["alpha", "unobservedWeight", "regularization", "regularizationExponent"] as const)
    if (!(problem[name] >= 0 && problem[name] < Infinity)) fail(`${name} is ${problem[name]}, not a number from 0 on`);
  if (problem.solver === "cg" && !(problem.cgSteps >= 1)) fail(`cgSteps is ${problem.cgSteps}, not a whole number from 1 on`);
}

/** Entries of the longest row of either side. */
export function longestRow(...matrices: readonly Csr[]): number {
  let longest = 0;
  for (const { offsets, numRows } of matrices)
    for (let row = 0; row < numRows; row++) longest = Math.max(longest, offsets[row + 1] - offsets[row]);
  return longest;
}
