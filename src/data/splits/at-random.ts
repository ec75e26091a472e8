/**
 * Random splits: a share of all events (`random`), or the same share of each user's (`random-per-user`), drawn by a seed.
 */
import { createRandom } from "../../core/random.js";
import type { Interactions } from "../interactions.js";
import { checkFraction, checkSeed, eachUser, shareOf, side } from "./sides.js";

export function atRandom(length: number, testFraction: number, seed: number): Uint8Array {
  const sides = new Uint8Array(length);
  sides.fill(side.test, 0, Math.round(length * checkFraction("testFraction", testFraction)));
  return createRandom(checkSeed(seed)).shuffle(sides);
}

export function atRandomPerUser(data: Interactions, testFraction: number, seed: number): Uint8Array {
  checkFraction("testFraction", testFraction);
  const random = createRandom(checkSeed(seed));
  const sides = new Uint8Array(data.numInteractions);
  eachUser(data, (positions) => {
    const own = random.shuffle(positions);
    for (let e = shareOf(own.length, testFraction) - 1; e >= 0; e--) sides[own[e]] = side.test;
  });
  return sides;
}
