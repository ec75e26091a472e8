/**
 * Plain twins of assembly/als-cg.ts, als-cholesky.ts, als-block.ts and als-loss.ts in float64, written from the formulas:
 *   A_u = w₀YᵀY + Σ_i e_ui y_i y_iᵀ + λ_u I,  b_u = Σ_i (w₀ + e_ui) a_ui y_i + λ_u m_u,  e_ui = alpha·value_ui.
 * Called by tests only.
 */
import type { Csr } from "../../core/interactions.js";
import { referenceGram } from "./gram.js";

export interface ReferenceAls {
  factors: number;
  alpha: number;
  unobservedWeight: number;
  regularization: number;
  regularizationExponent: number;
  /** a by entry of the matrix at hand; 1 when absent. */
  goals?: Numbers;
  /** m by row of the matrix at hand; 0 when absent. */
  priors?: Numbers;
}

type Numbers = Float32Array | Float64Array;

/** λ of one row. */
function ridge(matrix: Csr, row: number, als: ReferenceAls): number {
  const count = matrix.offsets[row + 1] - matrix.offsets[row];
  return als.regularization * (count + als.unobservedWeight * matrix.numColumns) ** als.regularizationExponent;
}

/** A_u and b_u of one row. */
function normalEquations(matrix: Csr, row: number, fixed: Numbers, gram: Float64Array, als: ReferenceAls) {
  const { factors } = als;
  const a = gram.slice();
  const b = new Float64Array(factors);
  for (let e = matrix.offsets[row]; e < matrix.offsets[row + 1]; e++) {
    const extra = als.alpha * matrix.values[e];
    const y = fixed.subarray(matrix.indices[e] * factors, (matrix.indices[e] + 1) * factors);
    for (let i = 0; i < factors; i++) {
      b[i] += (als.unobservedWeight + extra) * (als.goals?.[e] ?? 1) * y[i];
      for (let j = 0; j < factors; j++) a[i * factors + j] += extra * y[i] * y[j];
    }
  }
  const lambda = ridge(matrix, row, als);
  for (let i = 0; i < factors; i++) {
    a[i * factors + i] += lambda;
    b[i] += lambda * (als.priors?.[row * factors + i] ?? 0);
  }
  return { a, b };
}

/** New rows of the side whose matrix is given, solved exactly; rows without entries are 0. */
export function referenceAlsCholesky(matrix: Csr, fixed: Numbers, als: ReferenceAls): Float64Array {
  const { factors } = als;
  const gram = referenceGram(fixed, factors, als.unobservedWeight);
  const out = new Float64Array(matrix.numRows * factors);
  for (let row = 0; row < matrix.numRows; row++) {
    if (matrix.offsets[row] === matrix.offsets[row + 1]) continue;
    const { a, b } = normalEquations(matrix, row, fixed, gram, als);
    out.set(solveSymmetric(a, b, factors), row * factors);
  }
  return out;
}

/** New rows by `steps` conjugate gradient steps from `start`. */
export function referenceAlsCg(matrix: Csr, start: Numbers, fixed: Numbers, steps: number, als: ReferenceAls): Float64Array {
  const { factors } = als;
  const gram = referenceGram(fixed, factors, als.unobservedWeight);
  const out = new Float64Array(matrix.numRows * factors);
  for (let row = 0; row < matrix.numRows; row++) {
    if (matrix.offsets[row] === matrix.offsets[row + 1]) continue;
    const { a, b } = normalEquations(matrix, row, fixed, gram, als);
    const x = Float64Array.from(start.subarray(row * factors, (row + 1) * factors));
    const residual = b.map((value, i) => value - productRow(a, i, x));
    const direction = residual.slice();
    let squared = dot(residual, residual);
    for (let step = 0; step < steps && squared > 1e-20; step++) {
      const product = direction.map((_, i) => productRow(a, i, direction));
      const length = squared / dot(direction, product);
      for (let i = 0; i < factors; i++) {
        x[i] += length * direction[i];
        residual[i] -= length * product[i];
      }
      const next = dot(residual, residual);
      for (let i = 0; i < factors; i++) direction[i] = residual[i] + (next / squared) * direction[i];
      squared = next;
    }
    out.set(x, row * factors);
  }
  return out;
}

/** New rows after one pass over blocks of `blockFactors` unknowns, each solved given the others with its diagonal times 1.0001. */
export function referenceAlsBlock(matrix: Csr, start: Numbers, fixed: Numbers, blockFactors: number, als: ReferenceAls): Float64Array {
  const { factors } = als;
  const gram = referenceGram(fixed, factors, als.unobservedWeight);
  const out = new Float64Array(matrix.numRows * factors);
  for (let row = 0; row < matrix.numRows; row++) {
    if (matrix.offsets[row] === matrix.offsets[row + 1]) continue;
    const { a, b } = normalEquations(matrix, row, fixed, gram, als);
    const x = Float64Array.from(start.subarray(row * factors, (row + 1) * factors));
    for (let begin = 0; begin < factors; begin += blockFactors) {
      const width = Math.min(blockFactors, factors - begin);
      const block = new Float64Array(width * width).map((_, k) => a[(begin + Math.floor(k / width)) * factors + begin + (k % width)]);
      for (let i = 0; i < width; i++) block[i * width + i] *= 1.0001;
      const residual = Float64Array.from({ length: width }, (_, i) => b[begin + i] - productRow(a, begin + i, x));
      const delta = solveSymmetric(block, residual, width);
      for (let i = 0; i < width; i++) x[begin + i] += delta[i];
    }
    out.set(x, row * factors);
  }
  return out;
}

/** What the loss takes beside the settings: goals by entry of `matrixByUser`, and the priors of both sides. */
export interface ReferenceAlsLoss extends ReferenceAls {
  userPriors?: Numbers;
  itemPriors?: Numbers;
}

/** The objective, visiting every cell. */
export function referenceAlsLoss(matrixByUser: Csr, matrixByItem: Csr, users: Numbers, items: Numbers, als: ReferenceAlsLoss): number {
  const { factors, userPriors, itemPriors } = als;
  const distance = (values: Numbers, priors: Numbers | undefined, r: number) =>
    Array.from(row(values, r), (value, k) => (value - (priors?.[r * factors + k] ?? 0)) ** 2).reduce((sum, square) => sum + square, 0);
  const row = (values: Numbers, r: number) => values.subarray(r * factors, (r + 1) * factors);
  let loss = 0;
  for (let u = 0; u < matrixByUser.numRows; u++) {
    const observed = new Map<number, number>();
    for (let e = matrixByUser.offsets[u]; e < matrixByUser.offsets[u + 1]; e++) observed.set(matrixByUser.indices[e], e);
    for (let i = 0; i < matrixByUser.numColumns; i++) {
      const e = observed.get(i);
      const error = (e === undefined ? 0 : (als.goals?.[e] ?? 1)) - dot(row(users, u), row(items, i));
      loss += (als.unobservedWeight + (e === undefined ? 0 : als.alpha * matrixByUser.values[e])) * error * error;
    }
    loss += ridge(matrixByUser, u, als) * distance(users, userPriors, u);
  }
  for (let i = 0; i < matrixByItem.numRows; i++) loss += ridge(matrixByItem, i, als) * distance(items, itemPriors, i);
  return loss;
}

function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function productRow(matrix: Float64Array, row: number, vector: Float64Array): number {
  return dot(matrix.subarray(row * vector.length, (row + 1) * vector.length), vector);
}

/** Cholesky A = LLᵀ and two substitutions. */
function solveSymmetric(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= lower[i * n + k] * lower[j * n + k];
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j];
    }
    for (let k = 0; k < i; k++) x[i] -= lower[i * n + k] * x[k];
    x[i] /= lower[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= lower[k * n + i] * x[k];
    x[i] /= lower[i * n + i];
  }
  return x;
}
