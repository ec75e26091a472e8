/**
 * The central data types that every layer shares: observed events, the id maps beside them,
 * and their compressed-sparse-row (CSR) forms. Built by `data/interactions.ts`; only types here.
 */

/** External string id ↔ dense int32 index, in order of first appearance. */
export interface IdMap {
  readonly size: number;
  /** The id at `index`; throws NotFoundError outside [0, size). */
  idOf(index: number): string;
  /** The index of `id`, or −1 when it is unknown. */
  indexOf(id: string): number;
  /** All ids, by index. */
  ids(): Iterable<string>;
}

/** Compressed sparse rows. Entries of row r stand at [offsets[r], offsets[r + 1]). */
export interface Csr {
  readonly numRows: number;
  readonly numColumns: number;
  /** Length numRows + 1. */
  readonly offsets: Int32Array;
  /** Column of each entry. */
  readonly indices: Int32Array;
  /** Value of each entry (summed weight, or the weight of one event). */
  readonly values: Float32Array;
}

/** CSR of single events: as `Csr`, entries in input order, with the row of `Interactions` each came from. */
export interface EventCsr extends Csr {
  /** Position of each entry in the columns of `Interactions`. */
  readonly positions: Int32Array;
}

/** Largest weight of an event: sums and confidences of such weights still fit float32. */
export const MAX_WEIGHT = Math.fround(1e30);

/** Per-event columns beside the fixed ones (review text, device …), each of length numInteractions. */
export type Columns = Readonly<Record<string, readonly string[] | Float32Array | Float64Array | Int32Array>>;

/**
 * Observed events in input order, duplicates kept.
 * `userIndex` −1 means an unknown user (kept: its item still counts for popularity).
 */
export interface Interactions {
  readonly numUsers: number;
  readonly numItems: number;
  /** Number of events (rows). */
  readonly numInteractions: number;
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
  /** Strength of each event, from 0 to `MAX_WEIGHT`; all 1 when the source has none. */
  readonly weight: Float32Array;
  /** Milliseconds since 1970 UTC. */
  readonly timestamp: Float64Array | undefined;
  /** Order, invoice or session number of each event; −1 for none. */
  readonly basket: Int32Array | undefined;
  readonly context: Columns | undefined;
  readonly users: IdMap;
  readonly items: IdMap;
  /** Events by user, input order; events of unknown users left out. Computed once. */
  eventsByUser(): EventCsr;
  /** Events by item, input order, unknown users included: `indices` are user indexes (−1 possible). Computed once. */
  eventsByItem(): EventCsr;
  /** User × item matrix: weights of equal pairs summed, columns ascending, unknown users left out. Computed once. */
  matrixByUser(): Csr;
  /** Item × user matrix: the transpose of `matrixByUser`. Computed once. */
  matrixByItem(): Csr;
}
