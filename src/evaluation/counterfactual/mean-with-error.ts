/**
 * The mean of row values with its standard error, robust to rows that belong together (Liang & Zeger 1986):
 *   se² = G / (G − 1) · Σ_g (Σ_{i in g} (v_i − mean))² / n²,   G clusters, n rows
 * which is s² / n where each row stands alone. Interval: mean ± t_{G−1} · se.
 */
import { createExactSum } from "../exact-sum.js";
import { studentTQuantile } from "../student-t.js";

export interface MeanWithError {
  value: number;
  /** NaN with fewer than two clusters. */
  standardError: number;
  low: number;
  high: number;
}

export function meanWithError(
  values: Float64Array,
  { cluster, level = 0.95 }: { cluster?: Int32Array; level?: number } = {},
): MeanWithError {
  const sum = createExactSum();
  for (const value of values) sum.add(value);
  const mean = sum.value() / values.length;
  const numClusters = cluster ? cluster.reduce((largest, one) => Math.max(largest, one + 1), 0) : values.length;
  const deviations = new Float64Array(numClusters);
  for (let row = 0; row < values.length; row++) deviations[cluster ? cluster[row] : row] += values[row] - mean;
  const squares = createExactSum();
  for (const deviation of deviations) squares.add(deviation * deviation);
  const standardError = numClusters < 2 ? Number.NaN : Math.sqrt((numClusters / (numClusters - 1)) * squares.value()) / values.length;
  const reach = numClusters < 2 ? Number.NaN : studentTQuantile((1 + level) / 2, numClusters - 1) * standardError;
  return { value: mean, standardError, low: mean - reach, high: mean + reach };
}
