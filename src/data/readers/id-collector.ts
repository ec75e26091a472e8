/**
 * Numbers ids in order of first appearance while rows stream by, without making a string per row: DuckDB keeps texts of up to
 * 12 bytes in 16-byte cells, which are looked up as they are (open addressing over four int32 words, load below one half);
 * longer ids come with a 128-bit key (md5) that takes the cell's place. A string is made once per distinct id.
 */
import type { DuckDBVector } from "@duckdb/node-api";
import { createIdMap } from "../id-map.js";

const INLINE_BYTES = 12;

/** The 16-byte cells of a text or 128-bit vector, four words each; undefined where the driver does not show them. */
function cellsOf(vector: DuckDBVector): Int32Array | undefined {
  const view = (vector as unknown as { dataView?: DataView }).dataView;
  return view instanceof DataView && view.byteOffset % 4 === 0
    ? new Int32Array(view.buffer, view.byteOffset, view.byteLength >> 2)
    : undefined;
}

export class IdCollector {
  readonly ids: string[] = [];
  #slots = new Int32Array(1 << 12).fill(-1);
  #keys = new Int32Array(1 << 12);
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #byText = new Map<string, number>(); // only where cells are not shown

  /**
   * Writes the index of each id of `vector` into `out`; −1 for rows with `skip` set and for empty ids.
   * `keys`: 128-bit keys of the same rows, for columns that may hold long ids.
   */
  add(vector: DuckDBVector, keys: DuckDBVector | undefined, skip: Uint8Array, out: Int32Array): void {
    const cells = cellsOf(vector);
    const keyCells = keys && cellsOf(keys);
    for (let row = 0; row < vector.itemCount; row++) {
      if (skip[row] !== 0) {
        out[row] = -1;
        continue;
      }
      if (!cells) {
        out[row] = this.#addText(vector.getItem(row) as string);
        continue;
      }
      const at = row * 4;
      const length = cells[at];
      if (length === 0) out[row] = -1;
      else if (length <= INLINE_BYTES) out[row] = this.#addCell(cells, at, vector, row);
      else if (keyCells) out[row] = this.#addCell(keyCells, at, vector, row);
      else out[row] = this.#addText(vector.getItem(row) as string);
    }
  }

  idMap() {
    this.#slots = new Int32Array(0);
    this.#keys = new Int32Array(0);
    this.#byText.clear();
    return createIdMap(this.ids);
  }

  #addText(id: string): number {
    if (id === "") return -1;
    const known = this.#byText.get(id);
    if (known !== undefined) return known;
    // No cell can be equal: its key would take a place that is never looked up again.
    const index = this.#newId(id, 0, 0, 0, this.ids.length);
    this.#byText.set(id, index);
    return index;
  }

  #addCell(cells: Int32Array, at: number, vector: DuckDBVector, row: number): number {
    const a = cells[at];
    const b = cells[at + 1];
    const c = cells[at + 2];
    const d = cells[at + 3];
    const mask = this.#slots.length - 1;
    let slot = mix(a, b, c, d) & mask;
    for (;;) {
      const index = this.#slots[slot];
      if (index < 0) break;
      const key = index * 4;
      if (this.#keys[key] === a && this.#keys[key + 1] === b && this.#keys[key + 2] === c && this.#keys[key + 3] === d) return index;
      slot = (slot + 1) & mask;
    }
    const index = this.#newId(this.#decode(vector, row), a, b, c, d);
    this.#slots[slot] = index;
    if (this.ids.length * 2 > this.#slots.length) this.#grow();
    return index;
  }

  #decode(vector: DuckDBVector, row: number): string {
    const { dataView: view } = vector as unknown as { dataView: DataView };
    const length = view.getUint32(row * 16, true);
    if (length > INLINE_BYTES) return vector.getItem(row) as string;
    return this.#decoder.decode(new Uint8Array(view.buffer, view.byteOffset + row * 16 + 4, length));
  }

  #newId(id: string, a: number, b: number, c: number, d: number): number {
    const index = this.ids.push(id) - 1;
    if (this.#keys.length < (index + 1) * 4) {
      const larger = new Int32Array(this.#keys.length * 2);
      larger.set(this.#keys);
      this.#keys = larger;
    }
    this.#keys[index * 4] = a;
    this.#keys[index * 4 + 1] = b;
    this.#keys[index * 4 + 2] = c;
    this.#keys[index * 4 + 3] = d;
    return index;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (const index of this.#slots) {
      if (index < 0) continue;
      const key = index * 4;
      let slot = mix(this.#keys[key], this.#keys[key + 1], this.#keys[key + 2], this.#keys[key + 3]) & mask;
      while (slots[slot] >= 0) slot = (slot + 1) & mask;
      slots[slot] = index;
    }
    this.#slots = slots;
  }
}

function mix(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(c, 0xc2b2ae3d) ^ Math.imul(d, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
