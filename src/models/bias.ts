/**
 * Bias: a rating as the mean plus what item and user deviate from it, shrunk towards zero where there are few ratings.
 *   r̂(u, i) = μ + b_i + b_u,  b_i = Σ_u (r − μ) / (itemShrinkage + #i),  b_u = Σ_i (r − μ − b_i) / (userShrinkage + #u)
 * Koren (2010), Factor in the neighbors, eq. 2: the baseline predictor that every rating model must beat.
 * Weights of the data are the ratings; a pair rated twice counts with each of its ratings. With fewer `terms` it is a still simpler
 * measure for others: 0, the mean, or (itemShrinkage 0) the mean of each item.
 */
import { z } from "zod";
import type { FittedModel, ModelDefinition } from "../core/model.js";
import { savedFloat32 } from "./parts/saved-arrays.js";

const schema = z.strictObject({
  terms: z.enum(["none", "mean", "item", "item-and-user"]).default("item-and-user"),
  itemShrinkage: z.number().min(0).default(5),
  userShrinkage: z.number().min(0).default(5),
});

export type BiasParams = z.output<typeof schema>;

interface Biases {
  mean: number;
  user: Float32Array;
  item: Float32Array;
}

export const bias: ModelDefinition<BiasParams> = {
  name: "bias",
  title: "User and item biases",
  reference: "Koren (2010), Factor in the neighbors: scalable and accurate collaborative filtering",
  description: "Predicts a rating from the mean, the item's and the user's deviation. The baseline of rating models.",
  task: "rate",
  starter: true,
  params: schema,
  help: {
    terms: {
      help: "What the prediction is made of: none = 0, the mean, the mean with the item's deviation, or with item and user.",
      tune: false,
    },
    itemShrinkage: { help: "Ratings of the mean that each item is given beforehand.", range: [0.5, 50], scale: "log" },
    userShrinkage: { help: "Ratings of the mean that each user is given beforehand.", range: [0.5, 50], scale: "log" },
  },

  async fit(train, params) {
    const { numUsers, numItems, numInteractions, userIndex, itemIndex, weight } = train;
    const { terms } = params;
    const mean = terms === "none" ? 0 : weight.reduce((sum, rating) => sum + rating, 0) / numInteractions;
    const item = shrunkMeans(numItems, params.itemShrinkage, (add) => {
      if (terms === "none" || terms === "mean") return;
      for (let e = 0; e < numInteractions; e++) add(itemIndex[e], weight[e] - mean);
    });
    const user = shrunkMeans(numUsers, params.userShrinkage, (add) => {
      if (terms !== "item-and-user") return;
      for (let e = 0; e < numInteractions; e++) if (userIndex[e] >= 0) add(userIndex[e], weight[e] - mean - item[itemIndex[e]]);
    });
    return biasModel({ numUsers, numItems }, params, { mean, user, item });
  },

  restore({ params, numUsers, numItems, state }) {
    const user = savedFloat32(state, "user_bias", [numUsers]);
    const item = savedFloat32(state, "item_bias", [numItems]);
    return biasModel({ numUsers, numItems }, params, { mean: Number(state.extra?.mean), user, item });
  },
  partialRefit: {
    how: "Averaged again over all ratings, in one pass.",
    refit: ({ params }, train, context) => bias.fit(train, params as BiasParams, context),
  },
};

/** Σ values / (shrinkage + count) for each row; 0 where there is nothing. */
function shrunkMeans(size: number, shrinkage: number, visit: (add: (row: number, value: number) => void) => void): Float32Array {
  const sums = new Float64Array(size);
  const counts = new Float64Array(size);
  visit((row, value) => {
    sums[row] += value;
    counts[row]++;
  });
  return Float32Array.from(sums, (sum, row) => (counts[row] > 0 ? sum / (shrinkage + counts[row]) : 0));
}

function biasModel(size: { numUsers: number; numItems: number }, params: BiasParams, { mean, user, item }: Biases): FittedModel {
  const { numUsers, numItems } = size;
  /** A given history stands for the user: its ratings give the bias. */
  const biasOf = ({ userIndex = -1, history }: { userIndex?: number; history?: readonly { itemIndex: number; weight?: number }[] }) => {
    if (!history?.length || params.terms !== "item-and-user") return userIndex >= 0 ? user[userIndex] : 0;
    const sum = history.reduce((total, { itemIndex, weight = 1 }) => total + weight - mean - item[itemIndex], 0);
    return Math.fround(sum / (params.userShrinkage + history.length));
  };
  return {
    name: "bias",
    params,
    numUsers,
    numItems,
    personal: false, // an unknown user is predicted too, with bias 0
    async scoreAll(queries, out) {
      queries.forEach((query, q) => {
        const own = mean + biasOf(query);
        for (let i = 0; i < numItems; i++) out[q * numItems + i] = own + item[i];
      });
    },
    async scoreCandidates(queries, itemIndexes, out) {
      queries.forEach((query, q) => {
        const own = mean + biasOf(query);
        for (let c = 0; c < itemIndexes.length; c++) out[q * itemIndexes.length + c] = own + item[itemIndexes[c]];
      });
    },
    state: () => ({
      arrays: { user_bias: { shape: [numUsers], data: user }, item_bias: { shape: [numItems], data: item } },
      extra: { mean },
    }),
  };
}
