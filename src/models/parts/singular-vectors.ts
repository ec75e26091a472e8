/**
 * The leading right singular vectors of a sparse matrix R by subspace iteration from a seeded random start, in float64:
 *   Q ← orthonormal basis of RᵀR Q, some rounds; then the eigenvectors of Qᵀ RᵀR Q turn Q into singular vectors.
 * Halko, Martinsson & Tropp (2011), Finding structure with randomness, algorithm 4.4. A round costs 4 · entries · (count + 16)
 * and columns · (count + 16)² multiply-adds. Called by gf-cf.
 */
import type { Csr } from "../../core/interactions.js";
import { createRandom } from "../../core/random.js";
import { largestEigenvectors } from "./symmetric-eigen.js";

export interface SingularVectorOptions {
  /** Vectors wanted; at most the smaller side of the matrix makes sense. */
  count: number;
  rounds: number;
  seed: number;
  /** Basis after `round` rounds, to go on from. */
  resumeFrom?: { round: number; basis: Float64Array };
  /** After each round, with the basis as it stands (vector after vector). */
  onRound?: (round: number, basis: Float64Array) => Promise<void>;
  /** Called every few thousand steps. */
  pace: () => Promise<void>;
}

/** Vectors tried beside those wanted: they make the last wanted ones converge. */
const extra = 16;

/** numColumns × count, row-major, largest singular value first; vectors beyond the rank of the matrix are 0. */
export async function rightSingularVectors(matrix: Csr, options: SingularVectorOptions): Promise<Float64Array> {
  const { count, rounds, seed, resumeFrom, onRound, pace } = options;
  const length = matrix.numColumns;
  const width = Math.min(count + extra, length);
  let basis: Float64Array;
  if (resumeFrom) basis = resumeFrom.basis.slice();
  else {
    const random = createRandom(seed);
    basis = Float64Array.from({ length: width * length }, () => random.normal());
    await orthonormalize(basis, length, pace);
  }
  for (let round = (resumeFrom?.round ?? 0) + 1; round <= rounds; round++) {
    basis = await gramTimes(matrix, basis, pace);
    await orthonormalize(basis, length, pace);
    await onRound?.(round, basis);
  }
  const image = await gramTimes(matrix, basis, pace);
  const projected = new Float64Array(width * width);
  for (let a = 0; a < width; a++) {
    await pace();
    for (let b = 0; b <= a; b++) projected[a * width + b] = projected[b * width + a] = dot(basis, a * length, image, b * length, length);
  }
  const rotation = await largestEigenvectors(projected, width, pace);
  const vectors = new Float64Array(length * count);
  for (let column = 0; column < length; column++) {
    if (column % 256 === 0) await pace();
    for (let k = 0; k < Math.min(count, width); k++) {
      let sum = 0;
      for (let a = 0; a < width; a++) sum += rotation[k * width + a] * basis[a * length + column];
      vectors[column * count + k] = sum;
    }
  }
  return vectors;
}

/** RᵀR times each vector of `basis`; inside, the values of all vectors at one column stand side by side. */
async function gramTimes(matrix: Csr, basis: Float64Array, pace: () => Promise<void>): Promise<Float64Array> {
  const { numRows, numColumns: length, offsets, indices, values } = matrix;
  const width = basis.length / length;
  const source = transposed(basis, width, length);
  const target = new Float64Array(basis.length);
  const row = new Float64Array(width);
  for (let r = 0, work = 0; r < numRows; r++) {
    row.fill(0);
    for (let e = offsets[r]; e < offsets[r + 1]; e++) {
      const [value, at] = [values[e], indices[e] * width];
      for (let k = 0; k < width; k++) row[k] += value * source[at + k];
    }
    for (let e = offsets[r]; e < offsets[r + 1]; e++) {
      const [value, at] = [values[e], indices[e] * width];
      for (let k = 0; k < width; k++) target[at + k] += value * row[k];
    }
    work += (offsets[r + 1] - offsets[r]) * width;
    if (work < 2 ** 20) continue;
    await pace();
    work = 0;
  }
  return transposed(target, length, width);
}

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c];
  return out;
}

/** Modified Gram–Schmidt, each vector twice; what depends on the vectors before it becomes 0. */
async function orthonormalize(basis: Float64Array, length: number, pace: () => Promise<void>): Promise<void> {
  for (let at = 0; at < basis.length; at += length) {
    await pace();
    const before = dot(basis, at, basis, at, length);
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < at; other += length) {
        const share = dot(basis, at, basis, other, length);
        for (let k = 0; k < length; k++) basis[at + k] -= share * basis[other + k];
      }
    }
    const after = dot(basis, at, basis, at, length);
    const scale = after > 1e-20 * before ? 1 / Math.sqrt(after) : 0;
    for (let k = 0; k < length; k++) basis[at + k] *= scale;
  }
}

function dot(a: Float64Array, from: number, b: Float64Array, other: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += a[from + k] * b[other + k];
  return sum;
}
