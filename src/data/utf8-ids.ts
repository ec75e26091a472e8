/**
 * An id map over ids that lie one after another as UTF-8, as models are saved: nothing is made of an id before it is asked for, so
 * that millions of ids are there in milliseconds. Looked up by a hash table of the ids' bytes (FNV-1a, open addressing, half full
 * at most), built on the first look-up: O(bytes), 8 to 16 bytes per id. Called by store/id-arrays.ts.
 */
import { DataError, NotFoundError } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";

export interface Utf8Ids {
  /** Byte length of each id. */
  lengths: Int32Array;
  /** All ids, in order, without separators; their lengths add up to its length, below 4 GiB. */
  utf8: Uint8Array;
}

/** The first look-up throws DataError when an id appears twice. */
export function utf8IdMap({ lengths, utf8 }: Utf8Ids): IdMap {
  const size = lengths.length;
  const starts = new Uint32Array(size + 1);
  for (let index = 0; index < size; index++) starts[index + 1] = starts[index] + lengths[index];
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const text = utf8.length < MAX_TEXT ? decoder.decode(utf8) : undefined;
  const ascii = text?.length === utf8.length ? text : undefined; // then bytes are characters, and slicing is much the fastest
  let table: Int32Array | undefined;

  const idAt = (index: number): string =>
    ascii ? ascii.slice(starts[index], starts[index + 1]) : decoder.decode(utf8.subarray(starts[index], starts[index + 1]));

  /** Index + 1 of the id with these bytes where it stands in the table, and the free place where it would stand. */
  const find = (places: Int32Array, bytes: Uint8Array, begin: number, end: number): { place: number; index: number } => {
    const mask = places.length - 1;
    let place = hashOf(bytes, begin, end) & mask;
    for (; places[place] !== 0; place = (place + 1) & mask) {
      const index = places[place] - 1;
      if (lengths[index] === end - begin && equalBytes(utf8, starts[index], bytes, begin, end)) return { place, index };
    }
    return { place, index: -1 };
  };
  const built = (): Int32Array => {
    const places = new Int32Array(2 ** Math.ceil(Math.log2(2 * size + 2)));
    for (let index = 0; index < size; index++) {
      const { place, index: earlier } = find(places, utf8, starts[index], starts[index + 1]);
      if (earlier >= 0) throw new DataError(`The id ${JSON.stringify(idAt(index))} appears twice.`, { hint: "Ids must be distinct." });
      places[place] = index + 1;
    }
    return places;
  };

  return {
    size,
    idOf(index) {
      if (!(Number.isInteger(index) && index >= 0 && index < size))
        throw new NotFoundError(`There is no id at index ${index}; there are ${size} ids.`);
      return idAt(index);
    },
    indexOf(id) {
      table ??= built();
      const bytes = encoder.encode(id);
      const { index } = find(table, bytes, 0, bytes.length);
      return index >= 0 && idAt(index) === id ? index : -1; // half of a surrogate pair has the bytes of another character
    },
    *ids() {
      for (let index = 0; index < size; index++) yield idAt(index);
    },
  };
}

/** Longest text that is made at once; strings end at about 2²⁹ characters. */
const MAX_TEXT = 2 ** 28;
const encoder = new TextEncoder();

function hashOf(bytes: Uint8Array, begin: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = begin; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  return hash ^ (hash >>> 15);
}

function equalBytes(a: Uint8Array, from: number, b: Uint8Array, begin: number, end: number): boolean {
  for (let at = begin; at < end; at++) if (a[from + at - begin] !== b[at]) return false;
  return true;
}
