/**
 * Splits by time: at one instant for all (`time`, `last-days`), or at an instant of each user's own (`time-per-user`).
 * Only a split at one instant keeps a model from learning what happened after the first tested event
 * (Ji, Sun, Zhang & Li 2023, A critical study on data leakage in recommender system offline evaluation).
 */

import type { Interactions } from "../interactions.js";
import { checkFraction, eachUser, inTimeOrder, shareOf, side, timesOf, wrong } from "./sides.js";

const DAY = 86_400_000;

export function byTime(times: Float64Array, at: number, until: number): Uint8Array {
  if (!(until > at)) throw wrong("until", until, "It must be later than `at`.");
  return sidesAt(times, (time) => (time < at ? side.train : time < until ? side.test : side.dropped));
}

/** The instant whose boundary comes nearest to the wanted share, among those that leave both sides something. */
export function boundaryAt(times: Float64Array, testFraction: number): number {
  const sorted = times.slice().sort();
  const wanted = Math.min(Math.max(Math.round(sorted.length * (1 - testFraction)), 1), sorted.length - 1);
  let before = wanted; // first event of the same instant
  while (before > 0 && sorted[before - 1] === sorted[wanted]) before--;
  let after = wanted; // first event of the next instant
  while (after < sorted.length && sorted[after] === sorted[wanted]) after++;
  const beforeFits = before > 0;
  const afterFits = after < sorted.length;
  if (beforeFits && (!afterFits || wanted - before <= after - wanted)) return sorted[before];
  return afterFits ? sorted[after] : sorted[0];
}

export function byLastDays(times: Float64Array, days: number): Uint8Array {
  if (!(days > 0 && Number.isFinite(days))) throw wrong("days", days, "A number of days above 0.");
  let last = -Infinity;
  for (let e = 0; e < times.length; e++) if (times[e] > last) last = times[e];
  const start = last - days * DAY;
  return sidesAt(times, (time) => (time > start ? side.test : side.train));
}

/** The last share of each user's events. */
export function byTimePerUser(data: Interactions, testFraction: number): Uint8Array {
  checkFraction("testFraction", testFraction);
  timesOf(data, "time-per-user");
  const sides = new Uint8Array(data.numInteractions);
  eachUser(data, (positions) => {
    const own = inTimeOrder(data, positions);
    for (let e = own.length - shareOf(own.length, testFraction); e < own.length; e++) sides[own[e]] = side.test;
  });
  return sides;
}

function sidesAt(times: Float64Array, sideOf: (time: number) => number): Uint8Array {
  const sides = new Uint8Array(times.length);
  for (let e = 0; e < times.length; e++) sides[e] = sideOf(times[e]);
  return sides;
}
