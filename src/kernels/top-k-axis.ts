/**
 * What the 4-bit pass of a search can make use of (assembly/top-k-int4.ts), found on some of the item vectors: a direction that most of
 * them share (the first eigenvector of Σ x xᵀ, by power iteration), without which rounding to 4 bits loses less, and leading
 * dimensions that hold most of the lengths, which are enough to leave most items out. Called by top-k.ts.
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

/** Squared lengths behind the leading words that may be left over: their bound is then small beside the spread of scores. */
const mostRest = 0.09;
/** Share of the words up to which leaving early is worth the second look at what stays. */
const mostLeading = 0.75;

/** Words of 8 dimensions that hold nearly all of the squared lengths without the axis; all words where these are not fewer. O(sample · dimensions). */
export function leadingWords(vectors: Float32Array, dimensions: number, axis: Float32Array | undefined): number {
  const numRows = vectors.length / dimensions;
  const step = Math.max(1, Math.floor(numRows / sampledRows));
  const words = Math.ceil(dimensions / 8);
  const squares = new Float64Array(words);
  for (let row = 0; row < numRows; row += step) {
    let along = 0;
    if (axis) for (let d = 0; d < dimensions; d++) along += vectors[row * dimensions + d] * axis[d];
    for (let d = 0; d < dimensions; d++) squares[d >> 3] += (vectors[row * dimensions + d] - along * (axis?.[d] ?? 0)) ** 2;
  }
  const all = squares.reduce((sum, one) => sum + one, 0);
  let rest = all;
  let leading = 0;
  while (leading < words && !(rest <= mostRest * all)) rest -= squares[leading++];
  return leading >= 1 && leading <= mostLeading * words ? leading : words;
}
