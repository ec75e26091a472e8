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
  /** The rows with the values that are multiplied. */
  matrix: Csr;
  /** Σ of the squared values of each row. */
  squares: Float64Array;
  measure: PairMeasure;
  /** Value of row r with itself; 0 for an empty row. */
  self(row: number): number;
  /** The values of a row that is not in the matrix, from its weights. */
  valuesOf(row: { indices: Int32Array; weights: Float32Array }): Float32Array;
  /** Value of a pair from the squares of both rows and their dot product: the formula of the kernel, rounded to float32 as there. */
  pairValue(squares: number, otherSquares: number, dot: number): number;
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

export function similarityProblem(source: Csr, options: SimilarityOptions): SimilarityProblem {
  const { numRows, offsets, indices } = source;
  const valuesOf = transformation(source, options);
  const values = new Float32Array(indices.length);
  const squares = new Float64Array(numRows);
  for (let row = 0; row < numRows; row++) {
    const [from, to] = [offsets[row], offsets[row + 1]];
    values.set(valuesOf({ indices: indices.subarray(from, to), weights: source.values.subarray(from, to) }), from);
    squares[row] = sumOfSquares(values.subarray(from, to));
  }
  const { left, right, leftTerm, rightTerm, dotFactor } = denominatorOf(options);
  const measure = {
    left: squares.map(left),
    right: squares.map(right),
    leftTerm: squares.map(leftTerm),
    rightTerm: squares.map(rightTerm),
    dotFactor,
  };
  const pairValue = (n: number, m: number, dot: number) =>
    dot > 0 ? Math.fround(dot / (left(n) * right(m) + leftTerm(n) + rightTerm(m) + dotFactor * dot)) : 0;
  return {
    matrix: { ...source, values },
    squares,
    measure,
    valuesOf,
    pairValue,
    self: (row) => pairValue(squares[row], squares[row], squares[row]),
  };
}

/** In float64, in order. */
export function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (let e = 0; e < values.length; e++) sum += values[e] * values[e];
  return sum;
}

/** The parts of a denominator as functions of n = Σ x². */
interface Denominator {
  left(n: number): number;
  right(n: number): number;
  leftTerm(n: number): number;
  rightTerm(n: number): number;
  dotFactor: number;
}

function denominatorOf({ similarity, shrinkage, alpha }: SimilarityOptions): Denominator {
  const [none, one, shrunk] = [() => 0, () => 1, () => shrinkage];
  switch (similarity) {
    case "cosine":
    case "tf-idf":
      return { left: Math.sqrt, right: Math.sqrt, leftTerm: shrunk, rightTerm: none, dotFactor: 0 };
    case "bm25":
      return { left: one, right: one, leftTerm: none, rightTerm: none, dotFactor: 0 };
    case "jaccard":
      return { left: none, right: none, leftTerm: (n) => n + shrinkage, rightTerm: (n) => n, dotFactor: -1 };
    case "conditional":
      return { left: (n) => n, right: (n) => n ** alpha, leftTerm: shrunk, rightTerm: none, dotFactor: 0 };
  }
}

/** From the weights of a row to the values that are multiplied. */
function transformation(source: Csr, { similarity, weighting }: SimilarityOptions): SimilarityProblem["valuesOf"] {
  const weigh = weightingOf(weighting);
  const { numRows, numColumns, indices } = source;
  if (similarity !== "tf-idf" && similarity !== "bm25") return ({ weights }) => weights.map(weigh);
  const lengths = new Float64Array(numColumns);
  for (let e = 0; e < indices.length; e++) lengths[indices[e]]++;
  if (similarity === "tf-idf") {
    const idf = lengths.map((length) => 1 + Math.log((1 + numRows) / (1 + length)));
    return (row) => row.weights.map((weight, e) => weigh(weight) * idf[row.indices[e]]);
  }
  const idf = lengths.map((length) => Math.log1p((numRows - length + 0.5) / (length + 0.5))); // never negative
  const total = source.values.reduce((sum, weight) => sum + weigh(weight), 0);
  const mean = total / Math.max(1, numRows) || 1;
  return (row) => {
    const length = row.weights.reduce((sum, weight) => sum + weigh(weight), 0);
    const norm = k1 * (1 - b + (b * length) / mean);
    return row.weights.map((weight, e) => (idf[row.indices[e]] * weigh(weight) * (k1 + 1)) / (norm + weigh(weight)));
  };
}
