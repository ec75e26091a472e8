/**
 * k folds: every event, or every user with enough of them, is tested exactly once. Fold sizes differ by one at most.
 */
import { DataError } from "../../core/errors.js";
import { createRandom } from "../../core/random.js";
import type { Interactions } from "../interactions.js";
import { ableUsers, type GivenPart, holdOutUser } from "./held-out-users.js";
import { checkCount, checkSeed, side, wrong } from "./sides.js";

/**
 * - `of: "events"`: events are dealt at random.
 * - `of: "users"`: users are dealt at random; those of a fold have no event in its train, and are judged as by `held-out-users`.
 *   Users with too few events for both parts are in every train.
 */
export interface FoldsSpec extends GivenPart {
  by: "folds";
  /** Number of folds, 2 or more. */
  folds: number;
  /** Default "events". */
  of?: "events" | "users";
  seed: number;
}

/** The sides of all events for each fold in turn; computed when asked for. */
export function* foldSides(data: Interactions, spec: FoldsSpec): Generator<Uint8Array> {
  const folds = checkCount("folds", spec.folds, 2);
  const of = spec.of ?? "events";
  if (of !== "events" && of !== "users") throw wrong("of", of, 'Either "events" or "users".');
  if (of === "events" && (spec.given !== undefined || spec.givenFraction !== undefined))
    throw wrong("given", spec.given ?? spec.givenFraction, "Only folds of users have a given part.");
  const random = createRandom(checkSeed(spec.seed));
  const dealt = of === "users" ? random.shuffle(ableUsers(data, spec).able) : undefined;
  const size = dealt ? dealt.length : data.numInteractions;
  if (size < folds)
    throw new DataError(`${folds} folds need at least as many ${of}, and there are ${size}${dealt ? " with enough events" : ""}.`, {
      hint: "Ask for fewer folds.",
      details: { by: "folds", folds, size },
    });
  const foldOf = random.shuffle(Int32Array.from({ length: dealt ? 0 : size }, (_, e) => e % folds));
  for (let fold = 0; fold < folds; fold++) {
    const sides = new Uint8Array(data.numInteractions);
    if (dealt) {
      // A seed of its own, so that a fold does not depend on the ones before it.
      const own = createRandom(spec.seed + fold + 1);
      for (let u = fold; u < dealt.length; u += folds) holdOutUser(data, { ...spec, sides, user: dealt[u], random: own });
    } else for (let e = 0; e < foldOf.length; e++) if (foldOf[e] === fold) sides[e] = side.test;
    yield sides;
  }
}
