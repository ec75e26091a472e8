/**
 * Lists of neighbour users: the asker put among them, and what each item of a history adds to a score through them.
 * Called by user-knn.
 */
import type { Csr } from "../../core/interactions.js";
import type { Explanation, ScoredRows } from "../../core/model.js";
import type { SimilarRows } from "./row-search.js";
import type { SimilarityProblem } from "./similarity.js";
import type { HistoryRow } from "./user-history.js";

/** Row r enters its own list by its value with itself; the best `count` stay, equal values by ascending index. */
export function bestWithSelf({ numRows, offsets, indices, values }: Csr, self: (row: number) => number, count: number): Csr {
  const outOffsets = new Int32Array(numRows + 1);
  const outIndices = new Int32Array(indices.length + numRows);
  const outValues = new Float32Array(indices.length + numRows);
  let end = 0;
  for (let row = 0; row < numRows; row++) {
    const own = self(row);
    const full = end + count;
    let placed = !(own > 0);
    const add = (index: number, value: number) => {
      if (end === full) return;
      outIndices[end] = index;
      outValues[end++] = value;
    };
    for (let e = offsets[row]; e < offsets[row + 1]; e++) {
      if (!placed && (own > values[e] || (own === values[e] && row < indices[e]))) {
        add(row, own);
        placed = true;
      }
      add(indices[e], values[e]);
    }
    if (!placed) add(row, own);
    outOffsets[row + 1] = end;
  }
  return { numRows, numColumns: numRows, offsets: outOffsets, indices: outIndices.slice(0, end), values: outValues.slice(0, end) };
}

/** The first `count` rows that are not `row`. */
export function withoutSelf({ index, value }: SimilarRows, row: number, count: number): ScoredRows {
  const others = [...index.keys()].filter((k) => index[k] !== row).slice(0, count);
  return { index: Int32Array.from(others, (k) => index[k]), score: Float32Array.from(others, (k) => value[k]) };
}

interface Explained {
  row: HistoryRow;
  itemIndex: number;
  seen: Csr;
  problem: SimilarityProblem;
  weigh: (weight: number) => number;
}

/** score = Σ_v s(u, v) x_vi and s = Σ_j y_uj y_vj / denominator: item j of the history adds Σ_v x_vi s(u, v) y_uj y_vj / dot(u, v). */
export function explainByNeighbours({ index, value }: SimilarRows, { row, itemIndex, seen, problem, weigh }: Explained): Explanation {
  const { offsets, indices } = seen;
  const ownValues = problem.valuesOf(row);
  const place = new Map(Array.from(row.indices, (item, k) => [item, k]));
  const shares = new Float64Array(row.indices.length);
  let score = 0;
  for (let n = 0; n < index.length; n++) {
    const [from, to] = [offsets[index[n]], offsets[index[n] + 1]];
    const at = indices.subarray(from, to).indexOf(itemIndex);
    if (at < 0) continue;
    const given = value[n] * weigh(seen.values[from + at]);
    score += given;
    const products: [number, number][] = [];
    let dot = 0;
    for (let e = from; e < to; e++) {
      const k = place.get(indices[e]);
      if (k === undefined) continue;
      const product = ownValues[k] * problem.matrix.values[e];
      products.push([k, product]);
      dot += product;
    }
    for (const [k, product] of products) shares[k] += given * (product / dot);
  }
  const order = [...shares.keys()].filter((k) => shares[k] !== 0);
  const contribution = Float32Array.from(shares);
  order.sort((a, b) => contribution[b] - contribution[a] || row.indices[a] - row.indices[b]);
  return {
    score: Math.fround(score),
    base: 0,
    itemIndex: Int32Array.from(order, (k) => row.indices[k]),
    contribution: Float32Array.from(order, (k) => contribution[k]),
  };
}
