/** Rating problems for the kernel suites: rectangular, asymmetric, pairs rated twice, users and items without ratings, rows of chosen lengths. */
import { createRandom } from "../../src/core/random.js";
import type { RatingEvents } from "../../src/kernels/rating-layout.js";
import type { RatingFactors } from "../../src/kernels/rating-sgd.js";
import { normals } from "./als-fixture.js";

/** User u rates `lengths[u]` items drawn with repetition from all but the last one. */
export function ratingEvents({ lengths, numItems, seed }: { lengths: readonly number[]; numItems: number; seed: number }): RatingEvents {
  const random = createRandom(seed);
  const users = lengths.flatMap((length, user) => new Array<number>(length).fill(user));
  return {
    numUsers: lengths.length,
    numItems,
    userIndex: random.shuffle(Int32Array.from(users)),
    itemIndex: Int32Array.from(users, () => random.integer(Math.max(1, numItems - 1))),
    values: Float32Array.from(users, () => random.normal()),
  };
}

export function startValues({ numUsers, numItems }: RatingEvents, factors: number, { implicit = false } = {}): RatingFactors {
  return {
    userFactors: normals(numUsers * factors, 1),
    itemFactors: normals(numItems * factors, 2),
    userBias: normals(numUsers, 3),
    itemBias: normals(numItems, 4),
    implicitFactors: implicit ? normals(numItems * factors, 5) : undefined,
  };
}
