/**
 * Similarities of the rows of an interaction matrix (items by their users, or users by their items) as the values and the
 * measure that kernels/sparse-neighbours.ts takes; x = weighted value, n = Σ x², idf_c = inverse frequency of column c.
 *   cosine       x_r·x_s / (√n_r √n_s + shrinkage)
 *   tf-idf       the same with x · idf_c, idf = 1 + ln((1 + rows) / (1 + length of c))
 *   bm25         Σ_c y_rc y_sc, y = idf_c · x (k₁ + 1) / (k₁ (1 − b + b · length_r / mean length) + x), k₁ 1.2, b 0.75 (Robertson & Zaragoza 2009)
 *   jaccard      x_r·x_s / (n_r + n_s − x_r·x_s + shrinkage)
 *   conditional  x_r·x_s / (n_r · n_s^alpha + shrinkage): P(s | r) over the popularity of s (Deshpande & Karypis 2004)
 * Called by item-knn and user-knn.
 */
import type { Csr } from "../../core/interactions.js";
import type { PairMeasure } from "../../kernels/sparse-neighbours.js";

export const similarities = ["cosine", "tf-idf", "bm25", "jaccard", "conditional"] as const;
export type Similarity = (typeof similarities)[number];

export const weightings = ["binary", "log", "linear"] as const;
export type Weighting = (typeof weightings)[number];

export interface SimilarityOptions {
  similarity: Similarity;
  weighting: Weighting;
  shrinkage: number;
  /** Exponent of the popularity in `conditional`. */
  alpha: number;
}

/** The values to multiply and the denominator of the similarity. */
export interface SimilarityProblem {
  matrix: Csr;
  measure: PairMeasure;
  /** Value of row r with itself; 0 for an empty row. */
  self(row: number): number;
}

const k1 = 1.2;
const b = 0.75;

/** What an observed weight counts: 1, ln(1 + weight), or the weight. A weight of 0 counts 0. */
export function weightingOf(weighting: Weighting): (weight: number) => number {
  switch (weighting) {
    case "binary":
      return (weight) => (weight > 0 ? 1 : 0);
    case "log":
      return Math.log1p;
    case "linear":
      return (weight) => weight;
  }
}

export function similarityProblem(source: Csr, { similarity, weighting, shrinkage, alpha }: SimilarityOptions): SimilarityProblem {
  const { numRows } = source;
  const values = source.values.map(weightingOf(weighting));
  if (similarity === "tf-idf") scaleByColumn(values, source, (length) => 1 + Math.log((1 + numRows) / (1 + length)));
  if (similarity === "bm25") saturate(values, source);
  const matrix = { ...source, values };
  const squares = sumsByRow(source, (e) => values[e] * values[e]);
  const measure = measureOf(similarity, { squares, shrinkage, alpha });
  return { matrix, measure, self: (row) => pairValue(measure, row, row, squares[row]) };
}

/** dot / denominator, the formula of the kernel, rounded to float32 as there. */
export function pairValue(measure: PairMeasure, row: number, other: number, dot: number): number {
  if (!(dot > 0)) return 0;
  const { left, right, leftTerm, rightTerm, dotFactor = 0 } = measure;
  const product = (left?.[row] ?? 1) * (right?.[other] ?? 1);
  return Math.fround(dot / (product + (leftTerm?.[row] ?? 0) + (rightTerm?.[other] ?? 0) + dotFactor * dot));
}

function measureOf(
  similarity: Similarity,
  { squares, shrinkage, alpha }: { squares: Float64Array; shrinkage: number; alpha: number },
): PairMeasure {
  const shrunk = squares.map(() => shrinkage);
  switch (similarity) {
    case "cosine":
    case "tf-idf": {
      const norms = squares.map(Math.sqrt);
      return { left: norms, right: norms, leftTerm: shrunk };
    }
    case "bm25":
      return {};
    case "jaccard":
      return { left: squares.map(() => 0), leftTerm: squares.map((n) => n + shrinkage), rightTerm: squares, dotFactor: -1 };
    case "conditional":
      return { left: squares, right: squares.map((n) => n ** alpha), leftTerm: shrunk };
  }
}

function sumsByRow({ numRows, offsets }: Csr, valueAt: (entry: number) => number): Float64Array {
  const sums = new Float64Array(numRows);
  for (let row = 0; row < numRows; row++) for (let e = offsets[row]; e < offsets[row + 1]; e++) sums[row] += valueAt(e);
  return sums;
}

function scaleByColumn(values: Float32Array, { numColumns, indices }: Csr, scale: (length: number) => number): void {
  const lengths = new Float64Array(numColumns);
  for (let e = 0; e < values.length; e++) lengths[indices[e]]++;
  const scales = lengths.map(scale);
  for (let e = 0; e < values.length; e++) values[e] *= scales[indices[e]];
}

/** BM25 of rows as documents and columns as terms; its idf ln(1 + (rows − length + ½) / (length + ½)) is never negative. */
function saturate(values: Float32Array, source: Csr): void {
  const { numRows, offsets } = source;
  const lengths = sumsByRow(source, (e) => values[e]);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, numRows) || 1;
  for (let row = 0; row < numRows; row++) {
    const norm = k1 * (1 - b + (b * lengths[row]) / mean);
    for (let e = offsets[row]; e < offsets[row + 1]; e++) values[e] *= (k1 + 1) / (norm + values[e]);
  }
  scaleByColumn(values, source, (length) => Math.log1p((numRows - length + 0.5) / (length + 0.5)));
}
