/**
 * Side features as a sparse design matrix F, one row per user or item: a 1 for every known category, standardised numbers, given
 * vectors divided by their root mean square length, and an intercept in every row that knows anything.
 * Unknown values add nothing. Text is left out: it needs a vocabulary of its own (content models have one).
 * Called by models/parts/als-priors.ts.
 */
import { DataError } from "../../core/errors.js";
import type { FeatureColumn, Features } from "../../core/features.js";
import type { Csr } from "../../core/interactions.js";

/** Rarer names of a category column count as unknown. */
const mostNames = 1000;
/** Columns of F: the embeddings are found by a dense solve of this size. */
const mostColumns = 2048;

/** Writes the entries of one row: (column, value) pairs. */
type Writer = (row: number, put: (column: number, value: number) => void) => void;

/** Throws DataError when the rows do not match or F would have more than 2048 columns. */
export function featureMatrix(features: Features, numRows: number, whose: "users" | "items"): Csr {
  if (features.numRows !== numRows) {
    throw new DataError(`The features of ${whose} have ${features.numRows} rows, but there are ${numRows} ${whose}.`, {
      hint: "Align the feature columns to the ids of the data.",
    });
  }
  let numColumns = 1; // the intercept
  const writers: Writer[] = [];
  for (const column of Object.values(features.columns)) {
    const made = writerOf(column, numColumns);
    if (!made) continue;
    writers.push(made.write);
    numColumns += made.width;
  }
  if (numColumns > mostColumns) {
    throw new DataError(`The features of ${whose} make ${numColumns} columns, but als takes at most ${mostColumns}.`, {
      hint: "Leave out columns with very many names, or give shorter vectors.",
    });
  }
  const offsets = new Int32Array(numRows + 1);
  const indices: number[] = [];
  const values: number[] = [];
  for (let row = 0; row < numRows; row++) {
    const before = indices.length;
    const put = (column: number, value: number) => {
      if (indices.length === before) {
        indices.push(0);
        values.push(1);
      }
      indices.push(column);
      values.push(value);
    };
    for (const write of writers) write(row, put);
    offsets[row + 1] = indices.length;
  }
  return { numRows, numColumns, offsets, indices: Int32Array.from(indices), values: Float32Array.from(values) };
}

function writerOf(column: FeatureColumn, first: number): { width: number; write: Writer } | undefined {
  switch (column.kind) {
    case "category":
      return categories(column.values, first);
    case "number":
      return numbers(column.values, first);
    case "vector":
      return vectors(column, first);
    case "text":
      return undefined;
  }
}

function categories(names: readonly (string | null)[], first: number) {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
  const kept = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, mostNames);
  const place = new Map(kept.map(([name], at) => [name, first + at]));
  const write: Writer = (row, put) => {
    const at = names[row] === null ? undefined : place.get(names[row]!);
    if (at !== undefined) put(at, 1);
  };
  return { width: kept.length, write };
}

function numbers(values: Float32Array | Float64Array, first: number) {
  const known = Array.from(values).filter(Number.isFinite);
  const mean = known.reduce((sum, value) => sum + value / known.length, 0);
  const sd = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2 / known.length, 0));
  const write: Writer = (row, put) => {
    if (Number.isFinite(values[row])) put(first, sd > 0 ? (values[row] - mean) / sd : 0);
  };
  return { width: 1, write };
}

function vectors({ values, dimensions }: { values: Float32Array; dimensions: number }, first: number) {
  const numRows = dimensions > 0 ? values.length / dimensions : 0;
  const rowOf = (row: number) => values.subarray(row * dimensions, (row + 1) * dimensions);
  let squares = 0;
  let known = 0;
  for (let row = 0; row < numRows; row++) {
    if (!rowOf(row).every(Number.isFinite)) continue;
    known++;
    for (const value of rowOf(row)) squares += value ** 2;
  }
  const scale = squares > 0 ? Math.sqrt(known / squares) : 0;
  const write: Writer = (row, put) => {
    const vector = rowOf(row);
    if (vector.every(Number.isFinite)) for (let d = 0; d < dimensions; d++) put(first + d, vector[d] * scale);
  };
  return { width: dimensions, write };
}
