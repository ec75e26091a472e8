/**
 * Small data for contract tests: rectangular (more items than users), asymmetric, unequal weights, duplicates,
 * an unknown user, users and items without events. Built from a seed by `createRandom`.
 */
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";

export interface FixtureSize {
  numUsers?: number;
  numItems?: number;
  events?: number;
  seed?: number;
}

export const DAY = 86_400_000;

/** The last user and the last two items have no events; user −1 has some. */
export function fixture({ numUsers = 23, numItems = 37, events = 400, seed = 1 }: FixtureSize = {}): Interactions {
  const random = createRandom(seed);
  const userIndex = new Int32Array(events);
  const itemIndex = new Int32Array(events);
  const weight = new Float32Array(events);
  const timestamp = new Float64Array(events);
  const basket = new Int32Array(events);
  for (let e = 0; e < events; e++) {
    const user = random.integer(numUsers) - 1; // −1 … numUsers − 2
    const group = (user + 1) % 3; // three tastes over overlapping thirds of the catalogue
    userIndex[e] = user;
    itemIndex[e] = Math.min(numItems - 3, Math.floor((random.uniform() ** 2 * numItems) / 2 + (group * numItems) / 5));
    weight[e] = 1 + random.integer(4) / 2;
    timestamp[e] = 1_600_000_000_000 + Math.floor(e / 2) * DAY;
    basket[e] = Math.floor(e / 2);
  }
  return Interactions.fromArrays({ userIndex, itemIndex, weight, timestamp, basket, numUsers, numItems });
}
