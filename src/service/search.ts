/**
 * Substring search over the ids of a map and texts beside them, for people who pick an item or user by hand.
 * It reads in slices of a few milliseconds and gives way to other work in between, so a search over millions
 * of ids never holds up a request. Used by `service/recommend.ts`.
 */
import { throwIfCancelled } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";
import { nearestNames } from "../core/nearest-names.js";

/** Once the answer is full of weaker matches, this many further entries are read in the hope of better ones. */
const readAheadEntries = 200_000;
const sliceMs = 2;

export interface SearchedTable {
  ids: IdMap;
  /** Indexes in the order in which equally good matches are listed. Default: ascending. */
  order?: Int32Array;
  /** Further texts searched, each by index (titles, categories …). */
  texts?: readonly (readonly (string | number | null)[])[];
}

export interface SearchOptions {
  /** Most matches returned, 1 or more. */
  limit: number;
  /** Only these indexes count. Default: all. */
  accepts?: (index: number) => boolean;
  signal?: AbortSignal;
}

/**
 * Indexes whose id or text contains `text`, ignoring case: the exact id first, then those where it opens the id
 * or a text, then the rest, each part in table order. An empty `text` matches everything. O(entries · texts).
 */
export async function searchTable(table: SearchedTable, text: string, options: SearchOptions): Promise<number[]> {
  const { ids, order, texts = [] } = table;
  const { limit, accepts = () => true, signal } = options;
  const wanted = text.toLowerCase();
  const exact = text === "" ? -1 : ids.indexOf(text);
  const opening: number[] = exact >= 0 && accepts(exact) ? [exact] : [];
  const inside: number[] = [];
  await visitInSlices(
    ids.size,
    (at) => {
      const index = order ? order[at] : at;
      if (index !== exact && accepts(index)) {
        let place = ids.idOf(index).toLowerCase().indexOf(wanted);
        for (let t = 0; t < texts.length && place !== 0; t++) {
          const value = texts[t][index];
          const found = typeof value === "string" ? value.toLowerCase().indexOf(wanted) : -1;
          if (found >= 0 && (place < 0 || found < place)) place = found;
        }
        if (place === 0) opening.push(index);
        else if (place > 0 && inside.length < limit) inside.push(index);
      }
      return opening.length >= limit || (at >= readAheadEntries && opening.length + inside.length >= limit);
    },
    signal,
  );
  return [...opening, ...inside].slice(0, limit);
}

/** Up to three known ids like `id` among those that open alike, nearest first. Reads a bounded number of ids. */
export async function nearestIds(ids: IdMap, id: string, signal?: AbortSignal): Promise<string[]> {
  const wanted = id.trim().toLowerCase();
  if (wanted.length > 64) return [];
  const opening = wanted.slice(0, Math.min(3, Math.ceil(wanted.length / 2)));
  const candidates: string[] = [];
  const visited = Math.min(ids.size, readAheadEntries);
  await visitInSlices(
    visited,
    (index) => {
      const known = ids.idOf(index);
      if (known.length <= 2 * wanted.length + 2 && known.toLowerCase().startsWith(opening)) candidates.push(known);
      return candidates.length >= 1000;
    },
    signal,
  );
  return nearestNames(id, candidates);
}

/** Calls `visit` for 0 … size − 1 until it returns true, giving way to other work every few milliseconds. */
async function visitInSlices(size: number, visit: (at: number) => boolean, signal: AbortSignal | undefined): Promise<void> {
  throwIfCancelled(signal);
  let until = performance.now() + sliceMs;
  for (let at = 0; at < size; at++) {
    if (visit(at)) return;
    if ((at & 127) === 127 && performance.now() > until) {
      await new Promise<void>((resume) => setImmediate(resume));
      throwIfCancelled(signal);
      until = performance.now() + sliceMs;
    }
  }
}
