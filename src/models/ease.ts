/**
 * EASE: a linear model of every item by all others, in closed form.
 *   min_B ‖X − XB‖² + λ‖B‖²  with B_ii = 0   ⇒   P = (XᵀX + λI)⁻¹,  B_ji = −P_ji / P_ii
 *   score(u, i) = Σ_j x_uj B_ji
 * Steck (2019), Embarrassingly shallow autoencoders for sparse data. The inverse runs in kernels/ease.ts.
 */
import { z } from "zod";
import type { Csr } from "../core/interactions.js";
import type { FittedModel, ModelDefinition } from "../core/model.js";
import { parseParams } from "../core/params.js";
import { computeEase } from "../kernels/ease.js";
import { autoEaseRegularization } from "./parts/ease-regularization.js";
import { collectDense, collectStrongest } from "./parts/ease-weights.js";
import { createItemWeightScorer } from "./parts/item-weights.js";
import { positivePairs } from "./parts/positive-pairs.js";
import { savedWeights, type WeightMatrix, weightArrays, weightsStay, widenWeights } from "./parts/saved-item-weights.js";

const schema = z.strictObject({
  regularization: z.union([z.number().min(0), z.literal("auto")]).default("auto"),
  binary: z.boolean().default(true),
  topN: z.int().min(0).max(100_000).default(0),
});

export type EaseParams = z.output<typeof schema>;

export const ease: ModelDefinition<EaseParams> = {
  name: "ease",
  title: "EASE: linear item model in closed form",
  reference: "Steck (2019), Embarrassingly shallow autoencoders for sparse data",
  description: "Predicts each item from all others by ridge regression; one parameter, often the best linear model for dense data.",
  task: "retrieve",
  params: schema,
  help: {
    regularization: { help: "L2 penalty λ on the item weights; auto takes it from the data.", range: [1, 5000], scale: "log" },
    binary: { help: "Take each pair as 1, whatever its weight." },
    topN: { help: "Keep this many weights per item, the strongest; 0 = all (numItems² × 4 bytes).", tune: false },
  },
  skips: [
    {
      check: "permutes its answers when users and items are relabelled",
      reason: "the float32 inverse rounds in the order of the items; test/models/ease.test.ts bounds the difference",
    },
  ],
  complexity: 15,
  starter: true,
  unsuited: ({ numItems }) => (numItems > 45_000 ? "the inverse of so many items does not fit into WebAssembly memory" : undefined),

  async fit(train, params, { threads, signal, onProgress }) {
    const { numUsers, numItems } = train;
    const seen = train.matrixByUser();
    const matrixByUser = positivePairs(seen);
    const matrixByItem = positivePairs(train.matrixByItem());
    const regularization = params.regularization === "auto" ? autoEaseRegularization(matrixByUser, params.binary) : params.regularization;
    const kept = params.topN > 0 && params.topN < numItems - 1 ? collectStrongest(numItems, params.topN) : collectDense(numItems);
    const { binary } = params;
    await computeEase({ matrixByUser, matrixByItem, binary, regularization }, kept, {
      threads,
      signal,
      onProgress: (done, total) => onProgress?.({ stage: "ease", done, total }),
    });
    return easeModel({ numUsers, numItems, regularization }, params, { weights: kept.weights(), seen });
  },

  restore({ params, numUsers, numItems, state, seen }) {
    const { regularization } = parseParams(savedSchema, state.extra, "Saved model ease");
    return easeModel({ numUsers, numItems, regularization }, params, { weights: savedWeights(state, numItems), seen });
  },

  partialRefit: {
    how: weightsStay,
    async refit(previous, train) {
      const { numUsers, numItems } = train;
      const { extra, arrays } = previous.state();
      const { regularization } = parseParams(savedSchema, extra, "The previous model ease");
      const weights = widenWeights(savedWeights({ arrays }, previous.numItems), previous.numItems, numItems);
      return easeModel({ numUsers, numItems, regularization }, previous.params as EaseParams, { weights, seen: train.matrixByUser() });
    },
  },
};

const savedSchema = z.strictObject({ regularization: z.number().min(0) });

function easeModel(
  { numUsers, numItems, regularization }: { numUsers: number; numItems: number; regularization: number },
  params: EaseParams,
  { weights, seen }: { weights: WeightMatrix; seen: Csr },
): FittedModel {
  return {
    name: "ease",
    params,
    numUsers,
    numItems,
    personal: true,
    ...createItemWeightScorer({ numItems, weights, seen, valueFrom: params.binary ? (weight) => (weight > 0 ? 1 : 0) : undefined }),
    state: () => ({ arrays: weightArrays(weights, numItems), extra: { regularization } }),
  };
}
