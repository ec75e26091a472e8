/**
 * Plain twin of assembly/adam.ts: the same bits. Called by src/kernels/optimizer.ts where a range is too short for copies to pay, and by tests.
 */

/** A parameter, or the rows of a table, with its moments; updated in place. */
export interface AdamState {
  values: Float32Array;
  first: Float32Array;
  second: Float32Array;
}

/** What is the same for all values of a step. */
export interface AdamStep {
  /** What gradients are multiplied by. */
  scale: number;
  /** Share of a value that weight decay leaves. */
  kept: number;
  /** Learning rate with the corrections for the first steps. */
  size: number;
  epsilon: number;
}

/** Values at … at + count take a step by gradient from … from + count. */
export interface AdamRange {
  at: number;
  from: number;
  count: number;
}

const [BETA1, BETA2] = [0.9, 0.999];

export function referenceAdam(
  { values, first, second }: AdamState,
  gradient: Float32Array,
  { at, from, count }: AdamRange,
  { scale, kept, size, epsilon }: AdamStep,
): void {
  if (kept !== 1) for (let i = at; i < at + count; i++) values[i] *= kept;
  for (let k = 0; k < count; k++) {
    const i = at + k;
    const g = scale * gradient[from + k];
    const mean = first[i] + (g - first[i]) * (1 - BETA1);
    const squares = second[i] + (g * g - second[i]) * (1 - BETA2);
    first[i] = mean;
    second[i] = squares;
    values[i] -= (size * mean) / (Math.sqrt(squares) + epsilon);
  }
}
