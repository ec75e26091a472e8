/**
 * Which items of a history make the score of an item (Hu, Koren & Volinsky 2008, section 5):
 *   x_u = W_u (Σ_j (w₀ + e_uj) a_uj y_j + λ_u m_u),  W_u = (w₀YᵀY + Σ_j e_uj y_j y_jᵀ + λ_u I)⁻¹,  contribution of j = (w₀ + e_uj) a_uj · y_iᵀ W_u y_j
 * They add up to the score of the folded-in row. `base` holds what remains of the model's score: the prior from side features, rounding,
 * and for a trained user the distance of the last sweep's row from the exact one. Called by als-model.ts.
 */

import type { Csr } from "../../core/interactions.js";
import type { Explanation, Query } from "../../core/model.js";
import { ridgeByRow } from "../../kernels/als-layout.js";
import { foldInRow, historyRow, type PairRule } from "./als-objective.js";
import type { AlsParams } from "./als-params.js";
import { factorizeInPlace, solveInPlace } from "./small-cholesky.js";

/** What it needs of the model. */
interface Explained {
  params: AlsParams;
  rule: PairRule;
  regularization: number;
  seen: Csr;
  itemFactors: Float32Array;
}

interface Asked {
  query: Query;
  itemIndex: number;
  encode(queries: readonly Query[], out: Float32Array): Promise<void>;
  /** w₀YᵀY. */
  gram(): Promise<Float32Array>;
}

export async function explainAls(parts: Explained, { query, itemIndex, encode, gram }: Asked): Promise<Explanation> {
  const { params, rule, seen, itemFactors } = parts;
  const { factors, alpha, unobservedWeight } = params;
  const { userIndex = -1, history } = query;
  const vector = new Float32Array(factors);
  await encode([query], vector);
  const item = (index: number) => itemFactors.subarray(index * factors, (index + 1) * factors);
  const score = Math.fround(dot(vector, item(itemIndex)));

  const given = history?.length ? historyRow(history) : trainingRow(parts, userIndex);
  const { indices, weights, goals } = foldInRow(given, rule);
  const count = indices.length;
  if (count === 0) return { score, base: score, itemIndex: indices, contribution: new Float32Array(0) };

  const regularization = parts.regularization / rule.valueUnit;
  const [ridge] = ridgeByRow(Int32Array.of(0, count), seen.numColumns, { ...params, regularization });
  const matrix = Float64Array.from(await gram());
  for (let k = 0; k < factors; k++) matrix[k * factors + k] += ridge;
  for (let j = 0; j < count; j++) {
    const [y, extra] = [item(indices[j]), alpha * weights[j]];
    for (let a = 0; a < factors; a++) for (let b = 0; b <= a; b++) matrix[a * factors + b] += extra * y[a] * y[b];
  }
  factorizeInPlace(matrix, factors);
  const solved = Float64Array.from(item(itemIndex)); // W_u y_i
  solveInPlace(matrix, factors, solved);

  const parted = Array.from(indices, (index, j) => {
    const weight = (unobservedWeight + alpha * weights[j]) * (goals?.[j] ?? 1) * rule.valueUnit;
    return { index, contribution: Math.fround(weight * dot(solved, item(index))) };
  }).sort((a, b) => b.contribution - a.contribution || a.index - b.index);
  return {
    score,
    base: score - parted.reduce((sum, { contribution }) => sum + contribution, 0),
    itemIndex: Int32Array.from(parted, ({ index }) => index),
    contribution: Float32Array.from(parted, ({ contribution }) => contribution),
  };
}

function trainingRow({ seen: { offsets, indices, values } }: Explained, user: number) {
  const [begin, end] = user >= 0 ? [offsets[user], offsets[user + 1]] : [0, 0];
  return { indices: indices.slice(begin, end), values: values.slice(begin, end) };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}
