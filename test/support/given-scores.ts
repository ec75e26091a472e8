/** A recommender that answers with given scores per user: the fixture for judging lists whose order is known. */
import type { FittedModel } from "../../src/core/model.js";
import { numberedIds } from "../../src/data/id-map.js";
import { Interactions } from "../../src/data/interactions.js";
import { createRecommender } from "../../src/ranking/create-recommender.js";
import type { Recommender } from "../../src/ranking/recommender.js";

export interface GivenScores {
  /** By user and item. */
  scores: readonly (readonly number[])[];
  /** By user: pairs of item and weight. Default: none. */
  history?: readonly (readonly (readonly number[])[])[];
  /** By item. Default: the number of users with the item. */
  popularity?: readonly number[];
  itemVectors?: readonly (readonly number[])[];
  userVectors?: readonly (readonly number[])[];
  /** Routes of its own, such as `similarItems` or `explain`. */
  routes?: Partial<FittedModel>;
}

export function givenScores({ scores, history = [], popularity, itemVectors, userVectors, routes }: GivenScores): Recommender {
  const numUsers = scores.length;
  const numItems = scores[0].length;
  const events = history.flatMap((row, user) => row.map(([item, weight = 1]) => ({ user, item, weight })));
  const train = Interactions.fromArrays({
    userIndex: events.map(({ user }) => user),
    itemIndex: events.map(({ item }) => item),
    weight: events.map(({ weight }) => weight),
    numUsers,
    numItems,
  });
  const fitted: FittedModel = {
    name: "given",
    params: {},
    numUsers,
    numItems,
    personal: false,
    async scoreAll(queries, out) {
      queries.forEach(({ userIndex = 0 }, q) => {
        out.set(scores[userIndex], q * numItems);
      });
    },
    itemSimilarityVectors: itemVectors && { dimensions: itemVectors[0].length, vectors: Float32Array.from(itemVectors.flat()) },
    userSimilarityVectors: userVectors && { dimensions: userVectors[0].length, vectors: Float32Array.from(userVectors.flat()) },
    state: () => ({ arrays: {} }),
    ...routes,
  };
  const counts = new Float32Array(numItems);
  for (const { item } of events) counts[item]++;
  return createRecommender({
    fitted,
    users: numberedIds(numUsers),
    items: numberedIds(numItems),
    seen: train.matrixByUser(),
    popularity: popularity ? Float32Array.from(popularity) : counts,
    threads: 1,
  });
}
