/**
 * SASRec: self-attention over a user's items in order; what comes next is the item whose vector fits the last state best.
 *   score(i) = state(history)ᵀ e_i,  loss = −log softmax over all items (or over shared negatives) at every position
 * Kang & McAuley (2018), Self-attentive sequential recommendation; with softmax instead of the paper's one negative per position
 * (Petrov & Macdonald 2023 and Klenitskiy & Vasilev 2023 show how much that changes). Runs on ONNX Runtime.
 */
import { z } from "zod";
import type { FittedModel, ModelDefinition, ModelState, Query } from "../core/model.js";
import { createRandom } from "../core/random.js";
import { createParameters, type Parameters } from "../nn/parameters.js";
import { itemTable } from "./parts/item-table.js";
import { trainNextItem } from "./parts/next-item-training.js";
import { sasrecState } from "./parts/sasrec-network.js";
import { savedFloat32 } from "./parts/saved-arrays.js";
import { createSequenceEncoder, type SequenceNetwork } from "./parts/sequence-encoder.js";
import { sequenceOnnx } from "./parts/sequence-onnx.js";
import { type ItemSequences, savedSequences, sequenceArrays, sequenceOf, userSequences } from "./parts/user-sequences.js";

const schema = z
  .strictObject({
    dimensions: z.int().min(1).max(1024).default(64),
    blocks: z.int().min(1).max(12).default(2),
    heads: z.int().min(1).max(16).default(1),
    maxLength: z.int().min(1).max(400).default(50),
    dropout: z.number().min(0).lt(1).default(0.4),
    loss: z.enum(["auto", "full", "sampled", "gbce"]).default("auto"),
    negatives: z.int().min(1).max(100_000).default(512),
    calibration: z.number().min(0).max(1).default(0.75),
    batchPositions: z.int().min(1).max(100_000).default(800),
    epochs: z.int().min(1).max(10_000).default(60),
    learningRate: z.number().positive().default(1e-3),
    averaging: z.number().min(0).lt(1).default(0.8),
    patience: z.int().min(1).default(5),
    validationShare: z.number().min(0).lt(1).default(0.1),
    features: z.boolean().default(true),
  })
  .refine(({ dimensions, heads }) => dimensions % heads === 0, { path: ["heads"], message: "dimensions must be a multiple of heads" });

export type SasrecParams = z.output<typeof schema>;

export const sasrec: ModelDefinition<SasrecParams> = {
  name: "sasrec",
  title: "SASRec",
  reference: "Kang & McAuley (2018), Self-attentive sequential recommendation",
  description: "Self-attention over a user's items in order of time; predicts the next one.",
  task: "sequence",
  params: schema,
  help: {
    dimensions: { help: "Width of item vectors and states.", range: [32, 256], scale: "log" },
    blocks: { help: "Attention blocks.", range: [1, 4] },
    heads: { help: "Attention heads per block; a divisor of dimensions.", tune: false },
    maxLength: { help: "Newest items that are looked at.", range: [10, 200], scale: "log", tune: false },
    dropout: { help: "Share of values dropped in training.", range: [0, 0.6] },
    loss: {
      help: "full: softmax over all items; sampled: over shared negatives; gbce: cross-entropy with shared negatives; auto: full up to 20,000 items.",
      tune: false,
    },
    negatives: { help: "Shared negatives per batch of the losses sampled and gbce.", range: [64, 4096], scale: "log", tune: false },
    calibration: { help: "Of gbce: how far chances are corrected for the few negatives; 0 = not at all.", range: [0, 1], tune: false },
    batchPositions: { help: "Events that one step of training learns from, about.", range: [400, 6400], scale: "log", tune: false },
    epochs: { help: "Most passes over the data.", tune: false, fast: 2 },
    learningRate: { help: "Of Adam, after 100 steps of warm-up.", range: [1e-4, 1e-2], scale: "log" },
    averaging: {
      help: "How much of the running mean of its weights each epoch keeps; 0 = the last weights instead of the mean.",
      tune: false,
    },
    patience: { help: "Epochs without a better validation value before training stops.", tune: false },
    validationShare: { help: "Share of users whose last event is held out to stop on; 0 = train all epochs.", tune: false },
    features: { help: "Whether item features, where there are any, are part of the item vectors.", tune: false },
  },
  skips: [{ check: "permutes its answers when users and items are relabelled", reason: "the seeded start goes by index" }],
  complexity: 80,
  needs: "onnxruntime",
  unsuited: ({ hasTimestamps, numInteractions, numUsers }) => {
    if (!hasTimestamps) return "the data has no times to order events by";
    return numInteractions < 3 * numUsers ? "users have fewer than three events on average" : undefined;
  },

  async fit(train, params, context) {
    const { numUsers, numItems } = train;
    const sequences = userSequences(train);
    const random = createRandom(context.seed);
    const parameters = createParameters(random);
    const resumed = context.checkpoint?.resumeFrom?.state.arrays;
    if (resumed) parameters.restore(resumed);
    const items = itemTable(train, params, { random, saved: resumed, features: context.itemFeatures });
    const network = { parameters, tables: [items] };
    const { losses } = await trainNextItem(
      { stage: "sasrec", sequences, states: networkOf(params), network, items, numItems },
      params,
      context,
    );
    return sasrecModel({ numUsers, numItems, losses }, params, {
      parameters,
      items: items.values,
      sequences: userSequences(train, params.maxLength),
    });
  },

  restore({ params, numUsers, numItems, state }) {
    const parameters = createParameters(createRandom(0));
    const { items: _items, offsets: _offsets, sequence: _sequence, ...own } = state.arrays;
    parameters.restore(own);
    return sasrecModel({ numUsers, numItems, losses: z.array(z.number()).parse(state.extra?.losses) }, params, {
      parameters,
      items: savedFloat32(state, "items", [numItems, params.dimensions]),
      sequences: savedSequences(state, numUsers),
    });
  },

  partialRefit: { unavailable: "its networks are trained anew on all events; new events of known users are folded in as history" },
};

const networkOf =
  (params: SasrecParams): SequenceNetwork =>
  (context, shape) =>
    sasrecState(context, shape, params);

interface SasrecParts {
  parameters: Parameters;
  /** numItems × dimensions. */
  items: Float32Array;
  sequences: ItemSequences;
}

function sasrecModel(
  { numUsers, numItems, losses }: { numUsers: number; numItems: number; losses: readonly number[] },
  params: SasrecParams,
  { parameters, items, sequences }: SasrecParts,
): FittedModel {
  const { dimensions, maxLength } = params;
  const states = networkOf(params);
  const encoder = createSequenceEncoder({ parameters, states }, items, params);
  return {
    name: "sasrec",
    params,
    numUsers,
    numItems,
    personal: true,
    readsBasket: true,
    losses,
    vectors: {
      dimensions,
      itemVectors: items,
      encode: (queries: readonly Query[], out) =>
        encoder.encode(
          queries.map((query) => sequenceOf(query, sequences, maxLength)),
          out,
        ),
    },
    itemSimilarityVectors: { dimensions, vectors: items },
    toOnnx: async () => sequenceOnnx({ model: "sasrec", title: sasrec.title, parameters, states, items, numItems, ...params }),
    state(): ModelState {
      return {
        arrays: {
          ...parameters.arrays(),
          items: { shape: [numItems, dimensions], data: items },
          ...sequenceArrays(sequences),
        },
        extra: { losses: [...losses] },
      };
    },
  };
}
