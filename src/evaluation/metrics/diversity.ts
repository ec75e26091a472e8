/**
 * diversity@k = 1 − mean cosine over all pairs of the list's items. Undefined for fewer than two items; a zero vector has cosine 0 to all.
 * Computed by Σ_{i<j} cos(i, j) = (‖Σ x̂‖² − Σ ‖x̂‖²) / 2 over unit vectors x̂, O(k · dimensions).
 * Smyth & McClave (2001), Similarity vs. diversity; Ziegler et al. (2005) for the intra-list mean.
 */
import type { ListMetric } from "../metric.js";
import { needed } from "../metric-context.js";

export const diversity: ListMetric = {
  name: "diversity",
  title: "Intra-list diversity",
  formula: "1 − mean pairwise cosine",
  of: "list",
  needs: "itemVectors",
  prepare(context, k) {
    const { dimensions, vectors } = needed(context, "itemVectors", `diversity@${k}`);
    const scale = new Float64Array(context.numItems);
    for (let item = 0; item < context.numItems; item++) {
      let squares = 0;
      for (let d = 0; d < dimensions; d++) squares += vectors[item * dimensions + d] ** 2;
      scale[item] = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    }
    const total = new Float64Array(dimensions);
    return ({ items }) => {
      if (items.length < 2) return Number.NaN;
      total.fill(0);
      let own = 0; // Σ ‖x̂‖²
      for (let r = 0; r < items.length; r++) {
        const at = items[r] * dimensions;
        const unit = scale[items[r]];
        if (unit > 0) own++;
        for (let d = 0; d < dimensions; d++) total[d] += unit * vectors[at + d];
      }
      let squared = 0;
      for (let d = 0; d < dimensions; d++) squared += total[d] ** 2;
      return 1 - (squared - own) / (items.length * (items.length - 1));
    };
  },
};
