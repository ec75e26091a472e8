/**
 * The fitted model of everything that is a sparse item-to-item matrix: scoring, explaining, similar items, saving, restoring.
 * Called by item-knn and rp3beta.
 */
import type { Csr } from "../../core/interactions.js";
import type { FittedModel, SavedModel } from "../../core/model.js";
import { createItemWeightScorer, type ItemWeights } from "./item-weights.js";
import { savedFloat32, savedInt32, savedLength } from "./saved-arrays.js";

/** See item-weights.ts. */
export type ItemWeightParts = Omit<ItemWeights, "numItems" | "weights"> & { weights: Csr };

export function itemWeightModel(
  { name, params, numUsers, numItems }: { name: string; params: Record<string, unknown>; numUsers: number; numItems: number },
  parts: ItemWeightParts,
): FittedModel {
  const { weights, decay } = parts;
  return {
    name,
    params,
    numUsers,
    numItems,
    personal: true,
    ...createItemWeightScorer({ numItems, ...parts }),
    state: () => ({
      arrays: {
        neighbour_offsets: { shape: [numItems + 1], data: weights.offsets },
        neighbour_items: { shape: [weights.indices.length], data: weights.indices },
        neighbour_weights: { shape: [weights.values.length], data: weights.values },
        ...(decay && { recency: { shape: [decay.recency.length], data: decay.recency } }),
      },
    }),
  };
}

/** The matrix of `state`. Throws ModelFormatError when arrays are missing or misshapen. */
export function savedItemWeights({ numItems, state }: Pick<SavedModel<unknown>, "numItems" | "state">): Csr {
  const entries = savedLength(state, "neighbour_items");
  return {
    numRows: numItems,
    numColumns: numItems,
    offsets: savedInt32(state, "neighbour_offsets", [numItems + 1]),
    indices: savedInt32(state, "neighbour_items", [entries]),
    values: savedFloat32(state, "neighbour_weights", [entries]),
  };
}

/** Sets the diagonal: row r gains the entry (r, self(r)) where that is not 0. */
export function withSelf(weights: Csr, self: (row: number) => number): Csr {
  const { numRows, offsets } = weights;
  const selves = Float32Array.from({ length: numRows }, (_, row) => self(row));
  const outOffsets = new Int32Array(numRows + 1);
  for (let row = 0; row < numRows; row++)
    outOffsets[row + 1] = outOffsets[row] + offsets[row + 1] - offsets[row] + (selves[row] !== 0 ? 1 : 0);
  const indices = new Int32Array(outOffsets[numRows]);
  const values = new Float32Array(outOffsets[numRows]);
  for (let row = 0; row < numRows; row++) {
    const [from, to, at] = [offsets[row], offsets[row + 1], outOffsets[row]];
    indices.set(weights.indices.subarray(from, to), at);
    values.set(weights.values.subarray(from, to), at);
    if (selves[row] === 0) continue;
    indices[at + to - from] = row;
    values[at + to - from] = selves[row];
  }
  return { ...weights, offsets: outOffsets, indices, values };
}

/** Divides every row by its sum; the diagonal, added afterwards, is not part of it. */
export function normalizeRows({ numRows, offsets, values }: Csr): void {
  for (let row = 0; row < numRows; row++) {
    const own = values.subarray(offsets[row], offsets[row + 1]);
    const sum = own.reduce((total, value) => total + value, 0);
    if (sum > 0) for (let e = 0; e < own.length; e++) own[e] /= sum;
  }
}
