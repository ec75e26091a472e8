/**
 * How the ranking SGD kernels see their data: rows of values with what the optimizer keeps behind them, the block of settings,
 * and the strata into which an epoch is dealt. Called by ranking-sgd.ts, ranking-sgd-fold-in.ts and models/parts/sgd-rows.ts.
 */
import { KernelError } from "../core/errors.js";

export type SgdLoss = "bpr" | "warp" | "logistic";
export type SgdOptimizer = "sgd" | "adagrad" | "adam";

/** What one step does; the same for training and fold-in. */
export interface SgdStep {
  /** Latent dimensions, 1 or more. */
  factors: number;
  loss: SgdLoss;
  optimizer: SgdOptimizer;
  /** Negatives of an event (logistic) or most trials for one (warp); 1 or more, not read by bpr. */
  draws: number;
  /** Where negatives come from: any item alike, or the items of events. Items of the user never serve. */
  negatives: "uniform" | "popularity";
  /** λ of user rows, of the rows of positive and of negative items, and of biases; each ≥ 0, applied at every step of a row. */
  regularization: { user: number; positive: number; negative: number; bias: number };
}

const optimizers = ["sgd", "adagrad", "adam"] as const;
const losses = ["bpr", "warp", "logistic"] as const;

export const settingsBytes = 128;
export const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** Floats of the values of a row: factors padded to a multiple of 16, the bias, three zeros. */
export function valueLength(factors: number): number {
  return Math.ceil(factors / 16) * 16 + 4;
}

/** Floats of a row: its values, then Adagrad's sums of squares, or Adam's two moments and the powers β₁ᵗ, β₂ᵗ. */
export function rowLength(factors: number, optimizer: SgdOptimizer): number {
  const values = valueLength(factors);
  return optimizer === "sgd" ? values : optimizer === "adagrad" ? 2 * values : 3 * values + 4;
}

/** Sets what the optimizer keeps to its start: sums of squares 1 (as LightFM), moments 0, powers 1. The values stay. */
export function resetOptimizer(rows: Float32Array, factors: number, optimizer: SgdOptimizer): void {
  const [values, length] = [valueLength(factors), rowLength(factors, optimizer)];
  for (let row = 0; row < rows.length; row += length) {
    rows.fill(optimizer === "adagrad" ? 1 : 0, row + values, row + length);
    if (optimizer === "adam") rows.fill(1, row + length - 4, row + length - 2);
  }
}

export interface SettingsPlaces {
  numItems: number;
  users: number;
  items: number;
  seenOffsets: number;
  seenItems: number;
  warpWeights: number;
}

/** Writes the settings block; the order is that of assembly/ranking-sgd-step.ts. */
export function writeSettings(block: { float32: Float32Array; int32: Int32Array }, step: SgdStep, places: SettingsPlaces): void {
  const { user, positive, negative, bias } = step.regularization;
  block.float32.set([0, user, positive, negative, bias, adam.beta1, adam.beta2, adam.epsilon]);
  const rowBytes = 4 * rowLength(step.factors, step.optimizer);
  const choices = [optimizers.indexOf(step.optimizer), losses.indexOf(step.loss), step.draws, step.negatives === "popularity" ? 1 : 0];
  const { numItems, users, items, seenOffsets, seenItems, warpWeights } = places;
  block.int32.set([rowBytes, 4 * valueLength(step.factors), ...choices, numItems, users, items, seenOffsets, seenItems, warpWeights], 8);
}

/** WARP's weight by number of trials: log of the estimated rank, ⌊(numItems − 1) / trials⌋. Index 0 is not used. */
export function warpWeights(numItems: number, draws: number): Float32Array {
  return Float32Array.from({ length: draws + 1 }, (_, trials) => Math.log(Math.max(1, Math.floor((numItems - 1) / Math.max(1, trials)))));
}

export interface Strata {
  /** Groups of users, and of items. */
  blocks: number;
  /** Parts of a user group, worked on one after the other. */
  parts: number;
}

/**
 * Blocks so that an item group takes about 1 MiB and a part of users 64 KiB (a core's second and first cache), and several threads
 * have work; a function of the data alone. Groups keep 64 items and strata some thousand events, below that there is one block.
 */
export function planStrata(size: { numUsers: number; numItems: number; numEvents: number; rowBytes: number }): Strata {
  const { numUsers, numItems, numEvents, rowBytes } = size;
  const wanted = Math.max(Math.ceil((numItems * rowBytes) / 2 ** 20), Math.min(8, Math.floor(numEvents / 500_000)));
  const blocks = Math.max(1, Math.min(wanted, 64, Math.floor(numItems / 64), Math.floor(Math.sqrt(numEvents / 4096))));
  const parts = Math.min(Math.ceil((numUsers * rowBytes) / blocks / 2 ** 16), Math.floor(numEvents / blocks ** 2 / 1024));
  return { blocks, parts: Math.max(1, parts) };
}

/** Throws KernelError when a setting is not one the kernels can work with. */
export function checkStep({ factors, draws, regularization, loss }: SgdStep): void {
  const whole = (name: string, value: number) => {
    if (!(Number.isInteger(value) && value >= 1)) throw misfit(`${name} is ${value}, not a whole number from 1 on`);
  };
  whole("factors", factors);
  if (loss !== "bpr") whole("draws", draws);
  for (const [name, value] of Object.entries(regularization))
    if (!(value >= 0 && value < Infinity)) throw misfit(`regularization.${name} is ${value}, not a number from 0 on`);
}

export function misfit(message: string): KernelError {
  return new KernelError(`Ranking SGD cannot start: ${message}.`, { hint: "Pass the matrix of the data and rows of its size." });
}
