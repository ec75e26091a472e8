/**
 * The epochs of the models that learn to rank by stochastic gradient steps: progress, loss, checkpoints, divergence.
 * The learning rate falls along a straight line to a tenth: η_n = η (1 − 0.9 (n − 1) / (epochs − 1)).
 * Epoch n draws from `stepSeed(seed, n)`. Called by bpr.ts, warp.ts and logistic-mf.ts through sgd-model.ts.
 */
import { TrainingError, throwIfCancelled } from "../../core/errors.js";
import type { Csr, Interactions } from "../../core/interactions.js";
import type { FitContext, FittedModel, ModelState } from "../../core/model.js";
import { stepSeed } from "../../core/random.js";
import { createRankingSgd, type RankingSgd } from "../../kernels/ranking-sgd.js";
import { rowLength, type SgdStep } from "../../kernels/ranking-sgd-layout.js";
import { savedFloat32 } from "./saved-arrays.js";

export interface SgdPlan extends SgdStep {
  /** Name of the model. */
  name: string;
  epochs: number;
  learningRate: number;
  initScale: number;
  /** Whether a pair counts once or with each of its events. */
  positives: "events" | "pairs";
}

export interface SgdRows {
  userRows: Float32Array;
  itemRows: Float32Array;
}

export interface SgdRun {
  /** Rows before the first epoch of this run. */
  start: SgdRows;
  /** Epochs begin behind this one; 0 for a whole fit. */
  after: number;
  model(rows: SgdRows, losses: readonly number[]): FittedModel;
}

/** Mean loss, in multiples of what a model without any knowledge has, from which on it cannot come back. */
const hopeless = 10;

export function learningRateOf({ learningRate, epochs }: Pick<SgdPlan, "learningRate" | "epochs">, epoch: number): number {
  return learningRate * (1 - (0.9 * (epoch - 1)) / Math.max(1, epochs - 1));
}

export async function runEpochs(train: Interactions, plan: SgdPlan, run: SgdRun, context: FitContext): Promise<FittedModel> {
  const { name, epochs } = plan;
  const { seed, threads, signal, onProgress, onStep, checkpoint } = context;
  const resumed = checkpoint?.resumeFrom;
  const start = resumed ? rowsOfState(resumed.state, train, plan) : run.start;
  const losses = [...((resumed?.state.extra?.losses as number[] | undefined) ?? [])];
  const seen = train.matrixByUser();
  const solver = await createRankingSgd(
    { ...plan, ...start, seen, events: plan.positives === "pairs" ? seen : eventsOf(train, seen) },
    { threads },
  );
  try {
    const rows = () => finiteRows(solver, plan, run.after + losses.length);
    for (let epoch = (resumed?.step ?? run.after) + 1; epoch <= epochs; epoch++) {
      throwIfCancelled(signal);
      const loss = await solver.epoch({ seed: stepSeed(seed, epoch), learningRate: learningRateOf(plan, epoch), signal });
      if (!(loss < hopeless * lossOfNothing(plan, train.numItems))) throw diverged(plan, epoch, `its mean loss is ${loss}`);
      losses.push(loss);
      onProgress?.({ stage: name, done: epoch - run.after, total: epochs - run.after, loss });
      await checkpoint?.save(epoch, () => stateOfRows(rows(), train, plan, losses));
      if ((await onStep?.({ step: epoch, total: epochs, model: () => run.model(rows(), [...losses]) })) === "stop") break;
    }
    return run.model(rows(), losses);
  } finally {
    solver.dispose();
  }
}

/** Loss of a model that scores everything 0. */
function lossOfNothing({ loss }: SgdPlan, numItems: number): number {
  return loss === "warp" ? 1 + Math.log(numItems) : Math.LN2;
}

/** The matrix itself when no pair has two events: the kernel then keeps one copy. */
function eventsOf(train: Interactions, seen: Csr): Pick<Csr, "offsets" | "indices"> {
  const events = train.eventsByUser();
  return events.indices.length === seen.indices.length ? seen : events;
}

function finiteRows(solver: RankingSgd, plan: SgdPlan, epoch: number): SgdRows {
  const rows = { userRows: solver.userRows(), itemRows: solver.itemRows() };
  for (const values of [rows.userRows, rows.itemRows])
    for (let k = 0; k < values.length; k++) if (!Number.isFinite(values[k])) throw diverged(plan, epoch, "its factors are not finite");
  return rows;
}

function diverged({ name, learningRate }: SgdPlan, epoch: number, how: string): TrainingError {
  return new TrainingError(`The model ${name} diverged in epoch ${epoch}: ${how}.`, {
    hint: `Lower learningRate, which is ${learningRate}.`,
    details: { iteration: epoch },
  });
}

function stateOfRows({ userRows, itemRows }: SgdRows, train: Interactions, plan: SgdPlan, losses: readonly number[]): ModelState {
  const length = rowLength(plan.factors, plan.optimizer);
  return {
    arrays: {
      user_rows: { shape: [train.numUsers, length], data: userRows },
      item_rows: { shape: [train.numItems, length], data: itemRows },
    },
    extra: { losses: [...losses] },
  };
}

function rowsOfState(state: ModelState, { numUsers, numItems }: Interactions, { factors, optimizer }: SgdPlan): SgdRows {
  const length = rowLength(factors, optimizer);
  return { userRows: savedFloat32(state, "user_rows", [numUsers, length]), itemRows: savedFloat32(state, "item_rows", [numItems, length]) };
}
