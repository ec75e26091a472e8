/**
 * Is model a better than model b? Both judged on the same cases; the differences decide. Two tests, paired bootstrap and paired t, over
 * clusters where cases belong together, and Cohen's d_z. Urbano, Lima & Hanjalic (2019), Statistical significance testing in information
 * retrieval; Cameron & Miller (2015) for cluster-robust errors.
 */
import { ConfigError, DataError } from "../core/errors.js";
import { type BootstrapOptions, bootstrapMeans, checkBootstrap, clusterSums, quantile } from "./bootstrap.js";
import { createExactSum } from "./exact-sum.js";
import { studentTTwoSided } from "./student-t.js";

export interface CompareOptions extends BootstrapOptions {
  /** Cluster of each case, as in `CaseValues`. */
  cluster?: Int32Array;
}

export interface PairedComparison {
  /** Mean of a − b. */
  difference: number;
  /** Bootstrap percentile interval of the difference. */
  low: number;
  high: number;
  /** Two-sided: twice the smaller share of resampled differences on either side of 0, (1 + count) / (1 + resamples), at most 1. */
  pBootstrap: number;
  /** Two-sided paired t test; with clusters, of the ratio Σ d / n with cluster-robust error and clusters − 1 degrees of freedom. */
  pT: number;
  /** Cohen's d_z = mean / standard deviation of the differences; ±Infinity when all are the same, 0 when all are 0. */
  effectSize: number;
  /** Pairs in which both values are defined. */
  numCases: number;
}

/** Throws ConfigError when the lengths differ, DataError with fewer than two pairs or clusters. */
export function comparePaired(a: Float64Array, b: Float64Array, { cluster, ...options }: CompareOptions = {}): PairedComparison {
  const { level, ...draws } = checkBootstrap(options);
  if (a.length !== b.length || (cluster && cluster.length !== a.length)) {
    throw new ConfigError(`A paired comparison got ${a.length} and ${b.length} values${cluster ? ` in ${cluster.length} cases` : ""}.`, {
      hint: "Judge both models on the same cases.",
    });
  }
  const differences = a.map((value, c) => value - b[c]);
  const { sum, size } = definedClusters(differences, cluster);
  if (sum.length < 2) {
    throw new DataError(`A paired comparison needs two cases or clusters at least, but has ${sum.length}.`, {
      hint: "Compare on more users.",
    });
  }
  const numCases = size.reduce((total, cases) => total + cases, 0);
  const difference = exactSum(sum) / numCases;
  const ascending = bootstrapMeans([{ sum, size }], draws)[0];
  return {
    difference,
    low: quantile(ascending, (1 - level) / 2),
    high: quantile(ascending, (1 + level) / 2),
    pBootstrap: twoSided(ascending),
    pT: clusterTTest(difference, { sum, size, numCases }),
    effectSize: effectSize(differences, { difference, numCases }),
    numCases,
  };
}

/** Clusters with at least one defined difference. */
function definedClusters(differences: Float64Array, cluster: Int32Array | undefined): { sum: Float64Array; size: Float64Array } {
  const { sum, size = sum.map(() => 1) } = clusterSums(differences, cluster);
  return { sum: sum.filter((_, c) => size[c] > 0), size: size.filter((cases) => cases > 0) };
}

function twoSided(ascending: Float64Array): number {
  let below = 1;
  let above = 1;
  for (const mean of ascending) {
    if (mean <= 0) below++;
    if (mean >= 0) above++;
  }
  return Math.min(1, (2 * Math.min(below, above)) / (1 + ascending.length));
}

/** SE² = G/(G − 1) · Σ_g (sum_g − size_g · d̄)² / n²; with one case per cluster the paired t test. */
function clusterTTest(difference: number, { sum, size, numCases }: { sum: Float64Array; size: Float64Array; numCases: number }): number {
  const groups = sum.length;
  const squares = exactSum(sum.map((total, c) => (total - size[c] * difference) ** 2));
  const error = Math.sqrt((groups / (groups - 1)) * squares) / numCases;
  if (error === 0) return difference === 0 ? 1 : 0;
  return studentTTwoSided(difference / error, groups - 1);
}

function effectSize(differences: Float64Array, { difference, numCases }: { difference: number; numCases: number }): number {
  const squares = exactSum(differences.filter((d) => !Number.isNaN(d)).map((d) => (d - difference) ** 2));
  if (difference === 0) return 0;
  return difference / Math.sqrt(squares / (numCases - 1));
}

function exactSum(values: Float64Array): number {
  const sum = createExactSum();
  for (const value of values) sum.add(value);
  return sum.value();
}
