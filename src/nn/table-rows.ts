/** Rows of embedding tables: gathered, added up, and summed by bags. Called by sparse-table.ts and by what reads a table only. */

/** Weighted sums of rows: bag b holds rows[offsets[b]] … rows[offsets[b + 1] − 1]. */
export interface Bags {
  offsets: Int32Array;
  rows: Int32Array;
  weights: Float32Array;
}

/** Adds rows to those of `held` at their places, none for a negative one. Four values at a time: short loops over a row cost twice as much. */
export function addRows(
  held: Float32Array,
  { places, dimensions }: { places: Int32Array; dimensions: number },
  gradients: Float32Array,
): void {
  for (let k = 0, from = 0; k < places.length; k++, from += dimensions) {
    if (places[k] < 0) continue;
    let to = places[k] * dimensions;
    let at = from;
    for (const last = from + dimensions - 3; at < last; at += 4, to += 4) {
      held[to] += gradients[at];
      held[to + 1] += gradients[at + 1];
      held[to + 2] += gradients[at + 2];
      held[to + 3] += gradients[at + 3];
    }
    for (const end = from + dimensions; at < end; at++, to++) held[to] += gradients[at];
  }
}

/** Σ weight · row of each bag, for a table without training state: bags × dimensions into `out`. */
export function sumBags(
  values: Float32Array,
  { offsets, rows, weights, dimensions }: Bags & { dimensions: number },
  out: Float32Array,
): void {
  out.fill(0, 0, (offsets.length - 1) * dimensions);
  for (let bag = 0; bag + 1 < offsets.length; bag++) {
    for (let k = offsets[bag]; k < offsets[bag + 1]; k++) {
      const [weight, from, to] = [weights[k], rows[k] * dimensions, bag * dimensions];
      for (let d = 0; d < dimensions; d++) out[to + d] += weight * values[from + d];
    }
  }
}

/** A table that is only read. */
export interface FrozenTable {
  /** Row-major. */
  readonly values: Float32Array;
  readonly dimensions: number;
  /** As `SparseTable.gather`. */
  gather(rows: Int32Array, out: Float32Array): void;
}

export function frozenTable(values: Float32Array, dimensions: number): FrozenTable {
  return { values, dimensions, gather: (rows, out) => gatherRows(values, { rows, dimensions }, out) };
}

/** From so many values on a row is copied faster as a whole. */
const LONG_ROW = 64;

export function gatherRows(values: Float32Array, { rows, dimensions }: { rows: Int32Array; dimensions: number }, out: Float32Array): void {
  for (let k = 0, to = 0; k < rows.length; k++) {
    const end = to + dimensions;
    let at = rows[k] * dimensions;
    if (at < 0) out.fill(0, to, end);
    else if (dimensions >= LONG_ROW) out.set(values.subarray(at, at + dimensions), to);
    else {
      for (; to < end - 3; at += 4, to += 4) {
        out[to] = values[at];
        out[to + 1] = values[at + 1];
        out[to + 2] = values[at + 2];
        out[to + 3] = values[at + 3];
      }
      for (; to < end; at++, to++) out[to] = values[at];
    }
    to = end;
  }
}
