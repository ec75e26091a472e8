/**
 * External ids as two arrays that any language reads: all ids as UTF-8 one after another, and the byte length of
 * each. Newlines, quotes and any other character need no escaping, and millions of ids load in no time.
 */
import { DataError, ModelFormatError } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";
import { type Utf8Ids, utf8IdMap } from "../data/utf8-ids.js";

/** Throws DataError for an id that Unicode cannot express (half of a surrogate pair). */
export function encodeIds(ids: IdMap): Utf8Ids {
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
export function decodeIds({ lengths, utf8 }: Utf8Ids, what: string): IdMap {
  let total = 0;
  for (const length of lengths) total += length;
  if (total !== utf8.length) {
    throw new ModelFormatError(`The ids of ${what} take ${utf8.length} bytes, but their lengths add up to ${total}.`, {
      details: { got: utf8.length, expected: total },
    });
  }
  return utf8IdMap({ lengths, utf8 });
}
