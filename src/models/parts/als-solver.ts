/**
 * Which solver `auto` means. Conjugate gradients (3 steps) are the cheapest sweep (`npm run bench -- als`); only from 256 factors on does
 * one of iALS++ cost about as much, and only where λ lies far below the noise scale (als-regularization.ts) do three steps stop short of
 * what its exact blocks reach. Called by als-fit.ts.
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
