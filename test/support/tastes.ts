/**
 * Planted tastes for tests of what models learn: popular items, and users who take nine of ten items from their quarter of the catalogue.
 */
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";

/** Users have one of four tastes: nine of ten items from its quarter of the catalogue, popular ones more often. */
export function tastes({ numUsers = 240, numItems = 200, perUser = 24, seed = 1 } = {}): Interactions {
  const random = createRandom(seed);
  const events = Array.from({ length: numUsers * perUser }, (_, e) => {
    const user = e % numUsers;
    const taste = random.uniform() < 0.9 ? user % 4 : random.integer(4);
    return { user, item: 4 * Math.floor((random.uniform() ** 2 * numItems) / 4) + taste };
  });
  return Interactions.fromArrays({
    userIndex: events.map(({ user }) => user),
    itemIndex: events.map(({ item }) => item),
    numUsers,
    numItems,
  });
}
