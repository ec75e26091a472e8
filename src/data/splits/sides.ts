/**
 * What all kinds of splits share: the side of each event while splitting, events of a user in time order, and the
 * checks of a spec. Every kind is a function from data and spec to one side per event; `splits.ts` makes the parts.
 */
import { ConfigError, DataError } from "../../core/errors.js";
import type { Interactions } from "../interactions.js";

/** Side of each event; `dropped` events are in no side. */
export const side = { train: 0, test: 1, given: 2, dropped: 3 } as const;

/** Calls `visit` with the positions of each user's events (own copy, input order); unknown users are left out. */
export function eachUser(data: Interactions, visit: (positions: Int32Array, user: number) => void): void {
  const { offsets, positions } = data.eventsByUser();
  for (let user = 0; user < data.numUsers; user++) {
    if (offsets[user + 1] > offsets[user]) visit(positions.slice(offsets[user], offsets[user + 1]), user);
  }
}

/** Sorts positions by time in place; the sort is stable, so equal times keep input order. */
export function inTimeOrder(data: Interactions, positions: Int32Array): Int32Array {
  const { timestamp } = data;
  return timestamp ? positions.sort((a, b) => timestamp[a] - timestamp[b]) : positions;
}

/** How many of a user's `length` events are tested: the rounded share, never all of them. */
export function shareOf(length: number, testFraction: number): number {
  return Math.min(Math.round(length * testFraction), length - 1);
}

export function positionsOf(sides: Uint8Array, wanted: number): Int32Array {
  let count = 0;
  for (let e = 0; e < sides.length; e++) if (sides[e] === wanted) count++;
  const positions = new Int32Array(count);
  for (let e = 0, next = 0; e < sides.length; e++) if (sides[e] === wanted) positions[next++] = e;
  return positions;
}

export function timesOf(data: Interactions, by: string): Float64Array {
  if (data.timestamp) return data.timestamp;
  throw new DataError(`A split by ${by} needs timestamps, and these interactions have none.`, {
    hint: "Name the time column when reading, or split by random, leave-last-out or held-out-users.",
  });
}

export function checkFraction(path: string, value: number): number {
  if (!(value > 0 && value < 1)) throw wrong(path, value, "A share above 0 and below 1, such as 0.2.");
  return value;
}

export function checkCount(path: string, value: number, least = 1): number {
  if (!(Number.isInteger(value) && value >= least)) throw wrong(path, value, `A whole number of at least ${least}.`);
  return value;
}

export function checkSeed(value: number): number {
  if (!Number.isInteger(value)) throw wrong("seed", value, "Any whole number; the same seed gives the same split.");
  return value;
}

export function checkNumber(path: string, value: number): number {
  if (!Number.isFinite(value)) throw wrong(path, value, "Milliseconds since 1970 UTC, such as Date.UTC(2011, 9, 9).");
  return value;
}

export function wrong(path: string, got: unknown, hint: string): ConfigError {
  return new ConfigError(`The split's ${path} is ${got}.`, { hint, details: { path, got } });
}
