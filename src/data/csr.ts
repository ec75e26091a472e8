/**
 * Compressed sparse rows by counting sort: O(events + rows), stable (entries keep input order).
 * Called by `data/interactions.ts`; models read the results.
 */
import type { Csr, EventCsr } from "../core/interactions.js";

export interface Triples {
  numRows: number;
  numColumns: number;
  /** −1 = leave the event out. */
  rows: Int32Array;
  columns: Int32Array;
  values: Float32Array;
}

/** Events grouped by row, in input order, with the position of each. */
export function groupEvents({ numRows, numColumns, rows, columns, values }: Triples): EventCsr {
  const offsets = new Int32Array(numRows + 1);
  for (let e = 0; e < rows.length; e++) if (rows[e] >= 0) offsets[rows[e] + 1]++;
  for (let r = 0; r < numRows; r++) offsets[r + 1] += offsets[r];
  const numEntries = offsets[numRows];
  const indices = new Int32Array(numEntries);
  const entryValues = new Float32Array(numEntries);
  const positions = new Int32Array(numEntries);
  const next = offsets.slice();
  for (let e = 0; e < rows.length; e++) {
    if (rows[e] < 0) continue;
    const at = next[rows[e]]++;
    indices[at] = columns[e];
    entryValues[at] = values[e];
    positions[at] = e;
  }
  return { numRows, numColumns, offsets, indices, values: entryValues, positions };
}

/** Rows become columns; within a row, columns ascend. */
export function transpose(csr: Csr): Csr {
  const { numRows, numColumns, offsets, indices, values } = csr;
  const outOffsets = new Int32Array(numColumns + 1);
  const numEntries = offsets[numRows];
  for (let e = 0; e < numEntries; e++) outOffsets[indices[e] + 1]++;
  for (let c = 0; c < numColumns; c++) outOffsets[c + 1] += outOffsets[c];
  const outIndices = new Int32Array(numEntries);
  const outValues = new Float32Array(numEntries);
  const next = outOffsets.slice();
  for (let r = 0; r < numRows; r++) {
    for (let e = offsets[r]; e < offsets[r + 1]; e++) {
      const at = next[indices[e]]++;
      outIndices[at] = r;
      outValues[at] = values[e];
    }
  }
  return { numRows: numColumns, numColumns: numRows, offsets: outOffsets, indices: outIndices, values: outValues };
}

/** One entry per (row, column): values of equal pairs summed in float64, columns ascending. */
export function sumDuplicates(csr: Csr): Csr {
  const sorted = transpose(transpose(csr)); // two stable counting sorts order the columns of every row
  const { numRows, numColumns, offsets, indices, values } = sorted;
  const outOffsets = new Int32Array(numRows + 1);
  let end = 0;
  for (let r = 0; r < numRows; r++) {
    for (let e = offsets[r]; e < offsets[r + 1]; ) {
      const column = indices[e];
      let sum = 0;
      for (; e < offsets[r + 1] && indices[e] === column; e++) sum += values[e];
      indices[end] = column;
      values[end++] = sum;
    }
    outOffsets[r + 1] = end;
  }
  return { numRows, numColumns, offsets: outOffsets, indices: indices.slice(0, end), values: values.slice(0, end) };
}
