/**
 * Breakdowns. A segmentation by case puts each case into one group (activity, a user column); one by item judges every list again
 * with only the relevant items of the group (repeat or new, head or tail, an item column), the list staying as it is.
 * Called by `judge.ts`; `summarize.ts` makes rows of them.
 */
import { ConfigError } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";
import type { EvaluationCase } from "./cases.js";

export interface Segmentation {
  /** What the rows are named by, such as "activity". */
  name: string;
  groups: readonly string[];
  by: "case" | "item";
  /** Group of the case (`itemIndex` −1), or of one of its relevant items; −1: in none. */
  groupOf(one: EvaluationCase, itemIndex: number): number;
}

/** "repeat": items the asker had before (training or the query's history), "new": the others. Judge it with excludeSeen: false. */
export function repeatSegments({ offsets, indices }: Csr): Segmentation {
  let last: EvaluationCase | undefined;
  let had = new Set<number>();
  return {
    name: "repeat",
    groups: ["repeat", "new"],
    by: "item",
    groupOf(one, itemIndex) {
      if (one !== last) {
        const { userIndex = -1, history } = one.query;
        had = new Set(userIndex >= 0 ? indices.subarray(offsets[userIndex], offsets[userIndex + 1]) : []);
        for (const event of history ?? []) had.add(event.itemIndex);
        last = one;
      }
      return had.has(itemIndex) ? 0 : 1;
    },
  };
}

/**
 * Quantiles of known users by distinct training items, "least active" groups first; users of equal activity share a group, so
 * groups may be unequal or empty. Cases without training rows are "cold".
 */
export function activitySegments({ offsets, numRows }: Csr, { quantiles = 4 }: { quantiles?: number } = {}): Segmentation {
  if (!(Number.isInteger(quantiles) && quantiles >= 2))
    throw new ConfigError(`quantiles is ${quantiles}.`, { hint: "Ask for 2 groups or more." });
  const activity = Int32Array.from({ length: numRows }, (_, user) => offsets[user + 1] - offsets[user]);
  const ascending = activity.filter((count) => count > 0).sort();
  const bounds = Array.from({ length: quantiles - 1 }, (_, q) => ascending[Math.ceil(((q + 1) * ascending.length) / quantiles) - 1] ?? 0);
  const groups = ["cold", ...Array.from({ length: quantiles }, (_, q) => `q${q + 1}: ${rangeText(bounds, q)}`)];
  return {
    name: "activity",
    groups,
    by: "case",
    groupOf({ query: { userIndex = -1 } }) {
      const count = userIndex < 0 ? 0 : activity[userIndex];
      return count === 0 ? 0 : 1 + bounds.filter((bound) => count > bound).length;
    },
  };
}

function rangeText(bounds: readonly number[], q: number): string {
  const from = q === 0 ? 1 : bounds[q - 1] + 1;
  if (q === bounds.length) return `${from} or more items`;
  return from < bounds[q] ? `${from} to ${bounds[q]} items` : `${bounds[q]} ${bounds[q] === 1 ? "item" : "items"}`;
}

/** Relevant items by training events: the head takes the first 20 % of all events, the torso the next 60 %, the tail the rest. */
export function popularitySegments(
  popularity: ArrayLike<number>,
  { head = 0.2, tail = 0.2 }: { head?: number; tail?: number } = {},
): Segmentation {
  if (!(head > 0 && tail > 0 && head + tail < 1))
    throw new ConfigError(`head is ${head} and tail ${tail}.`, { hint: "Both are shares of all events above 0 with a sum below 1." });
  const order = Int32Array.from({ length: popularity.length }, (_, item) => item).sort((a, b) => popularity[b] - popularity[a] || a - b);
  const total = order.reduce((sum, item) => sum + popularity[item], 0);
  const group = new Int8Array(popularity.length);
  let before = 0; // events of more popular items
  for (const item of order) {
    group[item] = before < head * total ? 0 : before < (1 - tail) * total ? 1 : 2;
    before += popularity[item];
  }
  return { name: "popularity", groups: ["head", "torso", "tail"], by: "item", groupOf: (_, itemIndex) => group[itemIndex] };
}

/** One group per distinct label of users, such as a country column by userIndex; null and unknown users are in none. */
export function userSegments(name: string, labels: readonly (string | number | null)[]): Segmentation {
  const { groups, group } = grouped(labels);
  return { name, groups, by: "case", groupOf: ({ query: { userIndex = -1 } }) => group[userIndex] ?? -1 };
}

/** One group per distinct label of items, such as a category column by itemIndex; null is in none. */
export function itemSegments(name: string, labels: readonly (string | number | null)[]): Segmentation {
  const { groups, group } = grouped(labels);
  return { name, groups, by: "item", groupOf: (_, itemIndex) => group[itemIndex] ?? -1 };
}

function grouped(labels: readonly (string | number | null)[]): { groups: string[]; group: Int32Array } {
  const numberOf = new Map<string, number>();
  for (const label of labels) if (label !== null && !numberOf.has(String(label))) numberOf.set(String(label), numberOf.size);
  return { groups: [...numberOf.keys()], group: Int32Array.from(labels, (label) => (label === null ? -1 : numberOf.get(String(label))!)) };
}
