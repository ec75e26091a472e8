/**
 * Splits events into a part to learn from and a part to measure on. Pure: both sides keep input order and stand over the
 * same users and items; a side that would be empty is an error, because a metric over nothing is none.
 * The kinds are in splits/. Called by recipes, replication studies, tuning, and by anyone through the library.
 */
import { ConfigError, DataError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";
import { type Interactions, selectEvents } from "./interactions.js";
import { atRandom, atRandomPerUser } from "./splits/at-random.js";
import { boundaryAt, byLastDays, byTime, byTimePerUser } from "./splits/by-time.js";
import { type FoldsSpec, foldSides } from "./splits/fold-sides.js";
import { heldOutUsers } from "./splits/held-out-users.js";
import { leaveLastBasket, leaveLastOut } from "./splits/leave-last.js";
import { checkFraction, checkNumber, positionsOf, side, timesOf } from "./splits/sides.js";

export { alignInteractions } from "./splits/align.js";
export type { FoldsSpec } from "./splits/fold-sides.js";

/**
 * How to split.
 * - `time` with `at` (ms since 1970 UTC): test = events at or after `at`, before `until` where given (later ones are in neither side).
 * - `time` with `testFraction`: as above, `at` chosen so that about that share of the events is tested; events of one instant stay together.
 * - `last-days`: test = the last `days` × 24 hours, counted back from the last event (exclusive of the instant exactly that long ago).
 * - `time-per-user`: the last round(testFraction · n) of each user's n events, never all of them; equal times by input order.
 * - `random`: exactly round(testFraction · events) events, drawn by `seed`.
 * - `random-per-user`: round(testFraction · n) of each user's n events, never all of them, drawn by `seed`.
 * - `leave-last-out`: the last `perUser` events of each user with more events than that (by time, equal times by input order;
 *   without timestamps by input order).
 * - `leave-last-basket`: the last `perUser` (default 1) baskets of each user with more baskets than that, ordered by their first events.
 *   Events without a basket stay in train.
 * - `held-out-users`: round(testFraction · users) users, drawn by `seed`, have no event in train. The first `given` of their events
 *   (or `givenFraction` of them, default 0.8, at least one, never all) become `given`, the rest test: by time, or drawn by `seed`
 *   where there are no timestamps. Only users with enough events for both parts are drawn.
 *
 * In all kinds but `time`, `last-days` and `random`, events of unknown users stay in train.
 */
export type SplitSpec =
  | { by: "time"; at: number; until?: number; testFraction?: undefined }
  | { by: "time"; testFraction: number; at?: undefined; until?: undefined }
  | { by: "last-days"; days: number }
  | { by: "time-per-user"; testFraction: number }
  | { by: "random"; testFraction: number; seed: number }
  | { by: "random-per-user"; testFraction: number; seed: number }
  | { by: "leave-last-out"; perUser: number }
  | { by: "leave-last-basket"; perUser?: number }
  | { by: "held-out-users"; testFraction: number; seed: number; givenFraction?: number; given?: number };

/** All kinds of `split`. */
export const SPLIT_KINDS = [
  "time",
  "last-days",
  "time-per-user",
  "random",
  "random-per-user",
  "leave-last-out",
  "leave-last-basket",
  "held-out-users",
] as const satisfies readonly SplitSpec["by"][];

export interface SplitResult {
  train: Interactions;
  test: Interactions;
  /** Only `held-out-users` and folds of users: the events of the test users that a model may see as their history. */
  given?: Interactions;
}

/**
 * Splits `data` by `spec`; O(events), O(events · log events) where times are sorted.
 * Throws ConfigError on a wrong spec, DataError when timestamps or baskets are needed and missing or when a side would be empty.
 */
export function split(data: Interactions, spec: SplitSpec): SplitResult {
  return partsOf(data, sidesOf(data, spec), spec);
}

/**
 * Cross-validation: `folds` splits by which every event (or user) is tested exactly once; each is made when it is asked for.
 * Throws as `split` does, at the first fold.
 */
export function* splitFolds(data: Interactions, spec: FoldsSpec): Generator<SplitResult> {
  for (const sides of foldSides(data, spec)) yield partsOf(data, sides, spec);
}

/** Kinds that draw by a seed. */
export type DrawnSpec = Extract<SplitSpec, { seed: number }>;

/**
 * The same split drawn `repeats` times, by the seeds `seed`, `seed` + 1 …; and what is in the train side of every draw, from which more may be
 * held out without a look at any test side. Throws as `split` does, and DataError when no event is in all train sides.
 */
export function splitRepeats(data: Interactions, spec: DrawnSpec, repeats: number): { draws: SplitResult[]; rest: Interactions } {
  const always = new Uint8Array(data.numInteractions).fill(side.train);
  const draws = Array.from({ length: repeats }, (_, draw) => {
    const own = { ...spec, seed: spec.seed + draw };
    const sides = sidesOf(data, own);
    for (let e = 0; e < sides.length; e++) if (sides[e] !== side.train) always[e] = side.dropped;
    return partsOf(data, sides, own);
  });
  const rest = positionsOf(always, side.train);
  if (rest.length === 0)
    throw new DataError(`No event is in the train side of all ${repeats} draws of the split by ${spec.by}.`, {
      hint: "Test a smaller part, or draw fewer times.",
      details: { by: spec.by, repeats },
    });
  return { draws, rest: selectEvents(data, rest) };
}

function partsOf(data: Interactions, sides: Uint8Array, spec: SplitSpec | FoldsSpec): SplitResult {
  const part = (wanted: number) => selectEvents(data, positionsOf(sides, wanted));
  const counts = [0, 0, 0, 0];
  for (let e = 0; e < sides.length; e++) counts[sides[e]]++;
  for (const name of ["train", "test"] as const) {
    if (counts[side[name]] === 0) {
      throw new DataError(`The split by ${spec.by} leaves no events in ${name}: ${data.numInteractions} events, ${describe(data, spec)}.`, {
        hint: emptySideHint(spec, name),
        details: { by: spec.by, side: name },
      });
    }
  }
  const train = part(side.train);
  const test = part(side.test);
  return counts[side.given] > 0 ? { train, test, given: part(side.given) } : { train, test };
}

function sidesOf(data: Interactions, spec: SplitSpec): Uint8Array {
  switch (spec.by) {
    case "time": {
      const times = timesOf(data, spec.by);
      if (spec.testFraction !== undefined)
        return byTime(times, boundaryAt(times, checkFraction("testFraction", spec.testFraction)), Infinity);
      return byTime(times, checkNumber("at", spec.at), spec.until === undefined ? Infinity : checkNumber("until", spec.until));
    }
    case "last-days":
      return byLastDays(timesOf(data, spec.by), spec.days);
    case "time-per-user":
      return byTimePerUser(data, spec.testFraction);
    case "random":
      return atRandom(data.numInteractions, spec.testFraction, spec.seed);
    case "random-per-user":
      return atRandomPerUser(data, spec.testFraction, spec.seed);
    case "leave-last-out":
      return leaveLastOut(data, spec.perUser);
    case "leave-last-basket":
      return leaveLastBasket(data, spec.perUser ?? 1);
    case "held-out-users":
      return heldOutUsers(data, spec);
    default: {
      const unknown = String((spec as { by?: unknown }).by);
      throw new ConfigError(`There is no split by ${JSON.stringify(unknown)}.`, {
        hint: unknown === "folds" ? "Folds are several splits: call splitFolds." : nameHint(unknown, SPLIT_KINDS),
        details: { path: "by", got: unknown },
      });
    }
  }
}

function emptySideHint(spec: SplitSpec | FoldsSpec, empty: "train" | "test"): string {
  if (spec.by === "leave-last-out" || spec.by === "leave-last-basket")
    return `No user has more than ${spec.perUser ?? 1} ${spec.by === "leave-last-out" ? "events" : "baskets"}; leave fewer out or split by time or random.`;
  return empty === "train" ? "Move the boundary later or test a smaller part." : "Move the boundary earlier or test a larger part.";
}

function describe(data: Interactions, spec: SplitSpec | FoldsSpec): string {
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
