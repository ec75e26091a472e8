/**
 * Which solver `auto` means. A sweep of conjugate gradients (3 steps) was the cheapest everywhere; from 256 factors on one of iALS++ costs
 * only 1.1 to 1.25 times as much, and where λ is below a hundredth of the noise scale (als-regularization.ts) it gets further: 151k pairs,
 * 256 factors, alpha 40, λ at 0.009 of that scale, 15 sweeps: a loss 9 % lower; at 0.03 of it, 3 % higher. Called by als-fit.ts.
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
