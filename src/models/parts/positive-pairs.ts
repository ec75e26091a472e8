/** The pairs of a matrix that say something: an event of weight 0 is none to models that count pairs. Called by ease and slim. */
import type { Csr } from "../../core/interactions.js";

/** `matrix` without values of 0; `matrix` itself where it has none. */
export function positivePairs(matrix: Csr): Csr {
  const { offsets, indices, values } = matrix;
  if (values.every((value) => value > 0)) return matrix;
  const kept = new Int32Array(offsets.length);
  for (let row = 0, count = 0; row < matrix.numRows; row++) {
    for (let e = offsets[row]; e < offsets[row + 1]; e++) if (values[e] > 0) count++;
    kept[row + 1] = count;
  }
  return { ...matrix, offsets: kept, indices: indices.filter((_, e) => values[e] > 0), values: values.filter((value) => value > 0) };
}
