/**
 * RP³β: random walks of three steps from the user over the graph of users and items, popular items held back.
 *   score(u, i) = Σ_{j in history(u)} (w_uj / D_u)^α · W[j, i],  W[j, i] = Σ_v (w_vj / D_j)^α (w_vi / D_v)^α / D_i^β
 * for the K largest W[j, ·] and the walk back to j; w = weighted values over the largest one, D = sums of w by row or column.
 * Paudel, Christoffel, Newell & Bernstein (2016); exponent α after Cooper et al. (2014), P³α. W comes from kernels/sparse-neighbours.ts.
 */
import { z } from "zod";
import type { Csr, Interactions } from "../core/interactions.js";
import type { ModelDefinition } from "../core/model.js";
import { sparseNeighbours } from "../kernels/sparse-neighbours.js";
import { itemWeightModel, normalizeRows, savedItemWeights, withSelf } from "./parts/item-weight-model.js";
import { weightingOf, weightings } from "./parts/similarity.js";

const schema = z.strictObject({
  alpha: z.number().min(0).max(3).default(1),
  beta: z.number().min(0).max(2).default(0.5),
  neighbours: z.int().min(1).max(100_000).default(200),
  weighting: z.enum(weightings).default("linear"),
  normalizeRows: z.boolean().default(true),
});

export type Rp3betaParams = z.output<typeof schema>;

export const rp3beta: ModelDefinition<Rp3betaParams> = {
  name: "rp3beta",
  title: "Random walks (RP³β)",
  reference: "Paudel, Christoffel, Newell & Bernstein (2016), Updatable, accurate, diverse, and scalable recommendations",
  description: "Where a walk from a user's items over other users and back to items ends most often, popular items held back.",
  task: "retrieve",
  params: schema,
  help: {
    alpha: { help: "Exponent of the step probabilities: above 1 sharpens, below 1 flattens them.", range: [0.2, 2] },
    beta: { help: "How much popular items are held back: 0 not at all, 1 in full.", range: [0, 1] },
    neighbours: { help: "Items kept at the end of the walks from each item.", range: [20, 1000], scale: "log" },
    weighting: { help: "What a weight counts on an edge: 1, its logarithm, or the weight itself." },
    normalizeRows: { help: "Let each item of the history give away the same sum." },
  },
  complexity: 16,
  unsuited: ({ numInteractions, numUsers }) => (numInteractions < 1.5 * numUsers ? "users have hardly more than one item each" : undefined),

  async fit(train, params, { threads, signal, onProgress }) {
    const { numUsers, numItems } = train;
    const { matrix, measure, self } = walkProblem(train, params);
    const neighbours = await sparseNeighbours(matrix, {
      count: params.neighbours,
      measure,
      threads,
      signal,
      onProgress: (done, total) => onProgress?.({ stage: "rp3beta", done, total }),
    });
    const weights = withSelf(neighbours, self);
    if (params.normalizeRows) normalizeRows(weights);
    return itemWeightModel(
      { name: "rp3beta", params, numUsers, numItems },
      { weights, seen: train.matrixByUser(), valuesFrom: startValues(params) },
    );
  },

  restore({ params, numUsers, numItems, state, seen }) {
    const weights = savedItemWeights({ numItems, state });
    return itemWeightModel({ name: "rp3beta", params, numUsers, numItems }, { weights, seen, valuesFrom: startValues(params) });
  },

  partialRefit: {
    how: "All walks are counted again, in one pass over the events; new users need none, their history is the model's input.",
    refit: ({ params }, train, context) => rp3beta.fit(train, params as Rp3betaParams, context),
  },
};

/** (w_uj / D_u)^α of a history. */
function startValues({ weighting, alpha }: Rp3betaParams) {
  const valueOfWeight = weightingOf(weighting);
  return (weights: Float32Array) => {
    const values = Float64Array.from(weights, valueOfWeight);
    const degree = values.reduce((sum, value) => sum + value, 0);
    return values.map((value) => power(value / degree, alpha));
  };
}

/** share^α, and no step where the share is 0 (0⁰ would be one) or the whole is. */
const power = (share: number, alpha: number) => (share > 0 ? share ** alpha : 0);

/** W as products of rows v_vi = w_vi^α / D_v^(α/2), over D_j^α · D_i^β. */
function walkProblem(train: Interactions, { alpha, beta, weighting }: Rp3betaParams) {
  const byItem = train.matrixByItem();
  const { offsets, indices } = byItem;
  const weights = Float64Array.from(byItem.values, weightingOf(weighting));
  const largest = weights.reduce((max, weight) => Math.max(max, weight), 0) || 1;
  const itemDegree = new Float64Array(train.numItems);
  const userDegree = new Float64Array(train.numUsers);
  for (let item = 0; item < train.numItems; item++) {
    for (let e = offsets[item]; e < offsets[item + 1]; e++) {
      weights[e] /= largest;
      itemDegree[item] += weights[e];
      userDegree[indices[e]] += weights[e];
    }
  }
  const values = Float32Array.from(weights, (weight, e) => power(weight / Math.sqrt(userDegree[indices[e]]), alpha));
  const squares = new Float64Array(train.numItems);
  for (let item = 0; item < train.numItems; item++)
    for (let e = offsets[item]; e < offsets[item + 1]; e++) squares[item] += values[e] * values[e];
  const matrix: Csr = { ...byItem, values };
  const measure = { left: itemDegree.map((degree) => degree ** alpha), right: itemDegree.map((degree) => degree ** beta) };
  return { matrix, measure, self: (item: number) => squares[item] / (measure.left[item] * measure.right[item]) || 0 };
}
