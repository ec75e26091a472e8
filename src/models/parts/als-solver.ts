/**
 * Which solver `auto` means. One sweep of conjugate gradients (3 steps) is the cheapest up to 128 factors. At 256 one of iALS++ costs the
 * same, and where λ is below a hundredth of the noise scale (als-regularization.ts) it gets further: after 15 sweeps of 151k pairs with
 * 256 factors, alpha 40 and λ at 0.009 of that scale its loss was 9 % lower; at 0.03 of it, 3 % higher. Called by als-fit.ts.
 */
import type { AlsProblem } from "../../kernels/als.js";
import { autoRegularization, meanRidge } from "./als-regularization.js";

const manyFactors = 256;
const weakRegularization = 0.01;

export function chosenSolver(
  solver: "auto" | AlsProblem["solver"],
  problem: Pick<
    AlsProblem,
    "matrixByUser" | "matrixByItem" | "goals" | "factors" | "alpha" | "unobservedWeight" | "regularization" | "regularizationExponent"
  >,
): AlsProblem["solver"] {
  if (solver !== "auto") return solver;
  if (problem.factors < manyFactors) return "cg";
  return meanRidge(problem) < weakRegularization * autoRegularization(problem) ? "ials++" : "cg";
}
