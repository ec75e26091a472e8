/**
 * The training loop of every network: epochs of batches, the schedule, clipping, divergence, early stopping on a validation value,
 * checkpoints, progress. A model says how batches are made and what one step computes.
 */
import { TrainingError, throwIfCancelled } from "../core/errors.js";
import type { FitContext, ModelState } from "../core/model.js";
import { createRandom, type Random, stepSeed } from "../core/random.js";
import { createOptimizerKernels, type OptimizerKernels } from "../kernels/optimizer.js";
import { clipScale, type OptimizerOptions, rateAt, type Schedule, update } from "./optimizers.js";
import type { Parameters } from "./parameters.js";
import type { SparseTable } from "./sparse-table.js";

export interface Network {
  parameters: Parameters;
  tables: readonly SparseTable[];
}

/** What one batch gave; gradients of tables have been added to the tables. */
export interface StepResult {
  /** Mean over the examples. */
  loss: number;
  examples: number;
  /** By parameter name. */
  gradients: Readonly<Record<string, Float32Array>>;
}

export interface TrainingPlan<Batch> {
  /** As in progress and errors: the model's name. */
  stage: string;
  network: Network;
  epochs: number;
  optimizer: OptimizerOptions;
  schedule: Omit<Schedule, "total">;
  /** Largest joint norm of a step's gradients; not clipped when absent. */
  clipNorm?: number;
  /** The batches of an epoch, in the order drawn by `random`. */
  batches(random: Random): Iterable<Batch>;
  /** Steps of an epoch, for schedules that decay. */
  stepsPerEpoch: number;
  step(batch: Batch, random: Random): Promise<StepResult>;
  /** Higher is better; after each epoch. */
  validate?(): Promise<number>;
  /** Epochs without a better value after which training stops. Default 5. */
  patience?: number;
  /**
   * Share of the running mean of the weights that an epoch leaves as it is; validated and kept is the mean (Polyak & Juditsky 1992).
   * Default 0: the weights themselves.
   */
  averaging?: number;
}

export interface TrainingResult {
  /** Mean loss of each epoch. */
  losses: number[];
  /** Values of `validate`, where there is one. */
  validation: number[];
  /** Epoch whose parameters the network now has, from 1. */
  epoch: number;
}

interface Progress extends Record<string, unknown> {
  step: number;
  /** Loss of the first batch, before anything was learnt. */
  untrained?: number;
  losses: number[];
  validation: number[];
  best: number;
}

/**
 * Trains in place. Ends with the parameters of the best epoch where there is validation, else with the last ones.
 * Throws TrainingError when the loss or a gradient is no longer finite, or the mean loss of an epoch is several times that of the untrained
 * network (normalised layers and bounded losses never overflow), CancelledError on abort.
 */
export async function trainNetwork<Batch>(
  plan: TrainingPlan<Batch>,
  { seed, signal, onProgress, checkpoint }: Pick<FitContext, "seed" | "signal" | "onProgress" | "checkpoint">,
): Promise<TrainingResult> {
  const { network, epochs, stage, patience = 5 } = plan;
  const resumed = checkpoint?.resumeFrom;
  const progress: Progress = (resumed?.state.extra as Progress | undefined) ?? { step: 0, losses: [], validation: [], best: 0 };
  let best: ModelState["arrays"] | undefined = resumed && arraysUnder(BEST, resumed.state.arrays);
  let mean = resumed && arraysUnder(MEAN, resumed.state.arrays);
  const kernels = await createOptimizerKernels();
  await Promise.all(network.tables.map((table) => table.prepare()));
  const schedule: Schedule = { ...plan.schedule, total: epochs * plan.stepsPerEpoch };

  const patient = (done: number) => !plan.validate || done - progress.best < patience;
  for (let epoch = (resumed?.step ?? 0) + 1; epoch <= epochs && patient(epoch - 1); epoch++) {
    const random = createRandom(stepSeed(seed, epoch));
    let [loss, examples] = [0, 0];
    for (const batch of plan.batches(random)) {
      throwIfCancelled(signal);
      const result = await plan.step(batch, random);
      progress.step++;
      progress.untrained ??= result.loss;
      apply(plan, result, { rate: rateAt(schedule, progress.step), step: progress.step, kernels });
      loss += result.loss * result.examples;
      examples += result.examples;
    }
    progress.losses.push(loss / examples);
    if (loss / examples > MOST_GROWTH * Math.max(1, progress.untrained ?? 0)) diverged(plan, progress.step, loss / examples);
    if (plan.averaging) mean = averaged(network, mean, Math.min(plan.averaging, 1 - 1 / epoch));
    if (plan.validate) {
      if (mean) exchange(network, mean);
      const value = await plan.validate();
      progress.validation.push(value);
      if (progress.best === 0 || value > progress.validation[progress.best - 1]) {
        progress.best = epoch;
        best = valuesOf(network);
      }
      if (mean) exchange(network, mean);
    }
    const note = plan.validate ? `validation ${progress.validation.at(-1)!.toPrecision(4)}, best in epoch ${progress.best}` : undefined;
    const learningRate = rateAt(schedule, progress.step);
    onProgress?.({
      stage,
      done: epoch,
      total: epochs,
      loss: progress.losses.at(-1),
      validation: progress.validation.at(-1),
      learningRate,
      note,
    });
    await checkpoint?.save(epoch, () => ({
      arrays: { ...arraysOf(network), ...prefixed(BEST, best), ...prefixed(MEAN, mean) },
      extra: structuredClone(progress),
    }));
  }
  const kept = best ?? mean;
  if (kept) takeOver(network, kept);
  const { losses, validation } = progress;
  return { losses, validation, epoch: plan.validate ? progress.best : losses.length };
}

function apply<Batch>(
  { network, optimizer, clipNorm, stage }: TrainingPlan<Batch>,
  result: StepResult,
  { rate, step, kernels }: { rate: number; step: number; kernels: OptimizerKernels },
): void {
  const { parameters, tables } = network;
  const inTables = Float32Array.from(tables, (table) => Math.sqrt(table.gradientSquares(kernels)));
  const scale = clipScale([...Object.values(result.gradients), inTables], clipNorm, kernels);
  if (!Number.isFinite(result.loss) || Number.isNaN(scale)) diverged({ stage }, step, result.loss);
  const options = { ...optimizer, rate, step, scale, kernels };
  for (const parameter of parameters.list) {
    const gradient = result.gradients[parameter.name];
    if (gradient) update(parameter, gradient, options);
  }
  for (const table of tables) table.step(options);
}

/** An epoch whose loss is so many times that of the untrained network has diverged. */
const MOST_GROWTH = 4;

function diverged({ stage }: { stage: string }, step: number, loss: number): never {
  throw new TrainingError(`The training of ${stage} diverged in step ${step}: the loss is ${Number(loss.toPrecision(4))}.`, {
    hint: "Lower the learning rate, or clip gradients with clipNorm.",
    details: { step },
  });
}

const arraysOf = ({ parameters, tables }: Network): ModelState["arrays"] =>
  Object.assign({}, parameters.state(), ...tables.map((table) => table.state()));

const [BEST, MEAN] = ["best.", "mean."];

/** A copy, so that a checkpoint may be written while training goes on. */
const prefixed = (prefix: string, arrays: ModelState["arrays"] = {}) =>
  Object.fromEntries(Object.entries(arrays).map(([name, { shape, data }]) => [prefix + name, { shape, data: data.slice() }]));

function arraysUnder(prefix: string, arrays: ModelState["arrays"]): ModelState["arrays"] | undefined {
  const own = Object.entries(arrays).filter(([name]) => name.startsWith(prefix));
  const copied = own.map(([name, { shape, data }]) => [name.slice(prefix.length), { shape, data: data.slice() }]);
  return own.length > 0 ? Object.fromEntries(copied) : undefined;
}

/** What is scored with: parameters and tables without the optimizer's moments. */
const weightsOf = ({ parameters, tables }: Network): { name: string; values: Float32Array }[] => [...parameters.list, ...tables];

const valuesOf = (network: Network): ModelState["arrays"] =>
  Object.fromEntries(weightsOf(network).map(({ name, values }) => [name, { shape: [values.length], data: values.slice() }]));

/** kept · mean + (1 − kept) · weights. */
function averaged(network: Network, mean: ModelState["arrays"] | undefined, kept: number): ModelState["arrays"] {
  if (!mean) return valuesOf(network);
  for (const { name, values } of weightsOf(network)) {
    const data = mean[name].data;
    for (let k = 0; k < values.length; k++) data[k] = kept * data[k] + (1 - kept) * values[k];
  }
  return mean;
}

function exchange(network: Network, arrays: ModelState["arrays"]): void {
  for (const { name, values } of weightsOf(network)) {
    const other = values.slice();
    values.set(arrays[name].data as Float32Array);
    arrays[name].data.set(other);
  }
}

function takeOver(network: Network, arrays: ModelState["arrays"]): void {
  for (const { name, values } of weightsOf(network)) values.set(arrays[name].data as Float32Array);
}
