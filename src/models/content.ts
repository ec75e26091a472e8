/**
 * Content: what is like the things someone has, by what is known of them.
 *   score(q, i) = Σ_{j in history(q)} cos(f_j, f_i), f = features of an item as a vector (parts/content-vectors.ts)
 * Needs no other user, and reaches items without a single event. Scores are dot products, so that ranking/ finds the best of millions.
 */
import { z } from "zod";
import { DataError } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";
import type { Explanation, FittedModel, ModelDefinition } from "../core/model.js";
import { contentVectors } from "./parts/content-vectors.js";
import { turnToPrincipalAxes } from "./parts/principal-axes.js";
import { savedFloat32, savedLength } from "./parts/saved-arrays.js";
import { historyRow } from "./parts/user-history.js";

const schema = z.strictObject({
  standardize: z.boolean().default(true),
  hashDimensions: z.int().min(8).max(65_536).default(256),
  weighting: z.enum(["binary", "linear"]).default("binary"),
});

export type ContentParams = z.output<typeof schema>;

export const content: ModelDefinition<ContentParams> = {
  name: "content",
  title: "Content similarity",
  reference: "Cosine of item features; hashing: Weinberger et al. (2009), Feature hashing for large scale multitask learning",
  description: "Items like those of the history by their features alone; also recommends items without events.",
  task: "retrieve",
  params: schema,
  help: {
    standardize: { help: "Number features less their mean and over their deviation; otherwise large ones decide." },
    hashDimensions: { help: "Dimensions of a text, and most of a category.", range: [64, 1024], scale: "log", tune: false },
    weighting: { help: "Items of the history count once, or by their weight." },
  },
  complexity: 10,
  starter: true,
  requires: "itemFeatures",
  unsuited: ({ hasItemFeatures }) => (hasItemFeatures ? undefined : "nothing is known of the items"),

  async fit(train, params, { itemFeatures, signal }) {
    if (!itemFeatures)
      throw new DataError("The model content needs features of items.", {
        hint: "Give itemFeatures to fit, or name a table under features.items in the recipe.",
      });
    if (itemFeatures.numRows !== train.numItems)
      throw new DataError(`The features of items have ${itemFeatures.numRows} rows, but there are ${train.numItems} items.`, {
        hint: "Align the feature columns to the ids of the data.",
      });
    const { dimensions, vectors } = contentVectors(itemFeatures, params);
    await turnToPrincipalAxes(vectors, dimensions, signal);
    return contentModel(params, { dimensions, vectors, seen: train.matrixByUser() });
  },

  restore({ params, numItems, state, seen }) {
    const dimensions = numItems > 0 ? savedLength(state, "vectors") / numItems : 0;
    return contentModel(params, { dimensions, vectors: savedFloat32(state, "vectors", [numItems, dimensions]), seen });
  },

  partialRefit: { unavailable: "features are scaled by all items, which takes no longer than a new fit" },
};

function contentModel(
  params: ContentParams,
  { dimensions, vectors, seen }: { dimensions: number; vectors: Float32Array; seen: Csr },
): FittedModel {
  const { numRows: numUsers, numColumns: numItems } = seen;
  const value = (weight: number) => (params.weighting === "linear" ? weight : weight > 0 ? 1 : 0);
  const cosine = (a: number, b: number) => {
    let sum = 0;
    for (let d = 0; d < dimensions; d++) sum += vectors[a * dimensions + d] * vectors[b * dimensions + d];
    return sum;
  };
  return {
    name: "content",
    params,
    numUsers,
    numItems,
    personal: true,
    vectors: {
      dimensions,
      itemVectors: vectors,
      async encode(queries, out) {
        const sums = new Float64Array(dimensions);
        queries.forEach((query, q) => {
          sums.fill(0);
          const { indices, weights } = historyRow(query, seen);
          for (let k = 0; k < indices.length; k++)
            for (let d = 0; d < dimensions; d++) sums[d] += value(weights[k]) * vectors[indices[k] * dimensions + d];
          out.set(sums, q * dimensions);
        });
      },
    },
    itemSimilarityVectors: { dimensions, vectors },
    knowsItem: (item) => vectors.subarray(item * dimensions, (item + 1) * dimensions).some((one) => one !== 0),
    async explain(query, itemIndex): Promise<Explanation> {
      const { indices, weights } = historyRow(query, seen);
      const parts = Array.from(indices, (item, k) => ({ item, part: Math.fround(value(weights[k]) * cosine(item, itemIndex)) }));
      parts.sort((a, b) => b.part - a.part || a.item - b.item);
      return {
        score: parts.reduce((sum, { part }) => sum + part, 0),
        base: 0,
        itemIndex: Int32Array.from(parts, ({ item }) => item),
        contribution: Float32Array.from(parts, ({ part }) => part),
      };
    },
    state: () => ({ arrays: { vectors: { shape: [numItems, dimensions], data: vectors } } }),
  };
}
