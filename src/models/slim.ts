/**
 * SLIM: sparse linear weights between items, each column an elastic net of its own.
 *   min_W ½‖X − XW‖² + ½ λ₂‖W‖² + λ₁‖W‖₁  with W_ii = 0, and W ≥ 0 where asked for;  score(u, i) = Σ_j x_uj W_ji
 * Ning & Karypis (2011), SLIM: sparse linear methods for top-N recommender systems; candidates are their fsSLIM.
 * The columns are solved in kernels/slim.ts.
 */
import { z } from "zod";
import type { Csr } from "../core/interactions.js";
import type { FitContext, FittedModel, ModelDefinition } from "../core/model.js";
import { parseParams } from "../core/params.js";
import { type SlimLists, slimPart, solveSlim } from "../kernels/slim.js";
import { autoEaseRegularization } from "./parts/ease-regularization.js";
import { createItemWeightScorer } from "./parts/item-weights.js";
import { positivePairs } from "./parts/positive-pairs.js";
import { savedFloat32, savedInt32 } from "./parts/saved-arrays.js";
import { savedWeights, transposeWeights, type WeightMatrix, weightArrays, weightsStay, widenWeights } from "./parts/saved-item-weights.js";

const schema = z.strictObject({
  regularization: z.union([z.number().min(0), z.literal("auto")]).default("auto"),
  l1Regularization: z.number().min(0).default(1),
  nonNegative: z.boolean().default(true),
  binary: z.boolean().default(true),
  candidates: z.int().min(1).max(20_000).default(1000),
  topN: z.int().min(1).max(20_000).default(200),
});

export type SlimParams = z.output<typeof schema>;

/** No weight moves by more than this in the last sweep of a column. */
const TOLERANCE = 1e-4;
const MOST_SWEEPS = 1000;

export const slim: ModelDefinition<SlimParams> = {
  name: "slim",
  title: "SLIM: sparse linear item model",
  reference: "Ning & Karypis (2011), SLIM: sparse linear methods for top-N recommender systems",
  description: "Predicts each item from few others by an elastic net; sparse weights that explain every score, for many items too.",
  task: "retrieve",
  params: schema,
  help: {
    regularization: { help: "L2 penalty λ₂ on the item weights; auto takes it from the data.", range: [0.1, 2000], scale: "log" },
    l1Regularization: { help: "L1 penalty λ₁, in pairs of the data: the larger, the fewer weights.", range: [0.1, 100], scale: "log" },
    nonNegative: { help: "Only weights that add to a score." },
    binary: { help: "Take each pair as 1, whatever its weight." },
    candidates: { help: "Items that may get a weight in a column: those most alike by cosine.", tune: false },
    topN: { help: "Keep this many weights per item, the largest.", tune: false },
  },
  skips: [
    {
      check: "permutes its answers when users and items are relabelled",
      reason: "coordinates move in the order of the items, so the last digits differ; test/models/slim.test.ts bounds the difference",
    },
  ],
  complexity: 16,
  unsuited: ({ numInteractions, numUsers }) => (numInteractions < 1.5 * numUsers ? "users have hardly more than one item each" : undefined),

  async fit(train, params, { threads, signal, onProgress, checkpoint }) {
    const { numUsers, numItems } = train;
    const seen = train.matrixByUser();
    const matrixByUser = positivePairs(seen);
    const regularization = params.regularization === "auto" ? autoEaseRegularization(matrixByUser, params.binary) : params.regularization;
    const topN = Math.min(params.topN, params.candidates, Math.max(1, numItems - 1));
    const problem = {
      ...params,
      regularization,
      topN,
      matrixByUser,
      matrixByItem: positivePairs(train.matrixByItem()),
      tolerance: TOLERANCE,
      sweeps: MOST_SWEEPS,
    };
    const total = Math.ceil(numItems / slimPart);
    const lists = await solveSlim(problem, {
      threads,
      signal,
      resume: resumed(checkpoint, { numItems, topN }),
      async onItems(done, lists) {
        const step = Math.ceil(done / slimPart);
        onProgress?.({ stage: "slim", done: step, total });
        if (step < total) await checkpoint?.save(step, () => listsState(lists(), { numItems, topN }));
      },
    });
    return slimModel({ numUsers, numItems, regularization }, params, { weights: weightsOf(lists, { numItems, topN }), seen });
  },

  restore({ params, numUsers, numItems, state, seen }) {
    const { regularization } = parseParams(savedSchema, state.extra, "Saved model slim");
    return slimModel({ numUsers, numItems, regularization }, params, { weights: savedWeights(state, numItems), seen });
  },

  partialRefit: {
    how: weightsStay,
    async refit(previous, train) {
      const { numUsers, numItems } = train;
      const { extra, arrays } = previous.state();
      const { regularization } = parseParams(savedSchema, extra, "The previous model slim");
      const weights = widenWeights(savedWeights({ arrays }, previous.numItems), previous.numItems, numItems);
      return slimModel({ numUsers, numItems, regularization }, previous.params as SlimParams, { weights, seen: train.matrixByUser() });
    },
  },
};

const savedSchema = z.strictObject({ regularization: z.number().min(0) });

interface ListShape {
  numItems: number;
  topN: number;
}

function listsState({ items, weights }: SlimLists, { numItems, topN }: ListShape) {
  const shape = [numItems, topN];
  return { arrays: { list_items: { shape, data: items }, list_weights: { shape, data: weights } } };
}

function resumed(checkpoint: FitContext["checkpoint"], { numItems, topN }: ListShape) {
  if (!checkpoint?.resumeFrom) return undefined;
  const { step, state } = checkpoint.resumeFrom;
  const lists = {
    items: savedInt32(state, "list_items", [numItems, topN]),
    weights: savedFloat32(state, "list_weights", [numItems, topN]),
  };
  return { from: step * slimPart, lists };
}

/** Rows of W out of the lists of its columns. */
function weightsOf({ items, weights }: SlimLists, { numItems, topN }: ListShape) {
  const offsets = new Int32Array(numItems + 1);
  for (let i = 0; i < numItems; i++) {
    let count = 0;
    while (count < topN && items[i * topN + count] >= 0) count++;
    offsets[i + 1] = offsets[i] + count;
  }
  const isUsed = (_: number, place: number) => items[place] >= 0;
  return transposeWeights({ offsets, indices: items.filter(isUsed), values: weights.filter(isUsed) });
}

function slimModel(
  { numUsers, numItems, regularization }: { numUsers: number; numItems: number; regularization: number },
  params: SlimParams,
  { weights, seen }: { weights: WeightMatrix; seen: Csr },
): FittedModel {
  return {
    name: "slim",
    params,
    numUsers,
    numItems,
    personal: true,
    ...createItemWeightScorer({ numItems, weights, seen, valueFrom: params.binary ? (weight) => (weight > 0 ? 1 : 0) : undefined }),
    state: () => ({ arrays: weightArrays(weights, numItems), extra: { regularization } }),
  };
}
