/**
 * Plain twin of assembly/rating-als.ts in float64, by Gauss elimination of the normal equations. Called by tests only.
 */
import type { Csr } from "../../core/interactions.js";

type Numbers = ArrayLike<number>;

/** New rows and biases of the side whose matrix is given; rows without entries are 0. */
export function referenceRatingAls(
  matrix: Csr,
  others: { factors: Numbers; bias: Numbers },
  { factors: f, regularization, regularizationExponent }: { factors: number; regularization: number; regularizationExponent: number },
): { factors: Float64Array; bias: Float64Array } {
  const out = { factors: new Float64Array(matrix.numRows * f), bias: new Float64Array(matrix.numRows) };
  for (let row = 0; row < matrix.numRows; row++) {
    const [begin, end] = [matrix.offsets[row], matrix.offsets[row + 1]];
    if (begin === end) continue;
    const ridge = regularization * (end - begin) ** regularizationExponent;
    const system = Array.from({ length: f + 1 }, (_, i) => Array.from({ length: f + 2 }, (_, j) => (i === j ? ridge : 0)));
    for (let e = begin; e < end; e++) {
      const other = matrix.indices[e];
      const x = Array.from({ length: f + 1 }, (_, d) => (d < f ? others.factors[other * f + d] : 1));
      const target = matrix.values[e] - others.bias[other];
      for (let i = 0; i <= f; i++) {
        for (let j = 0; j <= f; j++) system[i][j] += x[i] * x[j];
        system[i][f + 1] += x[i] * target;
      }
    }
    const solution = eliminate(system);
    out.factors.set(solution.slice(0, f), row * f);
    out.bias[row] = solution[f];
  }
  return out;
}

/** Solves [A | b] with row exchanges. */
function eliminate(system: number[][]): number[] {
  const n = system.length;
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(system[i][k]) > Math.abs(system[best][k])) best = i;
    [system[k], system[best]] = [system[best], system[k]];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const share = system[i][k] / system[k][k];
      for (let j = k; j <= n; j++) system[i][j] -= share * system[k][j];
    }
  }
  return system.map((row, i) => row[n] / row[i]);
}
