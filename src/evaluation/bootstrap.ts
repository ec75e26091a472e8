/**
 * Bootstrap of means: cases, or clusters of them (all baskets of a user), are drawn with replacement as often as there are some.
 * One resample is a vector of counts w, and every figure's mean is Σ w·sum / Σ w·size over clusters, so all figures share the draws.
 * Efron (1979), Bootstrap methods; Davison & Hinkley (1997) for clusters. Called by `summarize.ts` and `compare.ts`.
 */
import { ConfigError } from "../core/errors.js";
import { createRandom } from "../core/random.js";

export interface BootstrapOptions {
  /** Coverage of intervals. Default 0.95. */
  level?: number;
  /** Default 1000. */
  resamples?: number;
  /** Default 42. */
  seed?: number;
}

export function checkBootstrap({ level = 0.95, resamples = 1000, seed = 42 }: BootstrapOptions = {}): Required<BootstrapOptions> {
  if (!(level > 0 && level < 1))
    throw new ConfigError(`The level of the interval is ${level}.`, {
      hint: "Give a share such as 0.95.",
      details: { path: "level", got: level },
    });
  if (!(Number.isInteger(resamples) && resamples >= 1))
    throw new ConfigError(`resamples is ${resamples}.`, {
      hint: "Give a whole number such as 1000.",
      details: { path: "resamples", got: resamples },
    });
  return { level, resamples, seed };
}

/** Defined values added up by cluster. */
export interface ClusterSums {
  sum: Float64Array;
  /** Values in each cluster; undefined when all clusters have exactly one. */
  size: Float64Array | undefined;
}

/** NaN values (not defined for the case) are left out. Without `cluster` every value is its own. */
export function clusterSums(values: Float64Array, cluster: Int32Array | undefined): ClusterSums {
  if (!cluster && !values.some(Number.isNaN)) return { sum: values, size: undefined };
  const numClusters = cluster ? cluster.reduce((max, c) => Math.max(max, c), -1) + 1 : values.length;
  const sum = new Float64Array(numClusters);
  const size = new Float64Array(numClusters);
  for (let c = 0; c < values.length; c++) {
    if (Number.isNaN(values[c])) continue;
    const at = cluster ? cluster[c] : c;
    sum[at] += values[c];
    size[at]++;
  }
  return { sum, size };
}

/**
 * Means of each column under `resamples` draws, ascending; draws without any defined value are left out. All columns have the same
 * number of clusters. O(resamples × clusters × columns), about a second for 1000 × 100 000.
 */
export function bootstrapMeans(columns: readonly ClusterSums[], { resamples, seed }: { resamples: number; seed: number }): Float64Array[] {
  const numClusters = columns[0]?.sum.length ?? 0;
  const random = createRandom(seed);
  const drawn = new Uint16Array(numClusters);
  const compact = columns.map(definedOnly);
  const means = columns.map(() => new Float64Array(resamples));
  for (let b = 0; b < resamples; b++) {
    drawn.fill(0);
    for (let c = 0; c < numClusters; c++) drawn[random.integer(numClusters)]++;
    for (let m = 0; m < columns.length; m++) means[m][b] = weightedMean(compact[m], drawn);
  }
  return means.map((of) => of.filter((mean) => !Number.isNaN(mean)).sort());
}

/** A column without its empty clusters: a group of users, say, has values in few. */
interface CompactSums extends ClusterSums {
  /** Cluster of each entry, where not all are there. */
  at?: Int32Array;
}

function definedOnly({ sum, size }: ClusterSums): CompactSums {
  if (!size) return { sum, size };
  const at = Int32Array.from(size.keys()).filter((c) => size[c] > 0);
  return { sum: Float64Array.from(at, (c) => sum[c]), size: Float64Array.from(at, (c) => size[c]), at };
}

function weightedMean({ sum, size, at }: CompactSums, drawn: Uint16Array): number {
  let total = 0;
  if (!size || !at) {
    for (let c = 0; c < sum.length; c++) total += drawn[c] * sum[c];
    return total / sum.length;
  }
  let count = 0;
  for (let e = 0; e < at.length; e++) {
    const times = drawn[at[e]];
    total += times * sum[e];
    count += times * size[e];
  }
  return total / count;
}

/** Quantile by linear interpolation between order statistics (Hyndman & Fan 1996, type 7). `share` in [0, 1]. */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  const at = share * (ascending.length - 1);
  const low = Math.floor(at);
  const high = Math.min(ascending.length - 1, low + 1);
  return ascending[low] + (at - low) * (ascending[high] - ascending[low]);
}

/** √ of the unbiased variance. */
export function standardDeviation(values: Float64Array): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
