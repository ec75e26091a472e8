/** What becomes of the weights that kernels/ease.ts hands over: the dense matrix, or the strongest of each item. Called by ease. */
import { KernelError } from "../../core/errors.js";
import type { EaseReceiver } from "../../kernels/ease.js";
import { topOfRow } from "../../ranking/top-of-row.js";
import { transposeWeights, type WeightMatrix } from "./saved-item-weights.js";

export type WeightCollector = EaseReceiver & { weights(): WeightMatrix };

/** All weights, numItems², row-major. Throws KernelError when the engine has no array of that size. */
export function collectDense(numItems: number): WeightCollector {
  const bytes = numItems * numItems * 4;
  let all: Float32Array;
  try {
    all = new Float32Array(numItems * numItems);
  } catch (cause) {
    throw new KernelError(
      `${numItems} × ${numItems} item weights (${(bytes / 2 ** 30).toFixed(1)} GiB) are more than one array can hold here.`,
      {
        hint: "Keep fewer weights (topN), or drop items with very few interactions.",
        cause,
      },
    );
  }
  return { by: "rows", bytes, take: (item, weights) => all.set(weights, item * numItems), weights: () => all };
}

/** For each item i the `topN` largest |B_ji|: those that the other items j add to its score. */
export function collectStrongest(numItems: number, topN: number): WeightCollector {
  const length = numItems * topN;
  const columns = { offsets: new Int32Array(numItems + 1), indices: new Int32Array(length), values: new Float32Array(length) };
  const places = { itemIndex: new Int32Array(topN), score: new Float32Array(topN), at: 0, topK: topN };
  const sizes = new Float32Array(numItems);
  return {
    by: "columns",
    bytes: 3 * 8 * length,
    take(item, weights) {
      for (let j = 0; j < numItems; j++) sizes[j] = Math.abs(weights[j]);
      const found = topOfRow(sizes, places);
      let end = columns.offsets[item];
      for (let place = 0; place < found && places.score[place] > 0; place++) {
        columns.indices[end] = places.itemIndex[place];
        columns.values[end++] = weights[places.itemIndex[place]];
      }
      columns.offsets[item + 1] = end;
    },
    weights() {
      const used = columns.offsets[numItems];
      return transposeWeights({ ...columns, indices: columns.indices.subarray(0, used), values: columns.values.subarray(0, used) });
    },
  };
}
