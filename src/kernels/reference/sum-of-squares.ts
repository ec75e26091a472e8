/** Plain twin of assembly/sum-of-squares.ts: the same bits. Called by src/kernels/optimizer.ts where an array is too short for copies to pay, and by tests. */

/** Of the first `count` values, in four sums at a time: one would wait for every addition. */
export function referenceSumOfSquares(values: Float32Array, count: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = count & ~3;
  for (let k = 0; k < whole; k += 4) {
    a += values[k] * values[k];
    b += values[k + 1] * values[k + 1];
    c += values[k + 2] * values[k + 2];
    d += values[k + 3] * values[k + 3];
  }
  for (let k = whole; k < count; k++) a += values[k] * values[k];
  return a + b + (c + d);
}
