/**
 * Item-to-item weights as saved arrays: `item_weights` (numItems²) when dense, else CSR as `weight_offsets`, `weight_indices` and
 * `weight_values`. Called by models whose state is such a matrix.
 */
import type { Csr } from "../../core/interactions.js";
import type { ModelState } from "../../core/model.js";
import { transpose } from "../../data/csr.js";
import { savedFloat32, savedInt32, savedLength } from "./saved-arrays.js";

export type WeightMatrix = Pick<Csr, "offsets" | "indices" | "values"> | Float32Array;

export function weightArrays(weights: WeightMatrix, numItems: number): ModelState["arrays"] {
  if (weights instanceof Float32Array) return { item_weights: { shape: [numItems, numItems], data: weights } };
  const { offsets, indices, values } = weights;
  return {
    weight_offsets: { shape: [offsets.length], data: offsets },
    weight_indices: { shape: [indices.length], data: indices },
    weight_values: { shape: [values.length], data: values },
  };
}

/** The inverse of `weightArrays`; throws ModelFormatError when arrays are missing or misshapen. */
export function savedWeights(state: ModelState, numItems: number): WeightMatrix {
  if (state.arrays.item_weights) return savedFloat32(state, "item_weights", [numItems, numItems]);
  const offsets = savedInt32(state, "weight_offsets", [numItems + 1]);
  const length = savedLength(state, "weight_indices");
  return { offsets, indices: savedInt32(state, "weight_indices", [length]), values: savedFloat32(state, "weight_values", [length]) };
}

/** The same weights over `numItems` items of which the first ones are those of `weights`; the others neither give nor get any. */
export function widenWeights(weights: WeightMatrix, from: number, numItems: number): WeightMatrix {
  if (from === numItems) return weights;
  if (weights instanceof Float32Array) {
    const wide = new Float32Array(numItems * numItems);
    for (let j = 0; j < from; j++) wide.set(weights.subarray(j * from, (j + 1) * from), j * numItems);
    return wide;
  }
  const offsets = new Int32Array(numItems + 1).fill(weights.indices.length);
  offsets.set(weights.offsets);
  return { ...weights, offsets };
}

/** What a partial refit of a model of item weights does: they stay, over the items there are now. */
export const weightsStay =
  "Histories are read anew, so all users are up to date; the weights between items stay as they were, and new items get none.";

/** Rows and columns of a sparse matrix of weights swapped; rows of the result ascend by column. */
export function transposeWeights(weights: Pick<Csr, "offsets" | "indices" | "values">): Csr {
  const numItems = weights.offsets.length - 1;
  return transpose({ numRows: numItems, numColumns: numItems, ...weights });
}
