/**
 * The direction that most item vectors share: the first eigenvector of Σ x xᵀ over some of them, by power iteration. Rounding to 4 bits
 * loses the least when it is taken out first (assembly/top-k-int4.ts). Called by top-k.ts.
 */

const sampledRows = 2048;
const iterations = 8;
/** Share of the squared lengths from which it is worth a number per item. */
const leastShare = 0.25;

/** Of length 1; undefined where no direction holds a quarter of the squared lengths, and for vectors that are not finite. O(sample · dimensions). */
export function commonAxis(vectors: Float32Array, dimensions: number): Float32Array | undefined {
  const numRows = vectors.length / dimensions;
  const step = Math.max(1, Math.floor(numRows / sampledRows));
  let axis = new Float64Array(dimensions);
  for (let row = 0; row < numRows; row += step) for (let d = 0; d < dimensions; d++) axis[d] += vectors[row * dimensions + d];
  let share = 0;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const length = Math.hypot(...axis);
    if (!(length > 0 && length < Number.POSITIVE_INFINITY)) return undefined;
    const next = new Float64Array(dimensions);
    let along = 0;
    let all = 0;
    for (let row = 0; row < numRows; row += step) {
      let product = 0;
      for (let d = 0, at = row * dimensions; d < dimensions; d++, at++) {
        product += (vectors[at] * axis[d]) / length;
        all += vectors[at] * vectors[at];
      }
      along += product * product;
      for (let d = 0, at = row * dimensions; d < dimensions; d++, at++) next[d] += product * vectors[at];
    }
    share = along / all;
    axis = next;
  }
  const length = Math.hypot(...axis);
  return share >= leastShare && length > 0 && length < Number.POSITIVE_INFINITY
    ? Float32Array.from(axis, (value) => value / length)
    : undefined;
}
