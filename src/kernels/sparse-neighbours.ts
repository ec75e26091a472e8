/**
 * Nearest rows of a sparse non-negative matrix: binding of assembly/sparse-neighbours.ts.
 *   value(r, s) = dot / (left_r · right_s + leftTerm_r + rightTerm_s + dotFactor · dot),  dot = row_r · row_s
 * One form for cosine (left = right = norms), Jaccard (terms = lengths, dotFactor −1), conditional probability, random walks
 * and plain products; shrinkage is part of a term. Work: Σ over columns of length² / 2 multiply-adds; memory: 16 bytes an
 * entry, 8 bytes for each of the rows × count results, 12 bytes a row for each thread. Called by models/parts/neighbours.ts.
 */
import { KernelError } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";
import { createPacer } from "../core/pacer.js";
import { type Arena, type ArenaOptions, createArena } from "./arena.js";

/** Denominator of the value; an array left out is 1 (left, right) or 0 (terms) everywhere. */
export interface PairMeasure {
  left?: Float64Array;
  right?: Float64Array;
  leftTerm?: Float64Array;
  rightTerm?: Float64Array;
  /** Default 0. */
  dotFactor?: number;
}

export interface NeighbourOptions extends ArenaOptions {
  /** Neighbours of each row, 1 or more. */
  count: number;
  measure?: PairMeasure;
  signal?: AbortSignal;
  /** Multiply-adds done, and of how many. */
  onProgress?: (done: number, total: number) => void;
}

/** Neighbours of row r at [offsets[r], offsets[r + 1]), best first, equal values by ascending index; the row itself is not among them. */
export type Neighbours = Csr;

type Block = "rowOffsets" | "starts" | "ends" | "indices" | "values" | "measure" | "names" | "worst" | "locks" | "lists";

const segments = 32;

/**
 * The `count` rows of largest positive value for every row of `matrix` (each column once in a row, values ≥ 0; zeros count as absent).
 * The measure must give a positive denominator and values within float32. The same bits for any number of threads.
 * Throws KernelError on misshapen input or when more than 4 GiB are needed, CancelledError on abort.
 */
export async function sparseNeighbours(matrix: Csr, options: NeighbourOptions): Promise<Neighbours> {
  const { signal, onProgress } = options;
  checkInput(matrix, options);
  const { numRows } = matrix;
  const size = Math.max(1, Math.min(options.count, numRows - 1));
  const entries = matrix.offsets[numRows];
  const evenRows = numRows + (numRows & 1);
  const arena = await createArena<Block>(
    {
      purpose: `The ${size} nearest of ${numRows} rows with ${entries} entries`,
      hint: "Ask for fewer neighbours, or drop rows and columns with very few entries.",
      blocks: {
        rowOffsets: (numRows + 1) * 4,
        starts: entries * 4,
        ends: entries * 4,
        indices: entries * 4,
        values: entries * 4,
        measure: numRows * 32,
        names: numRows * 4,
        worst: numRows * 8,
        locks: numRows * 4,
        lists: numRows * size * 8,
      },
      scratchBytes: evenRows * 8 + numRows * 4,
    },
    options,
  );
  try {
    const at = arena.pointers;
    const names = byLength(matrix);
    arena.int32("names", numRows).set(names);
    writeMeasure(arena.float64("measure", numRows * 4), names, options.measure ?? {});
    const work = await layOut(arena, matrix, { names, signal });
    const lists = [at.lists, size];
    await arena.parallel("clearNeighbours", { count: numRows, chunk: 1024, args: lists }, signal);
    for (let from = 0; from < numRows; ) {
      let to = from + 1;
      while (to < numRows && work[to] - work[from] < work[numRows] / segments) to++;
      const columns = [at.rowOffsets, at.starts, at.ends, at.indices, at.values, at.measure];
      const args = [from, numRows, ...columns, options.measure?.dotFactor ?? 0, at.names, at.worst, at.locks, ...lists];
      await arena.parallel("sparseNeighbours", { count: to - from, chunk: to - from > 4096 ? 32 : 1, args }, signal);
      onProgress?.(work[to], work[numRows]);
      from = to;
    }
    await arena.parallel("sortNeighbours", { count: numRows, chunk: 256, args: lists }, signal);
    return copyOut(arena, names, size);
  } finally {
    arena.dispose();
  }
}

/** Rows by falling number of entries, so that the longest start first and the often met ones stand together. */
function byLength({ numRows, offsets }: Csr): Int32Array {
  const length = (row: number) => offsets[row + 1] - offsets[row];
  return Int32Array.from({ length: numRows }, (_, row) => row).sort((a, b) => length(b) - length(a) || a - b);
}

function writeMeasure(target: Float64Array, names: Int32Array, { left, right, leftTerm, rightTerm }: PairMeasure): void {
  names.forEach((row, rank) => {
    target.set([left?.[row] ?? 1, right?.[row] ?? 1, leftTerm?.[row] ?? 0, rightTerm?.[row] ?? 0], rank * 4);
  });
}

/** Writes both forms of the matrix, rows by rank; returns the multiply-adds before each rank. */
async function layOut(
  arena: Arena<Block>,
  { numRows, numColumns, offsets, indices, values }: Csr,
  { names, signal }: { names: Int32Array; signal?: AbortSignal },
): Promise<Float64Array> {
  const entries = offsets[numRows];
  const columnOffsets = new Int32Array(numColumns + 1);
  for (let e = 0; e < entries; e++) if (values[e] > 0) columnOffsets[indices[e] + 1]++;
  for (let c = 0; c < numColumns; c++) columnOffsets[c + 1] += columnOffsets[c];
  const [rowOffsets, starts, ends, ranks] = [
    arena.int32("rowOffsets", numRows + 1),
    arena.int32("starts", entries),
    arena.int32("ends", entries),
    arena.int32("indices", entries),
  ];
  const columnValues = arena.float32("values", entries);
  const next = columnOffsets.slice();
  const work = new Float64Array(numRows + 1);
  const pace = createPacer(signal);
  let k = 0;
  for (let rank = 0, sinceBreak = 0; rank < numRows; rank++) {
    const row = names[rank];
    let visits = 0;
    for (let e = offsets[row]; e < offsets[row + 1]; e++) {
      if (!(values[e] > 0)) continue;
      const column = indices[e];
      const place = next[column]++;
      ranks[place] = rank;
      columnValues[place] = values[e];
      starts[k] = place + 1;
      ends[k++] = columnOffsets[column + 1];
      visits += columnOffsets[column + 1] - place - 1;
    }
    rowOffsets[rank + 1] = k;
    work[rank + 1] = work[rank] + visits;
    sinceBreak += offsets[row + 1] - offsets[row];
    if (sinceBreak < 65536) continue;
    await pace();
    sinceBreak = 0;
  }
  return work;
}

function copyOut(arena: Arena<Block>, names: Int32Array, size: number): Neighbours {
  const numRows = names.length;
  const found = arena.int32("lists", numRows * size * 2);
  const scores = arena.float32("lists", numRows * size * 2);
  const offsets = new Int32Array(numRows + 1);
  const lengthOf = (rank: number) => {
    let length = 0;
    while (length < size && found[(rank * size + length) * 2 + 1] >= 0) length++;
    return length;
  };
  names.forEach((row, rank) => {
    offsets[row + 1] = lengthOf(rank);
  });
  for (let row = 0; row < numRows; row++) offsets[row + 1] += offsets[row];
  const indices = new Int32Array(offsets[numRows]);
  const values = new Float32Array(offsets[numRows]);
  names.forEach((row, rank) => {
    for (let e = offsets[row], place = rank * size * 2; e < offsets[row + 1]; e++, place += 2) {
      values[e] = scores[place];
      indices[e] = found[place + 1];
    }
  });
  return { numRows, numColumns: numRows, offsets, indices, values };
}

function checkInput({ numRows, numColumns, offsets, indices, values }: Csr, { count, measure = {} }: NeighbourOptions): void {
  const fail = (message: string) => {
    throw new KernelError(`The search for neighbours cannot start: ${message}.`, { hint: "Pass a matrix and a measure of its size." });
  };
  if (!(Number.isInteger(count) && count >= 1)) fail(`count is ${count}, not a whole number from 1 on`);
  if (offsets.length !== numRows + 1 || indices.length < offsets[numRows] || values.length < offsets[numRows])
    fail("the arrays of the matrix do not fit each other");
  for (let e = 0; e < offsets[numRows]; e++) {
    if (!(values[e] >= 0 && values[e] < Infinity)) fail(`entry ${e} has the value ${values[e]}, not a number from 0 on`);
    if (!(indices[e] >= 0 && indices[e] < numColumns)) fail(`entry ${e} names column ${indices[e]} of ${numColumns}`);
  }
  for (const [name, array] of Object.entries(measure))
    if (array instanceof Float64Array && array.length !== numRows)
      fail(`${name} has ${array.length} values, but there are ${numRows} rows`);
}
