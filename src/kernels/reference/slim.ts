/**
 * Plain twin of assembly/slim.ts: one column of weights by cyclic coordinate descent on a dense Gram matrix, in float64, over all
 * items, until no weight moves. Called by tests.
 */

export interface ReferenceSlimProblem {
  regularization: number;
  l1Regularization: number;
  nonNegative: boolean;
}

/** Weights w of item `item`: min ½wᵀGw − g_iᵀw + ½λ₂‖w‖² + λ₁‖w‖₁ with w_i = 0; `gram` is numItems², row-major. */
export function referenceSlimColumn(
  gram: Float64Array,
  item: number,
  { regularization, l1Regularization, nonNegative }: ReferenceSlimProblem,
): Float64Array {
  const numItems = Math.sqrt(gram.length);
  const weights = new Float64Array(numItems);
  for (let sweep = 0, moved = 1; sweep < 100_000 && moved > 1e-12; sweep++) {
    moved = 0;
    for (let j = 0; j < numItems; j++) {
      const square = gram[j * numItems + j];
      if (j === item || square === 0) continue;
      let rho = gram[j * numItems + item];
      for (let k = 0; k < numItems; k++) if (k !== j) rho -= gram[j * numItems + k] * weights[k];
      const size = Math.max(0, (nonNegative ? rho : Math.abs(rho)) - l1Regularization);
      const weight = (Math.sign(rho) * size) / (square + regularization);
      moved = Math.max(moved, Math.abs(weight - weights[j]));
      weights[j] = weight;
    }
  }
  return weights;
}
