/** What a leak check says, and how rows appear in it. Shared by the checks of this folder. */
import type { Interactions } from "../../core/interactions.js";

export type LeakKind =
  | "test-rows-in-train"
  | "validation-rows-in-train"
  | "validation-rows-in-test"
  | "held-out-users-in-train"
  | "train-after-test"
  | "same-instant"
  | "split-baskets"
  | "future-items"
  | "future-users";

export interface LeakFinding {
  kind: LeakKind;
  /** "error": the figures would be wrong. "warning": they may be, or mean less than they seem to. */
  severity: "error" | "warning";
  /** Rows concerned; the message says of what. */
  count: number;
  /** `count` as a share of the rows of that part, 0 to 1. */
  share: number;
  /** The first such row, in words with external ids. */
  example: string;
  message: string;
}

/** `user "u1", item "p7", 2024-01-02T03:04:05.000Z`, as far as there are such. */
export function rowInWords(data: Interactions, row: number): string {
  const { userIndex, itemIndex, timestamp } = data;
  const parts = [userIndex[row] < 0 ? "unknown user" : `user ${JSON.stringify(data.users.idOf(userIndex[row]))}`];
  parts.push(`item ${JSON.stringify(data.items.idOf(itemIndex[row]))}`);
  if (timestamp) parts.push(timeInWords(timestamp[row]));
  return parts.join(", ");
}

export function timeInWords(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time);
}

/** `12 of 300 test rows (4.0 %)`. */
export function countInWords(count: number, total: number, what: string): string {
  return `${count.toLocaleString("en")} of ${total.toLocaleString("en")} ${what} (${((100 * count) / total).toFixed(1)} %)`;
}
