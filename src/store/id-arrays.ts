/**
 * External ids as two arrays that any language reads: all ids as UTF-8 one after another, and the byte length of
 * each. Newlines, quotes and any other character need no escaping, and millions of ids load in a second.
 */
import { DataError, ModelFormatError } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";
import { createIdMap } from "../data/id-map.js";

export interface IdArrays {
  /** Byte length of each id. */
  lengths: Int32Array;
  /** The ids' bytes, in order, without separators. */
  utf8: Uint8Array;
}

/** Throws DataError for an id that Unicode cannot express (half of a surrogate pair). */
export function encodeIds(ids: IdMap): IdArrays {
  const lengths = new Int32Array(ids.size);
  const encoder = new TextEncoder();
  let utf8 = new Uint8Array(Math.max(64, ids.size * 8));
  let end = 0;
  let index = 0;
  for (const id of ids.ids()) {
    if (/\p{Surrogate}/u.test(id)) {
      throw new DataError(`The id ${JSON.stringify(id)} at index ${index} is not valid Unicode.`, {
        hint: "Correct the id in the source.",
      });
    }
    if (end + id.length * 3 > utf8.length) {
      const larger = new Uint8Array(Math.max(utf8.length * 2, end + id.length * 3));
      larger.set(utf8.subarray(0, end));
      utf8 = larger;
    }
    const { written } = encoder.encodeInto(id, utf8.subarray(end));
    lengths[index++] = written;
    end += written;
  }
  return { lengths, utf8: utf8.subarray(0, end) };
}

/** The inverse of `encodeIds`; throws ModelFormatError naming `what` when lengths and bytes do not fit. */
export function decodeIds({ lengths, utf8 }: IdArrays, what: string): IdMap {
  let total = 0;
  for (const length of lengths) total += length;
  if (total !== utf8.length) {
    throw new ModelFormatError(`The ids of ${what} take ${utf8.length} bytes, but their lengths add up to ${total}.`, {
      details: { got: utf8.length, expected: total },
    });
  }
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const whole = decoder.decode(utf8);
  const ascii = whole.length === utf8.length; // then bytes are characters, and slicing is much the fastest
  const ids = new Array<string>(lengths.length);
  let start = 0;
  for (let i = 0; i < lengths.length; i++) {
    const end = start + lengths[i];
    ids[i] = ascii ? whole.slice(start, end) : decoder.decode(utf8.subarray(start, end));
    start = end;
  }
  return createIdMap(ids);
}
