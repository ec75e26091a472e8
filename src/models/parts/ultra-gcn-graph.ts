/**
 * What ultragcn sees of the item–item graph, and the user of a given history against its item factors.
 *   G = AᵀA, g_i = Σ_k G_ik: ω_ij = G_ij / (g_i − G_ii) · √(g_i / g_j), S(i) = the items j ≠ i of largest ω_ij
 * Mao et al. (2021), eq. 9 and 12. Called by models/ultragcn.ts.
 */
import type { Csr } from "../../core/interactions.js";
import { type NeighbourOptions, sparseNeighbours } from "../../kernels/sparse-neighbours.js";
import { itemTerm, type UltraGcnWeights, userTerm } from "../../kernels/ultra-gcn.js";
import { factorizeInPlace, solveInPlace } from "./small-cholesky.js";

/** S(i) with `weight` · ω. `pairs` holds users × items, `byItem` its transpose. */
export async function itemLinks(
  { pairs, byItem }: { pairs: Csr; byItem: Csr },
  { count, weight, ...options }: Omit<NeighbourOptions, "measure"> & { weight: number },
): Promise<Csr> {
  const { numRows: numItems, offsets, indices } = byItem;
  const ones = { ...byItem, values: new Float32Array(indices.length).fill(1) };
  const left = new Float64Array(numItems).fill(1);
  const right = new Float64Array(numItems).fill(1);
  for (let item = 0; item < numItems; item++) {
    let reach = 0; // g_i: the lengths of the rows of its users
    for (let e = offsets[item]; e < offsets[item + 1]; e++) reach += pairs.offsets[indices[e] + 1] - pairs.offsets[indices[e]];
    const others = reach - (offsets[item + 1] - offsets[item]);
    if (others > 0) left[item] = others / Math.sqrt(reach);
    if (reach > 0) right[item] = Math.sqrt(reach);
  }
  const links = await sparseNeighbours(ones, { ...options, count, measure: { left, right } });
  return { ...links, values: links.values.map((value) => weight * value) };
}

export interface FoldInGraph {
  links: Csr;
  itemDegrees: Int32Array;
  weights: UltraGcnWeights;
  regularization: number;
}

const sampledNegatives = 1000;
const newtonSteps = 8;

/**
 * The factors of a user with these distinct items and their v, item factors fixed: the user's part of the objective minimised by Newton's method in
 * float64, the expected negatives over at most 1000 items at equal distances. O(steps · (terms · factors² + factors³)).
 */
export function foldInGraphUser(
  { indices: items, values }: { indices: Int32Array; values: ArrayLike<number> },
  itemFactors: Float32Array,
  graph: FoldInGraph,
): Float64Array {
  const { links, itemDegrees, weights, regularization } = graph;
  const numItems = itemDegrees.length;
  const factors = itemFactors.length / numItems;
  const own = userTerm(items.length);
  const terms: { item: number; sign: number; weight: number }[] = [];
  for (const [k, item] of items.entries()) {
    terms.push({ item, sign: 1, weight: values[k] * (weights.positive[0] + weights.positive[1] * own * itemTerm(itemDegrees[item])) });
    for (let e = links.offsets[item]; e < links.offsets[item + 1]; e++)
      terms.push({ item: links.indices[e], sign: 1, weight: links.values[e] });
  }
  const sampled = Math.min(numItems, sampledNegatives);
  for (let k = 0; k < sampled; k++) {
    const item = Math.floor((k * numItems) / sampled);
    const weight = weights.negative[0] + weights.negative[1] * own * itemTerm(itemDegrees[item]);
    terms.push({ item, sign: -1, weight: (weight * items.length) / sampled });
  }
  const ridge = regularization * terms.reduce((sum, { weight }) => sum + weight, 0);

  const vector = new Float64Array(factors);
  for (let step = 0; step < newtonSteps; step++) {
    const hessian = new Float64Array(factors * factors);
    const gradient = vector.map((value) => -ridge * value);
    for (const { item, sign, weight } of terms) {
      const at = item * factors;
      let score = 0;
      for (let d = 0; d < factors; d++) score += vector[d] * itemFactors[at + d];
      const share = 1 / (1 + Math.exp(sign * score));
      const bend = weight * share * (1 - share);
      for (let i = 0; i < factors; i++) {
        gradient[i] += sign * weight * share * itemFactors[at + i];
        const scaled = bend * itemFactors[at + i];
        for (let j = 0; j <= i; j++) hessian[i * factors + j] += scaled * itemFactors[at + j];
      }
    }
    for (let i = 0; i < factors; i++) hessian[i * factors + i] += ridge + 1e-9;
    factorizeInPlace(hessian, factors);
    solveInPlace(hessian, factors, gradient);
    const length = Math.hypot(...gradient);
    const damped = Math.min(1, 2 / length); // far from the solution the quadratic form promises too much
    for (let d = 0; d < factors; d++) vector[d] += damped * gradient[d];
    if (length < 1e-5) break;
  }
  return vector;
}
