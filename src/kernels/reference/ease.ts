/** Plain twin of the kernels of ease (item-gram.ts, symmetric-inverse.ts, ease.ts): dense and in float64. Called by tests. */
import type { Csr } from "../../core/interactions.js";
import { referenceInverse } from "./symmetric-inverse.js";

/** XᵀX, numItems², row-major; every entry of X taken as 1 where `binary`. */
export function referenceItemGram({ numRows, numColumns, offsets, indices, values }: Csr, binary: boolean): Float64Array {
  const gram = new Float64Array(numColumns * numColumns);
  for (let user = 0; user < numRows; user++)
    for (let a = offsets[user]; a < offsets[user + 1]; a++)
      for (let b = offsets[user]; b < offsets[user + 1]; b++)
        gram[indices[a] * numColumns + indices[b]] += binary ? 1 : values[a] * values[b];
  return gram;
}

/** B_ji = −P_ji / P_ii with P = (XᵀX + λI)⁻¹, B_jj = 0; numItems², row j = what item j adds to the others. */
export function referenceEase(
  matrixByUser: Csr,
  { binary, regularization }: { binary: boolean; regularization: number },
): { weights: Float64Array; inverse: Float64Array } {
  const numItems = matrixByUser.numColumns;
  const gram = referenceItemGram(matrixByUser, binary);
  // an item without users has no equation: any positive pivot will do
  for (let i = 0; i < numItems; i++) gram[i * (numItems + 1)] = (gram[i * (numItems + 1)] || 1) + regularization;
  const inverse = referenceInverse(gram, numItems);
  const weights = inverse.map((value, at) => {
    const [j, i] = [Math.floor(at / numItems), at % numItems];
    return i === j ? 0 : -value / inverse[i * (numItems + 1)];
  });
  return { weights, inverse };
}
