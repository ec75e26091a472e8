/**
 * Between the vectors of a ranking model fitted by SGD and the rows of its kernels. Vectors, row-major:
 *   user = (factors, 1) or (factors, 1, user bias),  item = (factors, bias) or (factors, bias, 1),  so that score = user · item.
 * Called by sgd-fit.ts and sgd-model.ts.
 */
import { createRandom } from "../../core/random.js";
import { resetOptimizer, rowLength, type SgdOptimizer, valueLength } from "../../kernels/ranking-sgd-layout.js";

export interface VectorShape {
  factors: number;
  /** Whether users have a bias: vectors are then factors + 2 long, else factors + 1. */
  userBias: boolean;
}

export const vectorLength = ({ factors, userBias }: VectorShape): number => factors + (userBias ? 2 : 1);

/** Rows before the first step: factors normal with standard deviation initScale / √factors, biases 0. */
export function initialRows(
  numRows: number,
  { factors, optimizer, initScale, seed }: { factors: number; optimizer: SgdOptimizer; initScale: number; seed: number },
): Float32Array {
  const length = rowLength(factors, optimizer);
  const random = createRandom(seed);
  const rows = new Float32Array(numRows * length);
  const sd = initScale / Math.sqrt(factors);
  for (let row = 0; row < rows.length; row += length) for (let k = 0; k < factors; k++) rows[row + k] = sd * random.normal();
  resetOptimizer(rows, factors, optimizer);
  return rows;
}

/** Writes the values of vectors over the first rows; what the optimizer keeps stays. */
export function writeVectors(
  rows: Float32Array,
  vectors: Float32Array,
  side: "user" | "item",
  shape: VectorShape & { optimizer: SgdOptimizer },
): void {
  const [length, dimensions] = [rowLength(shape.factors, shape.optimizer), vectorLength(shape)];
  const bias = biasPlace(side, shape);
  for (let v = 0, row = 0; v < vectors.length; v += dimensions, row += length) {
    rows.set(vectors.subarray(v, v + shape.factors), row);
    rows[row + valueLength(shape.factors) - 4] = bias < 0 ? 0 : vectors[v + bias];
  }
}

/** Vectors of rows that are `length` floats long (rowLength, or valueLength where there are values only). */
export function vectorsOfRows(rows: Float32Array, side: "user" | "item", length: number, shape: VectorShape): Float32Array<ArrayBuffer> {
  const { factors } = shape;
  const dimensions = vectorLength(shape);
  const bias = biasPlace(side, shape);
  const vectors = new Float32Array((rows.length / length) * dimensions);
  for (let v = 0, row = 0; v < vectors.length; v += dimensions, row += length) {
    vectors.set(rows.subarray(row, row + factors), v);
    vectors.fill(1, v + factors, v + dimensions);
    if (bias >= 0) vectors[v + bias] = rows[row + valueLength(factors) - 4];
  }
  return vectors;
}

/** Values of item rows, numItems × valueLength. */
export function valuesOfItems(vectors: Float32Array, shape: VectorShape): Float32Array {
  const values = new Float32Array((vectors.length / vectorLength(shape)) * valueLength(shape.factors));
  writeVectors(values, vectors, "item", { ...shape, optimizer: "sgd" });
  return values;
}

/** The factors alone, rows × factors. */
export function factorsOf(vectors: Float32Array, shape: VectorShape): Float32Array {
  const [{ factors }, dimensions] = [shape, vectorLength(shape)];
  const out = new Float32Array((vectors.length / dimensions) * factors);
  for (let v = 0, row = 0; v < vectors.length; v += dimensions, row += factors) out.set(vectors.subarray(v, v + factors), row);
  return out;
}

/** Where a vector holds its own bias; −1 for users without one. */
function biasPlace(side: "user" | "item", { factors, userBias }: VectorShape): number {
  return side === "item" ? factors : userBias ? factors + 1 : -1;
}
