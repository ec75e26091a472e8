/**
 * Item vectors turned into the basis of their principal axes, the longest first: products, and so lists, stay as they are, up to rounding,
 * but most of each product comes from the leading dimensions, so that a search can leave most items early (kernels/top-k-axis.ts).
 * Called by content.ts.
 */
import { createPacer } from "../../core/pacer.js";
import { largestEigenvectors } from "./symmetric-eigen.js";

/** Rows by which the axes are found. */
const sampledRows = 20_000;
/** Values from which a search goes through the quantised pass that makes use of it. */
const leastValues = 2 ** 21;
/** Multiply-adds of the turn, about half a minute; beyond it vectors stay as they are. */
const mostWork = 3e10;
const rowsPerSlice = 1024;

/**
 * `vectors`: rows of `dimensions`, turned in place. They stay as they are where it would not help (small tables, lengths spread over all
 * axes) or take too long (O(rows · dimensions²)), or where the sample does not span the space. Throws CancelledError on `signal`.
 */
export async function turnToPrincipalAxes(vectors: Float32Array, dimensions: number, signal?: AbortSignal): Promise<void> {
  const numRows = vectors.length / dimensions;
  if (vectors.length < leastValues || vectors.length * dimensions > mostWork) return;
  const pace = createPacer(signal);
  const moments = await secondMoments(vectors, dimensions, pace);
  const axes = await largestEigenvectors(moments, dimensions, pace);
  if (!isBasis(axes, dimensions) || !isWorthIt(axes, moments, dimensions)) return;
  const turned = new Float64Array(dimensions);
  for (let row = 0; row < numRows; row++) {
    if (row % rowsPerSlice === 0) await pace();
    const own = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    for (let k = 0; k < dimensions; k++) {
      let sum = 0;
      for (let d = 0, at = k * dimensions; d < dimensions; d++, at++) sum += axes[at] * own[d];
      turned[k] = sum;
    }
    own.set(turned);
  }
}

async function secondMoments(vectors: Float32Array, dimensions: number, pace: () => Promise<void>): Promise<Float64Array> {
  const numRows = vectors.length / dimensions;
  const step = Math.max(1, Math.floor(numRows / sampledRows));
  const moments = new Float64Array(dimensions * dimensions);
  for (let row = 0; row < numRows; row += step) {
    if (row % rowsPerSlice < step) await pace();
    const own = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    for (let a = 0; a < dimensions; a++) for (let b = 0; b <= a; b++) moments[a * dimensions + b] += own[a] * own[b];
  }
  for (let a = 0; a < dimensions; a++) for (let b = 0; b < a; b++) moments[b * dimensions + a] = moments[a * dimensions + b];
  return moments;
}

/** Axes without length stand for directions that the sample does not know. */
function isBasis(axes: Float64Array | Float32Array, dimensions: number): boolean {
  for (let k = 0; k < dimensions; k++) {
    let squares = 0;
    for (let d = 0; d < dimensions; d++) squares += axes[k * dimensions + d] ** 2;
    if (!(Math.abs(squares - 1) < 1e-9)) return false;
  }
  return true;
}

/** Whether three quarters of the axes hold nine tenths of the squared lengths behind the first, which a search takes out anyway where it rules. */
function isWorthIt(axes: Float64Array | Float32Array, moments: Float64Array, dimensions: number): boolean {
  const lengths = Array.from({ length: dimensions }, (_, k) => {
    let sum = 0;
    for (let a = 0; a < dimensions; a++)
      for (let b = 0; b < dimensions; b++) sum += axes[k * dimensions + a] * moments[a * dimensions + b] * axes[k * dimensions + b];
    return sum;
  });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return sum(lengths.slice(Math.floor(0.75 * dimensions))) <= 0.1 * sum(lengths.slice(1));
}
