import type { JudgedList } from "./metric.js";

/** Places of the list that hold a relevant item. */
export function countHits({ gains, k }: JudgedList): number {
  let hits = 0;
  for (let r = 0; r < k && r < gains.length; r++) if (gains[r] > 0) hits++;
  return hits;
}
