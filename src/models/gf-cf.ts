/**
 * Graph filters in closed form: a linear low-pass filter on the graph of items plus an ideal one that keeps the smoothest signals,
 *   score(u, ·) = x_u (R̃ᵀR̃ + alpha · D^−½ V Vᵀ D^½),  R̃ = D_users^−½ R D^−½,  D = sums of R by item, D_users by user
 * with V the `factors` leading right singular vectors of R̃. Of each row of R̃ᵀR̃ the `neighbours` largest entries are kept.
 * Shen et al. (2021), How powerful is graph convolution for recommendation? (GF-CF; there alpha = 0.3). Nothing is learned in steps.
 */
import { z } from "zod";
import type { Csr } from "../core/interactions.js";
import type { FittedModel, ModelDefinition } from "../core/model.js";
import { createPacer } from "../core/pacer.js";
import { sparseNeighbours } from "../kernels/sparse-neighbours.js";
import { savedItemWeights, withSelf } from "./parts/item-weight-model.js";
import { createItemWeightScorer } from "./parts/item-weights.js";
import { savedFloat32 } from "./parts/saved-arrays.js";
import { weightingOf, weightings } from "./parts/similarity.js";
import { rightSingularVectors } from "./parts/singular-vectors.js";
import { historyRow } from "./parts/user-history.js";

const schema = z.strictObject({
  alpha: z.number().min(0).default(0.2),
  factors: z.union([z.int().min(1).max(1024), z.literal("auto")]).default("auto"),
  neighbours: z.int().min(1).max(100_000).default(1000),
  weighting: z.enum(weightings).default("log"),
  iterations: z.int().min(1).max(100).default(5),
});

export type GfCfParams = z.output<typeof schema>;

export const gfCf: ModelDefinition<GfCfParams> = {
  name: "gf-cf",
  title: "Graph filter",
  reference: "Shen, Wu, Zhang, Shan, Zhang, Letaief & Li (2021), How powerful is graph convolution for recommendation?",
  description: "Smooths a user's items over the graph of users and items in closed form: co-occurrence plus the main directions of taste.",
  task: "retrieve",
  params: schema,
  help: {
    alpha: { help: "Weight of the ideal low-pass filter beside the linear one.", range: [0.02, 3], scale: "log" },
    factors: {
      help: "Singular vectors that the ideal filter keeps; auto: the root of the smaller number, of users or items, up to 256.",
      range: [8, 256],
      scale: "log",
    },
    neighbours: { help: "Entries kept of each row of the linear filter.", range: [100, 2000], scale: "log", tune: false },
    weighting: { help: "What a weight counts on an edge: 1, its logarithm, or the weight itself." },
    iterations: { help: "Rounds of the search for singular vectors.", range: [2, 10], tune: false },
  },
  skips: [
    {
      check: "permutes its answers when users and items are relabelled",
      reason:
        "the search for singular vectors starts from seeded vectors that go by index; its result is compared with an exact one instead",
    },
  ],
  complexity: 18,
  unsuited: ({ numInteractions, numUsers }) => (numInteractions < 1.5 * numUsers ? "users have hardly more than one item each" : undefined),

  async fit(train, params, { seed, threads, signal, onProgress, checkpoint }) {
    const { numUsers, numItems } = train;
    const size = { numUsers, numItems, factors: factorsOf(params, { numUsers, numItems }) };
    const { normalized, rootDegree } = normalize(train.matrixByItem(), weightingOf(params.weighting));
    const total = params.iterations + 1;
    const vectors = await rightSingularVectors(transposeOf(normalized, train.matrixByUser()), {
      count: size.factors,
      rounds: params.iterations,
      seed,
      pace: createPacer(signal),
      resumeFrom: checkpoint?.resumeFrom && {
        round: checkpoint.resumeFrom.step,
        basis: checkpoint.resumeFrom.state.arrays.basis.data as Float64Array,
      },
      async onRound(round, basis) {
        onProgress?.({ stage: "gf-cf", done: round, total });
        await checkpoint?.save(round, () => ({ arrays: { basis: { shape: [basis.length], data: basis.slice() } } }));
      },
    });
    const linear = await sparseNeighbours(normalized, { count: params.neighbours, threads, signal });
    onProgress?.({ stage: "gf-cf", done: total, total });
    const squares = rowSquares(normalized);
    const parts = {
      linear: withSelf(linear, (row) => squares[row]),
      vectors: Float32Array.from(vectors),
      rootDegree,
      seen: train.matrixByUser(),
    };
    return gfCfModel(size, params, parts);
  },

  restore({ params, numUsers, numItems, state, seen }) {
    const factors = factorsOf(params, { numUsers, numItems });
    return gfCfModel({ numUsers, numItems, factors }, params, {
      linear: savedItemWeights({ numItems, state }),
      vectors: savedFloat32(state, "singular_vectors", [numItems, factors]),
      rootDegree: savedFloat32(state, "root_degree", [numItems]),
      seen,
    });
  },

  partialRefit: {
    how: "Both filters are computed again from all events, which is all there is to fit; new users need none, their history is the model's input.",
    refit: ({ params }, train, context) => gfCf.fit(train, params as GfCfParams, context),
  },
};

interface Parts {
  linear: Csr;
  /** V, numItems × factors, row-major. */
  vectors: Float32Array;
  /** √D, relative to the largest weight. */
  rootDegree: Float32Array;
  seen: Csr;
}

/** Auto: small data has few directions of taste that are more than noise; the paper keeps 256 on about 30,000 users. */
function factorsOf({ factors }: GfCfParams, { numUsers, numItems }: { numUsers: number; numItems: number }): number {
  const most = Math.max(1, Math.min(numUsers, numItems));
  return Math.min(most, factors === "auto" ? Math.min(256, Math.round(Math.sqrt(most))) : factors);
}

/** R̃ᵀ from R by item. Weights are taken relative to the largest, which changes nothing but keeps them within float32. */
function normalize(byItem: Csr, weigh: (weight: number) => number): { normalized: Csr; rootDegree: Float32Array } {
  const { numRows, numColumns, offsets, indices } = byItem;
  const weights = Float64Array.from(byItem.values, weigh);
  const largest = weights.reduce((max, weight) => Math.max(max, weight), 0) || 1;
  const itemDegree = new Float64Array(numRows);
  const userDegree = new Float64Array(numColumns);
  for (let item = 0; item < numRows; item++) {
    for (let e = offsets[item]; e < offsets[item + 1]; e++) {
      weights[e] /= largest;
      itemDegree[item] += weights[e];
      userDegree[indices[e]] += weights[e];
    }
  }
  const values = new Float32Array(weights.length);
  for (let item = 0; item < numRows; item++)
    for (let e = offsets[item]; e < offsets[item + 1]; e++)
      values[e] = weights[e] / Math.sqrt(itemDegree[item] * userDegree[indices[e]]) || 0;
  return { normalized: { ...byItem, values }, rootDegree: Float32Array.from(itemDegree, Math.sqrt) };
}

function transposeOf(byItem: Csr, byUser: Csr): Csr {
  const values = new Float32Array(byUser.values.length);
  const next = byUser.offsets.slice();
  for (let item = 0; item < byItem.numRows; item++)
    for (let e = byItem.offsets[item]; e < byItem.offsets[item + 1]; e++) values[next[byItem.indices[e]]++] = byItem.values[e];
  return { ...byUser, values };
}

function rowSquares({ numRows, offsets, values }: Csr): Float64Array {
  const squares = new Float64Array(numRows);
  for (let row = 0; row < numRows; row++) for (let e = offsets[row]; e < offsets[row + 1]; e++) squares[row] += values[e] * values[e];
  return squares;
}

function gfCfModel(
  { numUsers, numItems, factors }: { numUsers: number; numItems: number; factors: number },
  params: GfCfParams,
  { linear, vectors, rootDegree, seen }: Parts,
): FittedModel {
  const weigh = weightingOf(params.weighting);
  const scorer = createItemWeightScorer({ numItems, weights: linear, seen, valueFrom: weigh });
  return {
    name: "gf-cf",
    params,
    numUsers,
    numItems,
    personal: true,
    async scoreAll(queries, out) {
      await scorer.scoreAll(queries, out);
      const pace = createPacer(undefined);
      const taste = new Float64Array(factors);
      for (let q = 0; q < queries.length; q++) {
        await pace();
        // x_u D^−½ V
        taste.fill(0);
        const { indices, weights } = historyRow(queries[q], seen);
        for (let h = 0; h < indices.length; h++) {
          const value = rootDegree[indices[h]] > 0 ? (params.alpha * weigh(weights[h])) / rootDegree[indices[h]] : 0;
          for (let k = 0, at = indices[h] * factors; k < factors; k++) taste[k] += value * vectors[at + k];
        }
        for (let item = 0, at = 0; item < numItems; item++) {
          let sum = 0;
          for (let k = 0; k < factors; k++) sum += taste[k] * vectors[at++];
          out[q * numItems + item] += sum * rootDegree[item];
        }
      }
    },
    itemSimilarityVectors: { dimensions: factors, vectors },
    state: () => ({
      arrays: {
        neighbour_offsets: { shape: [numItems + 1], data: linear.offsets },
        neighbour_items: { shape: [linear.indices.length], data: linear.indices },
        neighbour_weights: { shape: [linear.values.length], data: linear.values },
        singular_vectors: { shape: [numItems, factors], data: vectors },
        root_degree: { shape: [numItems], data: rootDegree },
      },
    }),
  };
}
