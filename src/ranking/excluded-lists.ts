/**
 * What must not appear in each list of a block: seen items of the user, items of the given history, items of the
 * basket in progress (always), and the caller's exclusions, as one ascending list of distinct items per query.
 */
import type { Csr } from "../core/interactions.js";
import type { Query } from "../core/model.js";

/** List of query q: indices[offsets[q]] … indices[offsets[q + 1] − 1], ascending, distinct. */
export interface ExcludedLists {
  offsets: Int32Array;
  indices: Int32Array;
}

export interface Exclusions {
  /** Training matrix whose items are left out for known users; undefined keeps seen items. */
  seen: Csr | undefined;
  exclude: Int32Array;
}

export function excludedLists(queries: readonly Query[], { seen, exclude }: Exclusions): ExcludedLists {
  const lists = queries.map((query) => excludedOf(query, { seen, exclude }));
  const offsets = new Int32Array(queries.length + 1);
  for (let q = 0; q < lists.length; q++) offsets[q + 1] = offsets[q] + lists[q].length;
  const indices = new Int32Array(offsets[lists.length]);
  for (let q = 0; q < lists.length; q++) indices.set(lists[q], offsets[q]);
  return { offsets, indices };
}

/** Whether `item` stands in list `q`; binary search. */
export function isExcluded({ offsets, indices }: ExcludedLists, q: number, item: number): boolean {
  return containsSorted(indices, item, offsets[q], offsets[q + 1]);
}

/** Whether the ascending values [from, to) hold `item`. */
export function containsSorted(values: Int32Array, item: number, from = 0, to = values.length): boolean {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < item) low = middle + 1;
    else high = middle;
  }
  return low < to && values[low] === item;
}

/** Ascending and without repeats. */
export function sortedDistinct(items: ArrayLike<number>): Int32Array {
  const sorted = Int32Array.from(items).sort();
  let end = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[end++] = sorted[i];
  return sorted.subarray(0, end);
}

function excludedOf(query: Query, { seen, exclude }: Exclusions): Int32Array {
  const user = query.userIndex ?? -1;
  const row = seen && user >= 0 ? seen.indices.subarray(seen.offsets[user], seen.offsets[user + 1]) : undefined;
  const history = seen && query.history?.length ? query.history : undefined;
  const basket = query.basket ?? [];
  if (!history && basket.length === 0 && exclude.length === 0) return row ?? new Int32Array(0);
  return sortedDistinct([...(row ?? []), ...(history ?? []).map((event) => event.itemIndex), ...basket, ...exclude]);
}
