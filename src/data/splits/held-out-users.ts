/**
 * Strong generalisation (Marlin 2004; Liang et al. 2018): test users have no event in train; a model sees a part of their
 * history (`given`) and is judged on the rest. One draw of users (`held-out-users`), or folds of all of them (`folds.ts`).
 */
import { createRandom, type Random } from "../../core/random.js";
import type { Interactions } from "../interactions.js";
import { checkCount, checkFraction, checkSeed, inTimeOrder, side, wrong } from "./sides.js";

export interface GivenPart {
  /** So many events are shown. */
  given?: number;
  /** Such a share of them is shown. Default 0.8. */
  givenFraction?: number;
}

export function heldOutUsers(data: Interactions, spec: GivenPart & { testFraction: number; seed: number }): Uint8Array {
  const testFraction = checkFraction("testFraction", spec.testFraction);
  const random = createRandom(checkSeed(spec.seed));
  const { able, active } = ableUsers(data, spec);
  const sides = new Uint8Array(data.numInteractions);
  for (const user of random.shuffle(able).slice(0, Math.round(active * testFraction))) holdOutUser(data, { sides, user, random, ...spec });
  return sides;
}

/** Users with enough events for both parts, and how many have any. */
export function ableUsers(data: Interactions, { given, givenFraction }: GivenPart): { able: number[]; active: number } {
  if (given !== undefined && givenFraction !== undefined) throw wrong("given", given, "Give either `given` or `givenFraction`, not both.");
  if (given !== undefined) checkCount("given", given);
  if (givenFraction !== undefined) checkFraction("givenFraction", givenFraction);
  const { offsets } = data.eventsByUser();
  const able: number[] = [];
  let active = 0;
  for (let user = 0; user < data.numUsers; user++) {
    const length = offsets[user + 1] - offsets[user];
    if (length > 0) active++;
    if (length > (given ?? 1)) able.push(user);
  }
  return { able, active };
}

/** Puts one user's events into `given` and `test`: by time, or drawn where there are no timestamps. */
export function holdOutUser(
  data: Interactions,
  { sides, user, random, given, givenFraction = 0.8 }: GivenPart & { sides: Uint8Array; user: number; random: Random },
): void {
  const { offsets, positions } = data.eventsByUser();
  const own = positions.slice(offsets[user], offsets[user + 1]);
  if (data.timestamp) inTimeOrder(data, own);
  else random.shuffle(own);
  const shown = given ?? Math.min(Math.max(Math.round(own.length * givenFraction), 1), own.length - 1);
  for (let e = 0; e < own.length; e++) sides[own[e]] = e < shown ? side.given : side.test;
}
