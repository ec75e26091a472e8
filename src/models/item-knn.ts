/**
 * Nearest items: score(u, i) = Σ_{j in history(u)} x_uj · decay^(place of j from the newest) · W[j, i],
 * W[j, i] = similarity of i to j for the K items most similar to j, and of j to itself.
 * Sarwar et al. (2001); Deshpande & Karypis (2004), Item-based top-N recommendation algorithms. Similarities: parts/similarity.ts.
 */
import { z } from "zod";
import type { ModelDefinition } from "../core/model.js";
import { sparseNeighbours } from "../kernels/sparse-neighbours.js";
import { itemWeightModel, normalizeRows, savedItemWeights, withSelf } from "./parts/item-weight-model.js";
import { savedInt32 } from "./parts/saved-arrays.js";
import { similarities, similarityProblem, weightingOf, weightings } from "./parts/similarity.js";
import { recencyOf } from "./parts/user-history.js";

const schema = z.strictObject({
  similarity: z.enum(similarities).default("tf-idf"),
  neighbours: z.int().min(1).max(100_000).default(200),
  shrinkage: z.number().min(0).default(20),
  alpha: z.number().min(0).max(2).default(0.5),
  weighting: z.enum(weightings).default("log"),
  historyDecay: z.number().positive().max(1).default(1),
  normalizeRows: z.boolean().default(true),
  selfSimilarity: z.boolean().default(true),
});

export type ItemKnnParams = z.output<typeof schema>;

export const itemKnn: ModelDefinition<ItemKnnParams> = {
  name: "item-knn",
  title: "Nearest items",
  reference: "Deshpande & Karypis (2004), Item-based top-N recommendation algorithms",
  description: "Items that the same users have, summed over a user's own items; folds in any history and explains every score.",
  task: "retrieve",
  params: schema,
  help: {
    similarity: { help: "How items are compared: cosine, tf-idf, bm25, jaccard, or conditional (how often i follows from j)." },
    neighbours: { help: "Most similar items kept for each item.", range: [20, 1000], scale: "log" },
    shrinkage: { help: "Added to the denominator: lowers similarities that rest on few users. bm25 has its own damping.", range: [0, 100] },
    alpha: { help: "conditional only: how much popular items are held back, 0 to 1.", range: [0, 1] },
    weighting: { help: "What a weight counts: 1, its logarithm, or the weight itself." },
    historyDecay: {
      help: "Factor per place from the newest item of the history; 1 = order does not matter.",
      range: [0.3, 1],
      needs: "timestamps",
    },
    normalizeRows: { help: "Let each item of the history give away the same sum." },
    selfSimilarity: { help: "An item speaks for itself: own items rank high where seen ones are not left out.", tune: false },
  },
  complexity: 15,
  starter: true,
  unsuited: ({ numInteractions, numUsers }) => (numInteractions < 1.5 * numUsers ? "users have hardly more than one item each" : undefined),

  async fit(train, params, { threads, signal, onProgress }) {
    const { numUsers, numItems } = train;
    const { matrix, measure, self } = similarityProblem(train.matrixByItem(), params);
    const neighbours = await sparseNeighbours(matrix, {
      count: params.neighbours,
      measure,
      threads,
      signal,
      onProgress: (done, total) => onProgress?.({ stage: "item-knn", done, total }),
    });
    if (params.normalizeRows) normalizeRows(neighbours);
    return itemWeightModel(
      { name: "item-knn", params, numUsers, numItems },
      {
        weights: params.selfSimilarity ? withSelf(neighbours, self) : neighbours,
        seen: train.matrixByUser(),
        valueFrom: weightingOf(params.weighting),
        decay: params.historyDecay < 1 ? { perPlace: params.historyDecay, recency: recencyOf(train) } : undefined,
      },
    );
  },

  restore({ params, numUsers, numItems, state, seen }) {
    const recency = params.historyDecay < 1 ? savedInt32(state, "recency", [seen.indices.length]) : undefined;
    return itemWeightModel(
      { name: "item-knn", params, numUsers, numItems },
      {
        weights: savedItemWeights({ numItems, state }),
        seen,
        valueFrom: weightingOf(params.weighting),
        decay: recency && { perPlace: params.historyDecay, recency },
      },
    );
  },

  partialRefit: {
    how: "All pairs are counted again, in one pass over the events; new users need none, their history is the model's input.",
    refit: ({ params }, train, context) => itemKnn.fit(train, params as ItemKnnParams, context),
  },
};
