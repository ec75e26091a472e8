/**
 * Retrieval of users by two towers: the mean of the embeddings of some items on one side, the embedding of a user on the other.
 *   q = mean of e_i over the given items,  s_v = q · u_v,
 *   score(i) = Σ_{v among the K users with the largest s} exp(s_v − max s) · x_vi, x = weighted value
 * Users who have nothing beyond the given items are passed over. Equal scores go by popularity, which counts for a thousandth; so do, behind
 * all others, items that none of the K has. Training: parts/user-retrieval-training.ts; scoring needs no runtime.
 * After "How to build a machine learning recommendation engine with TensorFlow & HarperDB" (2022), where K = 1.
 */
import { z } from "zod";
import type { Csr } from "../core/interactions.js";
import type { FittedModel, ModelDefinition } from "../core/model.js";
import { createPacer } from "../core/pacer.js";
import { topOfRow } from "../ranking/top-of-row.js";
import { savedFloat32 } from "./parts/saved-arrays.js";
import { weightingOf } from "./parts/similarity.js";
import { type HistoryRow, historyRow } from "./parts/user-history.js";
import { type UserRetrievalParams, userRetrievalSchema } from "./parts/user-retrieval-params.js";
import { fitUserRetrieval, meanOfItems, type TrainedUserRetrieval } from "./parts/user-retrieval-training.js";

export const userRetrieval: ModelDefinition<UserRetrievalParams> = {
  name: "user-retrieval",
  title: "Retrieval of users",
  reference: "How to build a machine learning recommendation engine with TensorFlow & HarperDB (2022)",
  description: "Two towers, one for a few items and one for users, trained so that they meet; recommends what the nearest users have most.",
  task: "retrieve",
  params: userRetrievalSchema,
  help: {
    dimensions: { help: "Width of the vectors.", range: [8, 128], scale: "log" },
    neighbours: { help: "Users whose items are recommended; 1 = the nearest alone.", range: [1, 500], scale: "log" },
    weighting: { help: "What a weight of such a user counts: 1, its logarithm, or the weight itself." },
    others: { help: "What follows the items of those users: popular ones, or none.", tune: false },
    historyItems: { help: "Items drawn of a user for a training example, with replacement.", range: [1, 10] },
    samplesPerItem: { help: "Training examples made of a user, for each item that the user has.", tune: false },
    batchSize: { help: "Examples of a step; their users are each other's negatives.", tune: false },
    stepsPerEpoch: { help: "Steps of an epoch.", tune: false, fast: 5 },
    epochs: { help: "Epochs.", range: [5, 100], scale: "log", fast: 2 },
    learningRate: { help: "Of Adagrad, by the sum of a batch's losses.", range: [0.01, 0.5], scale: "log" },
    initScale: { help: "Size of the random start of a vector.", tune: false },
  },
  skips: [{ check: "permutes its answers when users and items are relabelled", reason: "the seeded start goes by index" }],
  complexity: 70,
  onlyIfNamed: "its training takes minutes, and the nearest neighbours answer the same question better",
  needs: "onnxruntime",

  async fit(train, params, context) {
    const seen = train.matrixByUser();
    return userRetrievalModel(params, { seen, ...(await fitUserRetrieval(seen, params, context)) });
  },

  restore({ params, numUsers, numItems, state, seen }) {
    return userRetrievalModel(params, {
      seen,
      itemVectors: savedFloat32(state, "item_vectors", [numItems, params.dimensions]),
      userVectors: savedFloat32(state, "user_vectors", [numUsers, params.dimensions]),
      losses: z.array(z.number()).parse(state.extra?.losses),
      figures: z.record(z.string(), z.number()).parse(state.extra?.figures),
    });
  },

  partialRefit: { unavailable: "its towers are trained anew on all events; new events of known users are folded in as history" },
};

/** Share of a score that popularity may add, to order equal ones. */
const TIE_SHARE = 1e-3;

function userRetrievalModel(params: UserRetrievalParams, trained: TrainedUserRetrieval & { seen: Csr }): FittedModel {
  const { seen, itemVectors, userVectors, losses, figures } = trained;
  const { numRows: numUsers, numColumns: numItems } = seen;
  const { dimensions, neighbours, others } = params;
  const weigh = weightingOf(params.weighting);
  const holders = new Float32Array(numItems);
  for (const item of seen.indices) holders[item]++;
  const mostHolders = holders.reduce((most, count) => Math.max(most, count), 1);
  const similarities = new Float32Array(numUsers);

  /** The nearest users with something that is not in the history, best first. */
  const nearest = (row: HistoryRow): { users: Int32Array; similarity: Float32Array } => {
    const given = new Set(row.indices);
    const query = meanOfItems(
      itemVectors,
      row.indices.filter((item) => holders[item] > 0),
      dimensions,
    );
    for (let user = 0; user < numUsers; user++) {
      let sum = 0;
      for (let d = 0, at = user * dimensions; d < dimensions; d++) sum += query[d] * userVectors[at + d];
      similarities[user] = seen.offsets[user + 1] > seen.offsets[user] ? sum : -Infinity;
    }
    const hasMore = (user: number) => {
      for (let e = seen.offsets[user]; e < seen.offsets[user + 1]; e++) if (!given.has(seen.indices[e])) return true;
      return false;
    };
    for (let count = Math.min(numUsers, neighbours + 20); ; count = Math.min(numUsers, 4 * count)) {
      const [itemIndex, score] = [new Int32Array(count), new Float32Array(count)];
      const found = topOfRow(similarities, { itemIndex, score, at: 0, topK: count });
      const places = [...itemIndex.subarray(0, found).keys()].filter((k) => hasMore(itemIndex[k])).slice(0, neighbours);
      if (places.length === neighbours || count === numUsers || found < count)
        return { users: Int32Array.from(places, (k) => itemIndex[k]), similarity: Float32Array.from(places, (k) => score[k]) };
    }
  };

  return {
    name: "user-retrieval",
    params,
    numUsers,
    numItems,
    personal: true,
    losses,
    figures,

    async scoreAll(queries, out) {
      const pace = createPacer(undefined);
      const sums = new Float64Array(numItems);
      for (let q = 0; q < queries.length; q++) {
        await pace();
        const row = historyRow(queries[q], seen);
        sums.fill(0);
        if (row.indices.length > 0) {
          const { users, similarity } = nearest(row);
          for (let k = 0; k < users.length; k++) {
            const share = Math.exp(similarity[k] - similarity[0]);
            for (let e = seen.offsets[users[k]]; e < seen.offsets[users[k] + 1]; e++)
              sums[seen.indices[e]] += share * weigh(seen.values[e]);
          }
        }
        const least = sums.reduce((smallest, sum) => (sum > 0 && sum < smallest ? sum : smallest), 1);
        for (let item = 0, at = q * numItems; item < numItems; item++) {
          const share = (TIE_SHARE * holders[item]) / mostHolders;
          out[at + item] = sums[item] > 0 ? sums[item] * (1 + share) : others === "none" ? -Infinity : least * share;
        }
      }
    },

    itemSimilarityVectors: { dimensions, vectors: itemVectors },
    userSimilarityVectors: { dimensions, vectors: userVectors },
    state: () => ({
      arrays: {
        item_vectors: { shape: [numItems, dimensions], data: itemVectors },
        user_vectors: { shape: [numUsers, dimensions], data: userVectors },
      },
      extra: { losses: [...losses], figures: { ...figures } },
    }),
  };
}
