/**
 * Two towers: one turns what is known of a user into a vector, the other what is known of an item; the score is their product.
 *   q = tower(id, side features, mean of the embeddings of the user's items),  c = tower(id, side features),  score = qᵀ c + temperature · popularity · log share(item)
 * Trained by softmax over the items of a batch and shared negatives, corrected for their popularity (parts/tower-training.ts). Item
 * vectors are computed once; users, also unseen ones, go through their tower when they ask.
 * Yi et al. (2019), Sampling-bias-corrected neural modeling for large corpus item recommendations. Runs on ONNX Runtime.
 */
import { z } from "zod";
import type { FittedModel, ModelDefinition, ModelState, Query } from "../core/model.js";
import { createRandom } from "../core/random.js";
import { createParameters } from "../nn/parameters.js";
import { createGraph, input } from "../nn/tensor.js";
import { withBias } from "./parts/biased-vectors.js";
import { savedFloat32, savedUint8 } from "./parts/saved-arrays.js";
import { towerInputs, towerVectors } from "./parts/tower-network.js";
import { fitTwoTower, type TrainedTwoTower } from "./parts/two-tower-fit.js";
import { twoTowerOnnx } from "./parts/two-tower-onnx.js";
import { type TwoTowerParams, twoTowerSchema } from "./parts/two-tower-params.js";
import { savedSides, sideState } from "./parts/two-tower-sides.js";
import { createTowerEncoder, questionsOf } from "./parts/two-tower-vectors.js";

export const twoTower: ModelDefinition<TwoTowerParams> = {
  name: "two-tower",
  title: "Two towers",
  reference: "Yi et al. (2019), Sampling-bias-corrected neural modeling for large corpus item recommendations",
  description:
    "A network for users (id, side features, their items) and one for items (id, side features), trained so that their vectors meet; new users and items with features get vectors, too.",
  task: "retrieve",
  params: twoTowerSchema,
  help: {
    dimensions: { help: "Width of embeddings and of the vectors.", range: [16, 256], scale: "log" },
    layers: { help: "Widths of relu layers in each tower; none: a tower is the sum of its embeddings.", tune: false },
    userInputs: { help: "What the user tower reads: id, features, history (the mean of the user's items).", tune: false },
    itemInputs: { help: "What the item tower reads: id, features.", tune: false },
    historyItems: {
      help: "Items of the user drawn for the history of a training example; scoring takes them all.",
      range: [3, 200],
      scale: "log",
    },
    historyExponent: { help: "A history of n items is summed and divided by n to this power: 1 for the mean.", range: [0.3, 1] },
    normalize: { help: "Vectors of length 1, so that scores are cosines.", tune: false },
    temperature: { help: "Scores are divided by it in the loss; low with normalised vectors.", range: [0.03, 2], scale: "log" },
    popularity: { help: "Share of the log of an item's popularity in its score; below 1 lists are less popular.", range: [0.3, 1] },
    logQ: { help: "Correct for how often an item comes up as a negative.", tune: false },
    hits: { help: "Left out of an example's negatives: the same item (same), or all items the user has (known).", tune: false },
    negatives: { help: "Items drawn from all, added to the negatives of each batch.", tune: false },
    batchSize: { help: "Most examples of a step, which are each other's negatives.", range: [128, 4096], scale: "log" },
    stepsPerEpoch: { help: "Steps that an epoch has at least: small data is cut into smaller batches.", tune: false },
    lossOf: {
      help: "A step's loss: the mean over its examples, or their sum, which adagrad with its fixed start needs large.",
      tune: false,
    },
    dropout: { help: "Share of values dropped in training.", range: [0, 0.5] },
    unknownShare: { help: "Chance of a feature, or the id, to be made unknown in a training example.", range: [0, 0.5] },
    textBuckets: { help: "Embeddings that the words of a text column share.", tune: false },
    initScale: { help: "Size of the random start of a vector.", tune: false },
    optimizer: { help: "adam or adagrad.", tune: false },
    learningRate: { help: "Of the optimizer; about 5e-3 for adam, 0.1 for adagrad.", range: [1e-4, 1e-1], scale: "log" },
    weightDecay: { help: "Share of each touched parameter taken off per unit of learning rate.", range: [1e-4, 10], scale: "log" },
    epochs: { help: "Most passes over the data.", tune: false, fast: 2 },
    patience: { help: "Epochs without a better validation value before training stops.", tune: false },
    averaging: {
      help: "Share of the running mean of the weights that an epoch leaves; the mean is what is kept. 0: the weights.",
      range: [0, 0.9],
    },
    validationShare: { help: "Share of users of whom a fifth of the items is held out to stop on; 0 = train all epochs.", tune: false },
  },
  skips: [{ check: "permutes its answers when users and items are relabelled", reason: "the seeded start goes by index" }],
  complexity: 75,
  needs: "onnxruntime",

  async fit(train, params, context) {
    const { numUsers, numItems } = train;
    return twoTowerModel({ numUsers, numItems }, params, await fitTwoTower(train, params, context));
  },

  restore({ params, numUsers, numItems, state, seen }) {
    const sides = savedSides(state, params, { numUsers, numItems });
    const parameters = createParameters(createRandom(0));
    parameters.restore(state.arrays);
    const graph = createGraph(); // every parameter is mentioned once, so that they are all here to be saved again
    const { shape } = sides.queries;
    const inputs = Object.entries(towerInputs(shape)).map(([name, width]) => [name, input(graph, name, [1, width])]);
    towerVectors({ graph, parameters, masks: [], dropout: 0 }, Object.fromEntries(inputs), shape);
    return twoTowerModel({ numUsers, numItems }, params, {
      sides,
      parameters,
      seen,
      itemVectors: savedFloat32(state, "item_vectors", [numItems, params.dimensions]),
      itemBias: savedFloat32(state, "item_bias", [numItems]),
      knownUsers: savedUint8(state, "known_users", [numUsers]),
      knownItems: savedUint8(state, "known_items", [numItems]),
      losses: z.array(z.number()).parse(state.extra?.losses),
    });
  },

  partialRefit: { unavailable: "its towers are trained anew on all events; new events of known users are folded in as history" },
};

function twoTowerModel(size: { numUsers: number; numItems: number }, params: TwoTowerParams, trained: TrainedTwoTower): FittedModel {
  const { sides, parameters, seen, itemVectors, itemBias, knownUsers, knownItems, losses } = trained;
  const { numUsers, numItems } = size;
  const { dimensions } = params;
  const encoder = createTowerEncoder({ parameters, source: sides.queries });
  const own = parameters.list.filter(({ name }) => name.startsWith("user."));
  return {
    name: "two-tower",
    params,
    numUsers,
    numItems,
    personal: true,
    losses,
    vectors: {
      dimensions: dimensions + 1,
      itemVectors: withBias(itemVectors, itemBias, new Float32Array(numItems * (dimensions + 1))),
      async encode(queries: readonly Query[], out) {
        const vectors = new Float32Array(queries.length * dimensions);
        await encoder.encode(questionsOf(queries, { seen, knownItems, params }), vectors);
        withBias(vectors, params.temperature, out.subarray(0, queries.length * (dimensions + 1)));
      },
    },
    itemSimilarityVectors: { dimensions, vectors: itemVectors },
    toOnnx: async () =>
      twoTowerOnnx({ title: twoTower.title, parameters, source: sides.queries, itemVectors, itemBias, knownItems, numUsers, ...params }),
    knowsUser: (user) => knownUsers[user] === 1,
    knowsItem: (item) => knownItems[item] === 1,
    state(): ModelState {
      const { arrays, extra } = sideState(sides);
      return {
        arrays: {
          ...arrays,
          ...Object.fromEntries(own.map(({ name, shape, values }) => [name, { shape, data: values }])),
          item_vectors: { shape: [numItems, dimensions], data: itemVectors },
          item_bias: { shape: [numItems], data: itemBias },
          known_users: { shape: [numUsers], data: knownUsers },
          known_items: { shape: [numItems], data: knownItems },
        },
        extra: { ...extra, losses: [...losses] },
      };
    },
  };
}
