/**
 * Splits events into a part to learn from and a part to measure on. Pure: both sides keep input order and stand over the
 * same users and items; a side that would be empty is an error, because a metric over nothing is none.
 * Called by recipes, replication studies, tuning, and by anyone through the library.
 */
import { ConfigError, DataError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";
import { createRandom } from "../core/random.js";
import { type Interactions, selectEvents } from "./interactions.js";

const DAY = 86_400_000;

/**
 * How to split.
 * - `time` with `at` (ms since 1970 UTC): test = events at or after `at`, before `until` where given (later ones are in neither side).
 * - `time` with `testFraction`: as above, `at` chosen so that about that share of the events is tested; events of one instant stay together.
 * - `last-days`: test = the last `days` × 24 hours, counted back from the last event (exclusive of the instant exactly that long ago).
 * - `random`: exactly round(testFraction · events) events, drawn by `seed`.
 * - `leave-last-out`: the last `perUser` events of each user with more events than that (by time, equal times by input order;
 *   without timestamps by input order). Other users and events of unknown users stay in train.
 * - `held-out-users`: round(testFraction · users) users, drawn by `seed`, have no event in train. The first `given` of their events
 *   (or `givenFraction` of them, default 0.8, at least one, never all) become `given`, the rest test: by time, or drawn by `seed`
 *   where there are no timestamps. Only users with enough events for both parts are drawn; events of unknown users stay in train.
 */
export type SplitSpec =
  | { by: "time"; at: number; until?: number; testFraction?: undefined }
  | { by: "time"; testFraction: number; at?: undefined; until?: undefined }
  | { by: "last-days"; days: number }
  | { by: "random"; testFraction: number; seed: number }
  | { by: "leave-last-out"; perUser: number }
  | { by: "held-out-users"; testFraction: number; seed: number; givenFraction?: number; given?: number };

export interface SplitResult {
  train: Interactions;
  test: Interactions;
  /** Only `held-out-users`: the events of the test users that a model may see as their history. */
  given?: Interactions;
}

/** Side of each event while splitting; `dropped` events are in no side. */
const side = { train: 0, test: 1, given: 2, dropped: 3 } as const;

/**
 * Splits `data` by `spec`; O(events), O(events · log events) where times are sorted.
 * Throws ConfigError on a wrong spec, DataError when timestamps are needed and missing or when a side would be empty.
 */
export function split(data: Interactions, spec: SplitSpec): SplitResult {
  const sides = sidesOf(data, spec);
  const part = (wanted: number) => selectEvents(data, positionsOf(sides, wanted));
  const counts = [0, 0, 0, 0];
  for (let e = 0; e < sides.length; e++) counts[sides[e]]++;
  for (const name of ["train", "test"] as const) {
    if (counts[side[name]] === 0) {
      throw new DataError(`The split by ${spec.by} leaves no events in ${name}: ${data.numInteractions} events, ${describe(data, spec)}.`, {
        hint: name === "train" ? "Move the boundary later or test a smaller part." : "Move the boundary earlier or test a larger part.",
        details: { by: spec.by, side: name },
      });
    }
  }
  const train = part(side.train);
  const test = part(side.test);
  return spec.by === "held-out-users" ? { train, test, given: part(side.given) } : { train, test };
}

function sidesOf(data: Interactions, spec: SplitSpec): Uint8Array {
  switch (spec.by) {
    case "time":
      return spec.testFraction === undefined
        ? byTime(timesOf(data, spec.by), checkNumber("at", spec.at), spec.until === undefined ? Infinity : checkNumber("until", spec.until))
        : byTime(timesOf(data, spec.by), boundaryAt(timesOf(data, spec.by), checkFraction("testFraction", spec.testFraction)), Infinity);
    case "last-days": {
      const times = timesOf(data, spec.by);
      if (!(spec.days > 0 && Number.isFinite(spec.days))) throw wrong("days", spec.days, "A number of days above 0.");
      let last = -Infinity;
      for (let e = 0; e < times.length; e++) if (times[e] > last) last = times[e];
      const start = last - spec.days * DAY;
      return Uint8Array.from(times, (time) => (time > start ? side.test : side.train));
    }
    case "random":
      return atRandom(data.numInteractions, checkFraction("testFraction", spec.testFraction), checkSeed(spec.seed));
    case "leave-last-out":
      return leaveLastOut(data, checkCount("perUser", spec.perUser));
    case "held-out-users":
      return heldOutUsers(data, spec);
    default: {
      const unknown = String((spec as { by?: unknown }).by);
      throw new ConfigError(`There is no split by ${JSON.stringify(unknown)}.`, {
        hint: nameHint(unknown, ["time", "last-days", "random", "leave-last-out", "held-out-users"]),
        details: { path: "by", got: unknown },
      });
    }
  }
}

function byTime(times: Float64Array, at: number, until: number): Uint8Array {
  if (!(until > at)) throw wrong("until", until, "It must be later than `at`.");
  return Uint8Array.from(times, (time) => (time < at ? side.train : time < until ? side.test : side.dropped));
}

/** The instant whose boundary comes nearest to the wanted share, among those that leave both sides something. */
function boundaryAt(times: Float64Array, testFraction: number): number {
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

function atRandom(length: number, testFraction: number, seed: number): Uint8Array {
  const sides = new Uint8Array(length);
  sides.fill(side.test, 0, Math.round(length * testFraction));
  return createRandom(seed).shuffle(sides);
}

function leaveLastOut(data: Interactions, perUser: number): Uint8Array {
  const sides = new Uint8Array(data.numInteractions);
  const { offsets, positions } = data.eventsByUser();
  for (let user = 0; user < data.numUsers; user++) {
    if (offsets[user + 1] - offsets[user] <= perUser) continue;
    const own = inTimeOrder(data, positions.slice(offsets[user], offsets[user + 1]));
    for (let e = own.length - perUser; e < own.length; e++) sides[own[e]] = side.test;
  }
  return sides;
}

function heldOutUsers(data: Interactions, spec: SplitSpec & { by: "held-out-users" }): Uint8Array {
  const testFraction = checkFraction("testFraction", spec.testFraction);
  const random = createRandom(checkSeed(spec.seed));
  if (spec.given !== undefined && spec.givenFraction !== undefined)
    throw wrong("given", spec.given, "Give either `given` or `givenFraction`, not both.");
  const given = spec.given === undefined ? undefined : checkCount("given", spec.given);
  const givenFraction = checkFraction("givenFraction", spec.givenFraction ?? 0.8);
  const { offsets, positions } = data.eventsByUser();
  const able: number[] = [];
  let active = 0;
  for (let user = 0; user < data.numUsers; user++) {
    const length = offsets[user + 1] - offsets[user];
    if (length > 0) active++;
    if (length > (given ?? 1)) able.push(user);
  }
  const sides = new Uint8Array(data.numInteractions);
  for (const user of random.shuffle(able).slice(0, Math.round(active * testFraction))) {
    const own = positions.slice(offsets[user], offsets[user + 1]);
    if (data.timestamp) inTimeOrder(data, own);
    else random.shuffle(own);
    const shown = given ?? Math.min(Math.max(Math.round(own.length * givenFraction), 1), own.length - 1);
    for (let e = 0; e < own.length; e++) sides[own[e]] = e < shown ? side.given : side.test;
  }
  return sides;
}

/** Sorts positions by time in place; the sort is stable, so equal times keep input order. */
function inTimeOrder(data: Interactions, positions: Int32Array): Int32Array {
  const { timestamp } = data;
  return timestamp ? positions.sort((a, b) => timestamp[a] - timestamp[b]) : positions;
}

function positionsOf(sides: Uint8Array, wanted: number): Int32Array {
  let count = 0;
  for (let e = 0; e < sides.length; e++) if (sides[e] === wanted) count++;
  const positions = new Int32Array(count);
  for (let e = 0, next = 0; e < sides.length; e++) if (sides[e] === wanted) positions[next++] = e;
  return positions;
}

function timesOf(data: Interactions, by: string): Float64Array {
  if (data.timestamp) return data.timestamp;
  throw new DataError(`A split by ${by} needs timestamps, and these interactions have none.`, {
    hint: "Name the time column when reading, or split by random, leave-last-out or held-out-users.",
  });
}

function describe(data: Interactions, spec: SplitSpec): string {
  if (!data.timestamp || (spec.by !== "time" && spec.by !== "last-days"))
    return `${data.numUsers} users, ${JSON.stringify(spec).replaceAll('"', "")}`;
  let first = Infinity;
  let last = -Infinity;
  for (const time of data.timestamp) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  const shown = (time: number) => (Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time));
  const boundary = spec.by === "time" && spec.at !== undefined ? `, boundary ${shown(spec.at)}` : "";
  return data.numInteractions === 0 ? "no times" : `from ${shown(first)} to ${shown(last)}${boundary}`;
}

function checkFraction(path: string, value: number): number {
  if (!(value > 0 && value < 1)) throw wrong(path, value, "A share above 0 and below 1, such as 0.2.");
  return value;
}

function checkCount(path: string, value: number): number {
  if (!(Number.isInteger(value) && value >= 1)) throw wrong(path, value, "A whole number of at least 1.");
  return value;
}

function checkSeed(value: number): number {
  if (!Number.isInteger(value)) throw wrong("seed", value, "Any whole number; the same seed gives the same split.");
  return value;
}

function checkNumber(path: string, value: number): number {
  if (!Number.isFinite(value)) throw wrong(path, value, "Milliseconds since 1970 UTC, such as Date.UTC(2011, 9, 9).");
  return value;
}

function wrong(path: string, got: unknown, hint: string): ConfigError {
  return new ConfigError(`The split's ${path} is ${got}.`, { hint, details: { path, got } });
}
