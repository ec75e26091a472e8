/** Scales that keep squares of any weights in the range of float32 without rounding them: powers of two. Called by ease.ts and slim.ts. */

/** The power of two at or below `value`; 1 for 0. */
export function powerOfTwoBelow(value: number): number {
  return value > 0 ? 2 ** Math.floor(Math.log2(value)) : 1;
}

export function largestValue(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

export function scaledValues(values: Float32Array, factor: number): Float32Array {
  return values.map((value) => value * factor);
}
