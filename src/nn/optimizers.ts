/**
 * Updates of dense parameters. Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019), Adagrad (Duchi, Hazan &
 * Singer 2011), SGD. The learning rate of a step comes from a schedule, gradients may be clipped by their global norm.
 */

import { type OptimizerKernels, plainKernels } from "../kernels/optimizer.js";
import type { AdamRange, AdamState } from "../kernels/reference/adam.js";

export const optimizerNames = ["adam", "adagrad", "sgd"] as const;

export interface OptimizerOptions {
  name: (typeof optimizerNames)[number];
  /** Share of the parameter taken off per unit of learning rate. Default 0. */
  weightDecay?: number;
}

/** A parameter, or the touched rows of a table, in place. */
export type Updatable = AdamState;

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];
/** Adagrad begins here, so that first steps are not of full size. */
const ADAGRAD_START = 0.1;

export interface StepOptions extends OptimizerOptions {
  rate: number;
  /** Counts from 1. */
  step: number;
  /** What gradients are multiplied by. Default 1. */
  scale?: number;
  /** Default: their plain twins, which give the same bits. */
  kernels?: OptimizerKernels;
}

/** Updates values[at … at + count) by gradient[from … from + count). */
export type RangeUpdate = (parameter: Updatable, gradient: Float32Array, range: AdamRange) => void;

/** One step of all values. */
export function update(parameter: Updatable, gradient: Float32Array, options: StepOptions): void {
  rangeUpdate(options)(parameter, gradient, { at: 0, from: 0, count: parameter.values.length });
}

/** One step for rows of a table: what does not depend on the row is computed once. */
export function rangeUpdate({ name, weightDecay = 0, rate, step, scale = 1, kernels = plainKernels }: StepOptions): RangeUpdate {
  const kept = 1 - rate * weightDecay;
  const root = Math.sqrt(1 - BETA2 ** step);
  const size = (rate * root) / (1 - BETA1 ** step);
  const epsilon = EPSILON * root;
  const apply: Record<OptimizerOptions["name"], RangeUpdate> = {
    sgd({ values }, gradient, { at, from, count }) {
      for (let k = 0; k < count; k++) values[at + k] -= rate * scale * gradient[from + k];
    },
    adagrad({ values, second }, gradient, { at, from, count }) {
      for (let k = 0; k < count; k++) {
        const g = scale * gradient[from + k];
        const squares = second[at + k] + g * g;
        second[at + k] = squares;
        values[at + k] -= (rate * g) / Math.sqrt(ADAGRAD_START + squares);
      }
    },
    adam(parameter, gradient, range) {
      kernels.adam(parameter, gradient, range, { scale, kept, size, epsilon });
    },
  };
  const optimize = apply[name];
  if (weightDecay === 0 || name === "adam") return optimize;
  return (parameter, gradient, range) => {
    for (let i = range.at; i < range.at + range.count; i++) parameter.values[i] *= kept;
    optimize(parameter, gradient, range);
  };
}

export interface Schedule {
  /** Highest rate. */
  rate: number;
  /** Steps in which the rate rises from 0. Default 0. */
  warmUp?: number;
  /** Towards 0 at `total` steps, or not at all. Default "constant". */
  decay?: "constant" | "linear" | "cosine";
  total?: number;
}

/** The rate of a step, counted from 1. */
export function rateAt({ rate, warmUp = 0, decay = "constant", total = Infinity }: Schedule, step: number): number {
  const rising = warmUp > 0 ? Math.min(1, step / warmUp) : 1;
  const done = Number.isFinite(total) ? Math.min(1, Math.max(0, (step - warmUp) / Math.max(1, total - warmUp))) : 0;
  if (decay === "linear") return rate * rising * (1 - done);
  if (decay === "cosine") return rate * rising * 0.5 * (1 + Math.cos(Math.PI * done));
  return rate * rising;
}

/** What gradients are multiplied by so that their joint norm is at most `norm`; 1 when it is, NaN when one is not finite. */
export function clipScale(gradients: Iterable<Float32Array>, norm: number | undefined, { sumOfSquares } = plainKernels): number {
  let squares = 0;
  for (const gradient of gradients) squares += sumOfSquares(gradient, gradient.length);
  if (!Number.isFinite(squares)) return Number.NaN;
  return norm === undefined || squares <= norm * norm ? 1 : norm / Math.sqrt(squares);
}
