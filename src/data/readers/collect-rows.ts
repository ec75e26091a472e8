/**
 * Takes the checked rows of a scan over into typed arrays: kept rows become indexes, weights and times, rejected ones are counted
 * under their reason with the first as example. Memory: 12 to 24 bytes per kept row, ids and properties once each.
 */
import type { DuckDBDataChunk, DuckDBVector } from "@duckdb/node-api";
import type { IdMap } from "../../core/interactions.js";
import { IdCollector } from "./id-collector.js";
import { PropertyCollector } from "./property-collector.js";
import { BLANK } from "./row-checks.js";
import type { Session } from "./session.js";

export interface CollectedRows {
  /** Rows of the scan that are rows (blank lines are not). */
  rows: number;
  kept: number;
  userIndex: Int32Array;
  itemIndex: Int32Array;
  basket: Int32Array | undefined;
  timestamp: Float64Array | undefined;
  weight: Float32Array | undefined;
  users: IdMap;
  items: IdMap;
  properties: (string | number | null)[][];
  /** A text of each kept row, column by column. */
  texts: string[][];
  /** By reason number − 1; undefined where no row was rejected so. `ordinal` counts the records of the scan from 1. */
  rejected: ({ count: number; line: number; ordinal: number; value: string } | undefined)[];
}

const BLOCK = 1 << 18;

export interface CollectOptions {
  estimatedRows: number;
  onRows?: (rows: number) => void;
}

/** Scans `sql` (see `CheckedRows.sql`) once, in order. `onRows` hears the number of rows so far, now and then. */
export async function collectRows(session: Session, sql: string, { estimatedRows, onRows }: CollectOptions): Promise<CollectedRows> {
  const result = await session.stream(sql);
  const names = result.columnNames();
  const column = (name: string) => names.indexOf(name);
  const has = (name: string) => column(name) >= 0;
  const users = new IdCollector();
  const items = new IdCollector();
  const baskets = new IdCollector({ keepIds: false });
  const properties = Array.from({ length: names.filter((name) => /^p\d+$/.test(name)).length }, () => new PropertyCollector());
  const texts = names.filter((name) => /^t\d+$/.test(name)).map((): string[] => []);
  const columns = {
    user: new Blocks(Int32Array),
    item: new Blocks(Int32Array),
    basket: has("basket") ? new Blocks(Int32Array) : undefined,
    timestamp: has("timestamp") ? new Blocks(Float64Array) : undefined,
    weight: has("weight") ? new Blocks(Float32Array) : undefined,
  };
  const rejected: CollectedRows["rejected"] = [];
  let records = 0;
  let rows = 0;
  let kept = 0;
  let reported = 0;
  const scratch = new Int32Array(1 << 13);
  const pressure = new MemoryPressure();
  // Small files are read in little memory; large ones would spend a fifth of their time on it (measured at 20 M rows).
  const cellBytes = estimatedRows < 2e6 ? 64 : 8;

  const ids = (chunk: DuckDBDataChunk, role: string, collector: IdCollector, skip: Uint8Array) => {
    const out = scratch.length >= chunk.rowCount ? scratch : new Int32Array(chunk.rowCount);
    const key = column(`${role}_key`);
    collector.add(chunk.getColumnVector(column(role)), key < 0 ? undefined : chunk.getColumnVector(key), skip, out);
    return out;
  };

  for (;;) {
    const chunk = await session.guard(() => result.fetchChunk());
    if (!chunk || chunk.rowCount === 0) break;
    const { rowCount } = chunk;
    pressure.count(rowCount * names.length * cellBytes);
    const reason = numbers(chunk.getColumnVector(column("reason")), Uint8Array);
    let good = 0;
    for (let row = 0; row < rowCount; row++) {
      if (reason[row] === 0) good++;
      else if (reason[row] === BLANK) rows--;
      else {
        const known = rejected[reason[row] - 1];
        if (known) known.count++;
        else {
          const value = String(chunk.getColumnVector(column("value")).getItem(row) ?? "");
          const line = has("line") ? Number(chunk.getColumnVector(column("line")).getItem(row)) : 0;
          rejected[reason[row] - 1] = { count: 1, line, ordinal: records + row + 1, value };
        }
      }
    }
    const all = good === rowCount;
    if (has("user")) columns.user.take(ids(chunk, "user", users, reason), reason, rowCount, all);
    const itemOf = ids(chunk, "item", items, reason);
    columns.item.take(itemOf, reason, rowCount, all);
    properties.forEach((property, i) => {
      property.add(chunk.getColumnVector(column(`p${i}`)), chunk.getColumnVector(column(`p${i}_key`)), itemOf);
    });
    for (const [i, text] of texts.entries()) {
      const vector = chunk.getColumnVector(column(`t${i}`));
      for (let row = 0; row < rowCount; row++) if (reason[row] === 0) text.push(String(vector.getItem(row)));
    }
    columns.basket?.take(ids(chunk, "basket", baskets, reason), reason, rowCount, all);
    columns.timestamp?.take(numbers(chunk.getColumnVector(column("timestamp")), Float64Array), reason, rowCount, all);
    columns.weight?.take(numbers(chunk.getColumnVector(column("weight")), Float64Array), reason, rowCount, all);
    records += rowCount;
    rows += rowCount;
    kept += good;
    if (rows - reported >= BLOCK) {
      reported = rows;
      onRows?.(rows);
    }
  }
  const itemMap = items.idMap();
  return {
    rows,
    kept,
    userIndex: has("user") ? columns.user.join() : new Int32Array(kept).fill(-1),
    itemIndex: columns.item.join(),
    basket: columns.basket?.join(),
    timestamp: columns.timestamp?.join(),
    weight: columns.weight?.join(),
    users: users.idMap(),
    items: itemMap,
    texts,
    properties: properties.map((property) => property.values(itemMap.size)),
    rejected,
  };
}

/**
 * A chunk's memory lies outside the JavaScript heap and is freed when the collector finds its small handle, which it would seldom
 * look for. Untouched buffers of a like size, dropped at once, tell it that much is waiting (measured: 60 MB less at the peak).
 */
class MemoryPressure {
  #waiting = 0;
  dropped: ArrayBuffer | undefined;

  count(bytes: number): void {
    this.#waiting += bytes;
    if (this.#waiting < 1 << 20) return;
    this.dropped = new ArrayBuffer(this.#waiting);
    this.#waiting = 0;
  }
}

type NumberArray = Int32Array | Float32Array | Float64Array;

/** A column that grows by blocks, so that growing never holds it twice. */
class Blocks<T extends NumberArray> {
  #full: T[] = [];
  #block: T;
  #used = 0;
  #length = 0;
  readonly #type: new (
    length: number,
  ) => T;

  constructor(type: new (length: number) => T) {
    this.#type = type;
    this.#block = new type(BLOCK);
  }

  /** Appends the values of rows with reason 0. */
  take(values: NumberArray, reason: Uint8Array, rowCount: number, all: boolean): void {
    if (this.#used + rowCount > this.#block.length) {
      this.#full.push(this.#block.subarray(0, this.#used) as T);
      this.#block = new this.#type(Math.max(BLOCK, rowCount));
      this.#used = 0;
    }
    const block = this.#block;
    let used = this.#used;
    if (all) {
      block.set(values.subarray(0, rowCount) as never, used);
      used += rowCount;
    } else {
      for (let row = 0; row < rowCount; row++) if (reason[row] === 0) block[used++] = values[row];
    }
    this.#length += used - this.#used;
    this.#used = used;
  }

  join(): T {
    const joined = new this.#type(this.#length);
    let at = 0;
    for (const block of [...this.#full, this.#block.subarray(0, this.#used) as T]) {
      joined.set(block as never, at);
      at += block.length;
    }
    this.#full = [];
    this.#block = new this.#type(0);
    return joined;
  }
}

/** The values of a number column without NULLs: the driver's own array where it shows it. */
function numbers<T extends Uint8Array | Float64Array>(
  vector: DuckDBVector,
  type: { new (length: number): T; from(values: number[]): T },
): T {
  const { items } = vector as unknown as { items?: unknown };
  if (items instanceof type) return items;
  return type.from(Array.from({ length: vector.itemCount }, (_, row) => Number(vector.getItem(row))));
}
