/**
 * Checks what a caller asks of a `Recommender`, once, before any work: the query, the options, and rows named by index.
 * Each throws ConfigError with the range that is allowed.
 */
import { ConfigError } from "../core/errors.js";
import { MAX_WEIGHT } from "../core/interactions.js";
import type { Query } from "../core/model.js";
import { sortedDistinct } from "./excluded-lists.js";
import type { RecommendOptions } from "./recommender.js";

/** Rows of the model: a list is one of items, or of users. */
export interface Rows {
  kind: "item" | "user";
  size: number;
}

export interface CheckedOptions {
  topK: number;
  excludeSeen: boolean;
  include: Int32Array | undefined;
  exclude: Int32Array;
  signal: AbortSignal | undefined;
}

/** Throws ConfigError for a user or item that the model does not know, and for a weight out of range. */
export function checkQuery({ userIndex, history, basket }: Query, { numUsers, numItems }: { numUsers: number; numItems: number }): void {
  if (userIndex !== undefined && !(Number.isInteger(userIndex) && userIndex >= -1 && userIndex < numUsers)) {
    throw new ConfigError(`userIndex is ${userIndex}, but the model knows ${numUsers} users.`, {
      hint: `Use 0 to ${numUsers - 1}, or leave userIndex out and give a history.`,
    });
  }
  const items: Rows = { kind: "item", size: numItems };
  for (const item of basket ?? []) checkRow("basket", item, items);
  for (const event of history ?? []) {
    checkRow("history", event.itemIndex, items);
    const weight = event.weight ?? 1;
    if (!(weight >= 0 && weight <= MAX_WEIGHT))
      throw new ConfigError(`A weight of the history is ${weight}.`, { hint: "Weights are numbers from 0 to 1e30." });
  }
}

/** Defaults filled in, `topK` no larger than the number of rows, `include` ascending without repeats. */
export function checkOptions(
  { topK = 10, excludeSeen = true, include, exclude = [], signal }: RecommendOptions = {},
  rows: Rows,
): CheckedOptions {
  if (!(Number.isInteger(topK) && topK >= 1))
    throw new ConfigError(`topK is ${topK}.`, { hint: `Ask for a whole number of ${rows.kind}s, 1 or more.` });
  for (const [name, list] of [
    ["include", include],
    ["exclude", exclude],
  ] as const) {
    for (let i = 0; i < (list?.length ?? 0); i++) checkRow(name, list![i], rows);
  }
  return {
    topK: Math.min(topK, Math.max(1, rows.size)),
    excludeSeen,
    include: include && sortedDistinct(include),
    exclude: Int32Array.from(exclude),
    signal,
  };
}

/** Throws ConfigError when `index` is none of the rows; `where` names the argument. */
export function checkRow(where: string, index: number, { kind, size }: Rows): void {
  if (!(Number.isInteger(index) && index >= 0 && index < size)) {
    throw new ConfigError(`${where} names ${kind} ${index}, but the model knows ${size} ${kind}s.`, {
      hint: `${kind === "item" ? "Item" : "User"} indexes run from 0 to ${size - 1}.`,
    });
  }
}
