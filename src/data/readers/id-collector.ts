/**
 * Numbers ids in order of first appearance while rows stream by, without making a string per row: DuckDB keeps texts of up to
 * 12 bytes in 16-byte cells, which are looked up as they are (open addressing, load below 0.7);
 * longer ids come with a 128-bit key (md5) that takes the cell's place. Distinct ids wait as bytes, and become strings at the end,
so that garbage collection has nothing to walk through meanwhile.
 */
import type { DuckDBVector } from "@duckdb/node-api";
import type { IdMap } from "../../core/interactions.js";
import { distinctIdMap } from "../id-map.js";

const INLINE_BYTES = 12;

/** The 16-byte cells of a text or 128-bit vector, four words each; undefined where the driver does not show them. */
function cellsOf(vector: DuckDBVector): Int32Array | undefined {
  const view = (vector as unknown as { dataView?: DataView }).dataView;
  return view instanceof DataView && view.byteOffset % 4 === 0
    ? new Int32Array(view.buffer, view.byteOffset, view.byteLength >> 2)
    : undefined;
}

/** Words of a place in the table: four of the key, then index + 1 (0 = free). One place, one cache miss. */
const PLACE = 5;

export class IdCollector {
  #size = 0;
  #bytes = new Uint8Array(1 << 16);
  #ends = new Float64Array(1 << 12); // end of each id in #bytes
  #table = new Int32Array((1 << 12) * PLACE);
  #mask = (1 << 12) - 1;
  #hashes = new Int32Array(1 << 12);
  /** Keeps the engine from dropping the reads that warm the cache. */
  touched = 0;
  readonly #encoder = new TextEncoder();
  readonly #keepsIds: boolean;
  readonly #byText = new Map<string, number>(); // long ids without keys, and all ids where cells are not shown

  /** Without `keepIds` there are indexes only, and no map: enough for baskets. */
  constructor({ keepIds = true }: { keepIds?: boolean } = {}) {
    this.#keepsIds = keepIds;
  }

  /**
   * Writes the index of each id of `vector` into `out`; −1 for rows with `skip` set and for empty ids.
   * `keys`: 128-bit keys of the same rows, for columns that may hold long ids.
   */
  add(vector: DuckDBVector, keys: DuckDBVector | undefined, skip: Uint8Array, out: Int32Array): void {
    const rows = vector.itemCount;
    const cells = cellsOf(vector);
    if (!cells) {
      for (let row = 0; row < rows; row++) out[row] = skip[row] === 0 ? this.#addText(vector.getItem(row) as string) : -1;
      return;
    }
    const keyCells = keys && cellsOf(keys);
    this.#hashAndTouch(cells, keyCells, rows);
    for (let row = 0; row < rows; row++) {
      const length = cells[row * 4];
      if (skip[row] !== 0 || length === 0) out[row] = -1;
      else if (length <= INLINE_BYTES) out[row] = this.#addCell(cells, row, vector);
      else if (keyCells) out[row] = this.#addCell(keyCells, row, vector);
      else out[row] = this.#addText(vector.getItem(row) as string);
    }
  }

  /** All ids, in order of first appearance. Nothing can be added afterwards. */
  idMap(): IdMap {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const ids = Array.from({ length: this.#size }, (_, index) =>
      decoder.decode(this.#bytes.subarray(index === 0 ? 0 : this.#ends[index - 1], this.#ends[index])),
    );
    this.#table = new Int32Array(0);
    this.#bytes = new Uint8Array(0);
    this.#byText.clear();
    return distinctIdMap(ids);
  }

  /** Hashes a chunk and reads its places, all misses under way at once; the look-ups then find them in the cache. */
  #hashAndTouch(cells: Int32Array, keyCells: Int32Array | undefined, rows: number): void {
    if (this.#hashes.length < rows) this.#hashes = new Int32Array(rows);
    const hashes = this.#hashes;
    const table = this.#table;
    const mask = this.#mask;
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const at = row * 4;
      const from = keyCells !== undefined && cells[at] > INLINE_BYTES ? keyCells : cells;
      const hash = mix(from[at], from[at + 1], from[at + 2], from[at + 3]);
      hashes[row] = hash;
      sum += table[(hash & mask) * PLACE];
    }
    this.touched = sum | 0;
  }

  #addText(id: string): number {
    if (id === "") return -1;
    const known = this.#byText.get(id);
    if (known !== undefined) return known;
    const index = this.#keep(this.#encoder.encode(id));
    this.#byText.set(id, index);
    return index;
  }

  #addCell(cells: Int32Array, row: number, vector: DuckDBVector): number {
    const at = row * 4;
    const a = cells[at];
    const b = cells[at + 1];
    const c = cells[at + 2];
    const d = cells[at + 3];
    const table = this.#table;
    let place = (this.#hashes[row] & this.#mask) * PLACE;
    while (table[place + 4] !== 0) {
      if (table[place] === a && table[place + 1] === b && table[place + 2] === c && table[place + 3] === d) return table[place + 4] - 1;
      place += PLACE;
      if (place === table.length) place = 0;
    }
    const index = this.#keep(this.#bytesOf(vector, row));
    table[place] = a;
    table[place + 1] = b;
    table[place + 2] = c;
    table[place + 3] = d;
    table[place + 4] = index + 1;
    if (this.#size * 10 > this.#mask * 7) this.#grow();
    return index;
  }

  #bytesOf(vector: DuckDBVector, row: number): Uint8Array {
    const { dataView: view } = vector as unknown as { dataView: DataView };
    const length = view.getUint32(row * 16, true);
    if (length > INLINE_BYTES) return this.#encoder.encode(vector.getItem(row) as string);
    return new Uint8Array(view.buffer, view.byteOffset + row * 16 + 4, length);
  }

  #keep(id: Uint8Array): number {
    const index = this.#size++;
    if (!this.#keepsIds) return index;
    const start = index === 0 ? 0 : this.#ends[index - 1];
    const end = start + id.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    if (index === this.#ends.length) {
      const larger = new Float64Array(this.#ends.length * 2);
      larger.set(this.#ends);
      this.#ends = larger;
    }
    this.#bytes.set(id, start);
    this.#ends[index] = end;
    return index;
  }

  #grow(): void {
    const old = this.#table;
    const table = new Int32Array(old.length * 2);
    const mask = this.#mask * 2 + 1;
    for (let from = 0; from < old.length; from += PLACE) {
      if (old[from + 4] === 0) continue;
      let place = (mix(old[from], old[from + 1], old[from + 2], old[from + 3]) & mask) * PLACE;
      while (table[place + 4] !== 0) {
        place += PLACE;
        if (place === table.length) place = 0;
      }
      for (let word = 0; word < PLACE; word++) table[place + word] = old[from + word];
    }
    this.#table = table;
    this.#mask = mask;
  }
}

function mix(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(c, 0xc2b2ae3d) ^ Math.imul(d, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
