/**
 * Plain twin of assembly/sparse-neighbours.ts: every pair in float64, sorted. Called by tests.
 */
import type { Csr } from "../../core/interactions.js";
import type { Neighbours, PairMeasure } from "../sparse-neighbours.js";

export function referenceNeighbours(matrix: Csr, count: number, measure: PairMeasure = {}): Neighbours {
  const { numRows, offsets, indices, values } = matrix;
  const { left, right, leftTerm, rightTerm, dotFactor = 0 } = measure;
  const rows = Array.from(
    { length: numRows },
    (_, row) => new Map(Array.from(indices.subarray(offsets[row], offsets[row + 1]), (column, k) => [column, values[offsets[row] + k]])),
  );
  const found = rows.map((row, r) => {
    const list: { index: number; value: number }[] = [];
    rows.forEach((other, s) => {
      let dot = 0;
      for (const [column, value] of row) dot += value * (other.get(column) ?? 0);
      const denominator = (left?.[r] ?? 1) * (right?.[s] ?? 1) + (leftTerm?.[r] ?? 0) + (rightTerm?.[s] ?? 0) + dotFactor * dot;
      if (s !== r && dot > 0) list.push({ index: s, value: Math.fround(dot / denominator) });
    });
    return list.sort((a, b) => b.value - a.value || a.index - b.index).slice(0, count);
  });
  const outOffsets = new Int32Array(numRows + 1);
  found.forEach((list, r) => {
    outOffsets[r + 1] = outOffsets[r] + list.length;
  });
  const all = found.flat();
  return {
    numRows,
    numColumns: numRows,
    offsets: outOffsets,
    indices: Int32Array.from(all, ({ index }) => index),
    values: Float32Array.from(all, ({ value }) => value),
  };
}
