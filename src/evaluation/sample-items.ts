/**
 * Draws items without replacement, uniformly or in proportion to a weight. Few of many: one by one, drawing again what was taken;
 * else by exponential keys −ln(u) / weight, the smallest first (Efraimidis & Spirakis 2006), which has the same distribution.
 * Called by `candidates.ts`.
 */
import type { Random } from "../core/random.js";

export interface ItemSampler {
  /** Up to `count` distinct items that `blocked` does not hold, fewer when there are not enough of positive weight. */
  draw(count: number, blocked: ReadonlySet<number>): number[];
}

/** `weights` by item, ≥ 0; undefined: all alike. O(items) once, then O(count · log items) a draw when few of many are wanted. */
export function createItemSampler(numItems: number, weights: ArrayLike<number> | undefined, random: Random): ItemSampler {
  const weightOf = (item: number) => (weights ? weights[item] : 1);
  const cumulative = new Float64Array(numItems);
  let total = 0;
  let drawable = 0;
  for (let item = 0; item < numItems; item++) {
    total += weightOf(item);
    if (weightOf(item) > 0) drawable++;
    cumulative[item] = total;
  }
  const drawOne = () => (weights ? firstAbove(cumulative, random.uniform() * total) : random.integer(numItems));

  return {
    draw(count, blocked) {
      let blockedWeight = 0;
      for (const item of blocked) blockedWeight += weightOf(item);
      if (4 * (count + blocked.size) > drawable || 2 * blockedWeight > total) return byKeys(count, blocked);
      const taken = new Set<number>();
      let takenWeight = blockedWeight;
      while (taken.size < count) {
        if (2 * takenWeight > total) return [...taken, ...byKeys(count - taken.size, new Set([...blocked, ...taken]))];
        const item = drawOne();
        if (blocked.has(item) || taken.has(item)) continue;
        taken.add(item);
        takenWeight += weightOf(item);
      }
      return [...taken];
    },
  };

  function byKeys(count: number, blocked: ReadonlySet<number>): number[] {
    const keyed: { item: number; key: number }[] = [];
    for (let item = 0; item < numItems; item++) {
      if (weightOf(item) > 0 && !blocked.has(item)) keyed.push({ item, key: -Math.log(1 - random.uniform()) / weightOf(item) });
    }
    keyed.sort((a, b) => a.key - b.key || a.item - b.item);
    return keyed.slice(0, count).map(({ item }) => item);
  }
}

/** First position whose value exceeds `target`. */
function firstAbove(ascending: Float64Array, target: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
