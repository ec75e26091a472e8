/**
 * How readily each item is bought again, against the average item.
 *   chance(i) = (again(i) + prior · mean) / (chances(i) + prior),  loyalty(i) = chance(i) / mean
 * again: baskets with i after a user's first one with i; chances: all baskets of the user after that first one; mean over all pairs.
 * Called by repeat. Without baskets every event is one.
 */
import type { Interactions } from "../../core/interactions.js";

/** Baskets of the mean that each item is given beforehand. */
const PRIOR = 20;

/** By item; all 1 where nothing was bought again. */
export function itemLoyalty(data: Interactions): Float32Array {
  const { offsets, indices, positions } = data.eventsByUser();
  const again = new Float64Array(data.numItems);
  const chances = new Float64Array(data.numItems);
  for (let user = 0; user < data.numUsers; user++) {
    const order = Int32Array.from({ length: offsets[user + 1] - offsets[user] }, (_, k) => offsets[user] + k);
    const { timestamp, basket } = data;
    if (timestamp) order.sort((a, b) => timestamp[positions[a]] - timestamp[positions[b]] || a - b);
    const numberOf = new Map<number, number>(); // baskets in order of their first events
    const seen = new Map<number, { first: number; baskets: Set<number> }>();
    let alone = 0;
    for (const e of order) {
      const key = basket && basket[positions[e]] >= 0 ? basket[positions[e]] : -1 - alone++;
      let number = numberOf.get(key);
      if (number === undefined) {
        number = numberOf.size;
        numberOf.set(key, number);
      }
      const own = seen.get(indices[e]);
      if (own) own.baskets.add(number);
      else seen.set(indices[e], { first: number, baskets: new Set([number]) });
    }
    for (const [item, { first, baskets }] of seen) {
      again[item] += baskets.size - 1;
      chances[item] += numberOf.size - 1 - first;
    }
  }
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  const mean = sum(again) / sum(chances);
  if (!(mean > 0)) return new Float32Array(data.numItems).fill(1);
  return Float32Array.from(again, (count, item) => (count + PRIOR * mean) / (chances[item] + PRIOR) / mean);
}
