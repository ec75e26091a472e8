/**
 * The sweeps of als from given factors: users, then items, the loss, and after each half-sweep with side features their priors.
 * Checkpoints hold the factors and the losses; all else follows from data and parameters. Called by als.ts (fit) and als-refit.ts.
 */
import { throwIfCancelled } from "../../core/errors.js";
import type { Csr, Interactions } from "../../core/interactions.js";
import type { FitContext } from "../../core/model.js";
import { type AlsProblem, type AlsSolver, createAlsSolver } from "../../kernels/als.js";
import { ridgeByRow } from "../../kernels/als-layout.js";
import { type AlsFittedModel, alsModel } from "./als-model.js";
import { pairRule, weighted } from "./als-objective.js";
import type { AlsParams } from "./als-params.js";
import { type AlsPriors, createPriors } from "./als-priors.js";
import { autoRegularization, meanRidge } from "./als-regularization.js";
import { chosenSolver } from "./als-solver.js";
import { featureMatrix } from "./feature-matrix.js";
import { savedFloat32 } from "./saved-arrays.js";

export interface AlsStart {
  userFactors: Float32Array;
  itemFactors: Float32Array;
  /** Whether priors from features hold from the first half-sweep on: only where the factors have learnt something. */
  trained: boolean;
}

/** The kernel's problem for the data, without factors. λ and goals are in units of the rule's `valueUnit`. */
export function alsProblem(train: Interactions, params: AlsParams) {
  const rule = pairRule(train.matrixByUser(), params);
  const byUser = weighted(train.matrixByUser(), "columns", rule);
  const byItem = weighted(train.matrixByItem(), "rows", rule);
  const goals = byUser.goals && byItem.goals ? { byUser: byUser.goals, byItem: byItem.goals } : undefined;
  const terms = { ...params, matrixByUser: byUser.matrix, matrixByItem: byItem.matrix, goals };
  const regularization =
    params.regularization === "auto"
      ? autoRegularization(terms) / meanRidge({ ...terms, regularization: 1 })
      : params.regularization / rule.valueUnit;
  const problem = { ...terms, regularization };
  return { rule, problem: { ...problem, solver: chosenSolver(params.solver, problem) } };
}

/** Sweeps `iterations` times; throws CancelledError when told to. */
export async function sweepAls(
  train: Interactions,
  params: AlsParams,
  { start, iterations, context }: { start: AlsStart; iterations: number; context: FitContext },
): Promise<AlsFittedModel> {
  const { threads, signal, onProgress, onStep, checkpoint } = context;
  const { numUsers, numItems } = train;
  const { factors } = params;
  const { rule, problem } = alsProblem(train, params);
  const resumed = checkpoint?.resumeFrom;
  const from = resumed
    ? {
        userFactors: savedFloat32(resumed.state, "user_factors", [numUsers, factors]),
        itemFactors: savedFloat32(resumed.state, "item_factors", [numItems, factors]),
        trained: true,
      }
    : start;
  const losses = resumed ? [...(resumed.state.extra!.losses as number[])] : [];
  const sides = {
    users: await featureSide(
      context.userFeatures && featureMatrix(context.userFeatures, numUsers, "users"),
      train.matrixByUser(),
      problem,
      signal,
    ),
    items: await featureSide(
      context.itemFeatures && featureMatrix(context.itemFeatures, numItems, "items"),
      train.matrixByItem(),
      problem,
      signal,
    ),
  };
  const solver = await createAlsSolver(
    { ...problem, ...from, userPriors: sides.users?.priors, itemPriors: sides.items?.priors },
    { threads },
  );
  try {
    const factorsOf = (side: "users" | "items") => (side === "users" ? solver.userFactors() : solver.itemFactors());
    const updatePriors = async (side: "users" | "items") => sides[side]?.update(solver, factorsOf(side), side);
    const model = () =>
      alsModel({
        params,
        rule,
        regularization: problem.regularization * rule.valueUnit,
        losses: [...losses],
        seen: train.matrixByUser(),
        userFactors: withPriors(solver.userFactors(), sides.users?.priors, train.matrixByUser(), rule.valueUnit),
        itemFactors: withPriors(solver.itemFactors(), sides.items?.priors, train.matrixByItem(), 1),
        userPriors: sides.users?.priors,
        itemFeatures: sides.items !== undefined,
      });
    if (from.trained) for (const side of ["users", "items"] as const) await updatePriors(side);
    for (let iteration = (resumed?.step ?? 0) + 1; iteration <= iterations; iteration++) {
      throwIfCancelled(signal);
      for (const side of ["users", "items"] as const) {
        await solver.sweep(side, signal);
        await updatePriors(side);
      }
      const penalty = problem.regularization * ((sides.users?.penalty ?? 0) + (sides.items?.penalty ?? 0));
      const loss = ((await solver.loss(signal)) + penalty) * rule.valueUnit ** 2;
      losses.push(loss);
      onProgress?.({ stage: "als", done: iteration, total: iterations, loss });
      await checkpoint?.save(iteration, () => ({
        arrays: {
          user_factors: { shape: [numUsers, factors], data: solver.userFactors() },
          item_factors: { shape: [numItems, factors], data: solver.itemFactors() },
        },
        extra: { losses: [...losses] },
      }));
      if ((await onStep?.({ step: iteration, total: iterations, model })) === "stop") break;
    }
    return model();
  } finally {
    solver.dispose();
  }
}

/** One side's features during the sweeps: the priors that hold now, 0 at first, and the penalty on their embeddings. */
async function featureSide(
  features: Csr | undefined,
  matrix: Csr,
  problem: Pick<AlsProblem, "factors" | "unobservedWeight" | "regularization" | "regularizationExponent"> & {
    featureRegularization: number;
  },
  signal: AbortSignal | undefined,
) {
  if (!features) return undefined;
  const rowWeights = ridgeByRow(matrix.offsets, matrix.numColumns, { ...problem, regularization: 1 });
  const source: AlsPriors = await createPriors({ ...problem, features, offsets: matrix.offsets, rowWeights }, signal);
  const side = {
    priors: new Float32Array(matrix.numRows * problem.factors),
    penalty: 0,
    async update(solver: AlsSolver, rows: Float32Array, which: "users" | "items") {
      Object.assign(side, await source.update(rows));
      const { factors } = problem;
      const seen = side.priors.map((value, k) => {
        const row = Math.floor(k / factors);
        return matrix.offsets[row + 1] > matrix.offsets[row] ? value : 0; // rows without events stay out of the objective
      });
      solver.setPriors(which, seen);
    },
  };
  return side;
}

/** Factors as the model gives them: rows without events from their features, values in their own unit. Writes into `rows`. */
function withPriors(rows: Float32Array, priors: Float32Array | undefined, { offsets, numRows }: Csr, unit: number): Float32Array {
  const factors = rows.length / numRows;
  if (priors)
    for (let row = 0; row < numRows; row++)
      if (offsets[row] === offsets[row + 1]) rows.set(priors.subarray(row * factors, (row + 1) * factors), row * factors);
  if (unit !== 1) for (let k = 0; k < rows.length; k++) rows[k] *= unit;
  return rows;
}
