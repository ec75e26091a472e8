/**
 * The rows of a matrix most similar to one given row, found by walking the columns of that row: the answers of
 * kernels/sparse-neighbours.ts, bit for bit, for a row that may not be in the matrix. O(Σ over its columns of their lengths).
 * Called by user-knn to fold in a history.
 */
import type { Csr } from "../../core/interactions.js";
import { transpose } from "../../data/csr.js";
import { topOfRow } from "../../ranking/top-of-row.js";
import { type SimilarityProblem, sumOfSquares } from "./similarity.js";

/** Rows with their similarity, best first, equal ones by ascending index. */
export interface SimilarRows {
  index: Int32Array;
  value: Float32Array;
}

export type RowSearch = (row: { indices: Int32Array; weights: Float32Array }, count: number) => SimilarRows;

export function createRowSearch(problem: SimilarityProblem): RowSearch {
  const byColumn: Csr = transpose(problem.matrix);
  const dots = new Float64Array(problem.matrix.numRows);
  const scores = new Float32Array(problem.matrix.numRows);
  return (row, count) => {
    const values = problem.valuesOf(row);
    const squares = sumOfSquares(values);
    dots.fill(0);
    for (let k = 0; k < values.length; k++) {
      const end = byColumn.offsets[row.indices[k] + 1];
      for (let e = byColumn.offsets[row.indices[k]]; e < end; e++) dots[byColumn.indices[e]] += values[k] * byColumn.values[e];
    }
    for (let other = 0; other < scores.length; other++)
      scores[other] = dots[other] > 0 ? problem.pairValue(squares, problem.squares[other], dots[other]) : -Infinity;
    const index = new Int32Array(count);
    const value = new Float32Array(count);
    const found = topOfRow(scores, { itemIndex: index, score: value, at: 0, topK: count });
    return { index: index.slice(0, found), value: value.slice(0, found) };
  };
}
