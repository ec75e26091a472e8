/**
 * Item-to-item weights as saved arrays: `item_weights` (numItems²) when dense, else CSR as `weight_offsets`, `weight_indices` and
 * `weight_values`. Called by models whose state is such a matrix.
 */
import type { Csr } from "../../core/interactions.js";
import type { ModelState } from "../../core/model.js";
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

/** Rows and columns of a sparse matrix of weights swapped; rows of the result ascend by column. */
export function transposeWeights({ offsets, indices, values }: Pick<Csr, "offsets" | "indices" | "values">): {
  offsets: Int32Array;
  indices: Int32Array;
  values: Float32Array;
} {
  const numItems = offsets.length - 1;
  const swapped = {
    offsets: new Int32Array(numItems + 1),
    indices: new Int32Array(indices.length),
    values: new Float32Array(indices.length),
  };
  for (const column of indices) swapped.offsets[column + 1]++;
  for (let i = 0; i < numItems; i++) swapped.offsets[i + 1] += swapped.offsets[i];
  const next = swapped.offsets.slice();
  for (let row = 0; row < numItems; row++) {
    for (let e = offsets[row]; e < offsets[row + 1]; e++) {
      const place = next[indices[e]]++;
      swapped.indices[place] = row;
      swapped.values[place] = values[e];
    }
  }
  return swapped;
}
