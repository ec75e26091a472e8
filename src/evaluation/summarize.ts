/**
 * From values per case to figures: means without rounding error, with bootstrap percentile intervals on request. Figures of the whole
 * run (coverage, gini) are no means; their interval is value ± t · standard error of a delete-a-group jackknife (Shao & Tu 1995).
 */
import { type BootstrapOptions, bootstrapMeans, checkBootstrap, clusterSums, quantile, standardDeviation } from "./bootstrap.js";
import { createExactSum } from "./exact-sum.js";
import type { CaseValues } from "./judge.js";
import { studentTQuantile } from "./student-t.js";

export type IntervalOptions = BootstrapOptions;

export interface Estimate {
  /** NaN when the metric is defined for no case. */
  value: number;
  /** Interval of the asked level (default 95 %); absent without `intervals` and with fewer than two cases or clusters. */
  low?: number;
  high?: number;
  standardError?: number;
  /** Cases for which the metric is defined. */
  numCases: number;
}

export interface SegmentRow {
  segment: string;
  group: string;
  /** Cases in the group; 0 when there is none, and then no metrics. */
  numCases: number;
  metrics: Record<string, Estimate>;
}

export interface SummarizeOptions {
  /** Give intervals: over cases, or over clusters where the cases of a user belong together. */
  intervals?: IntervalOptions;
}

/** One estimate per label, in the order asked for. Throws ConfigError on a wrong level or number of resamples. */
export function summarize(values: CaseValues, { intervals }: SummarizeOptions = {}): Record<string, Estimate> {
  const ofCases = estimates(values.values, values, intervals);
  return Object.fromEntries(
    values.labels.map((label) => [label, label in values.catalogue ? ofRun(values, label, intervals) : ofCases[label]] as const),
  );
}

/** One row per group of the segmentations that were judged. Figures of the whole run have no breakdown. */
export function summarizeSegments(values: CaseValues, { intervals }: SummarizeOptions = {}): SegmentRow[] {
  return (values.segments ?? []).map(({ segment, group, values: ofGroup }) => {
    const metrics = estimates(ofGroup, values, intervals);
    const numCases = Math.max(0, ...Object.values(metrics).map((estimate) => estimate.numCases));
    return { segment, group, numCases, metrics: numCases > 0 ? metrics : {} };
  });
}

function estimates(
  columns: Record<string, Float64Array>,
  { cluster, roots = [] }: CaseValues,
  intervals: IntervalOptions | undefined,
): Record<string, Estimate> {
  const labels = Object.keys(columns);
  const finish = (label: string) => (roots.includes(label) ? Math.sqrt : (mean: number) => mean);
  const out: Record<string, Estimate> = {};
  for (const label of labels) {
    const { mean, count } = meanOf(columns[label]);
    out[label] = { value: finish(label)(mean), numCases: count };
  }
  if (!intervals) return out;
  const { level, ...draws } = checkBootstrap(intervals);
  const sums = labels.map((label) => clusterSums(columns[label], cluster));
  for (const [m, ascending] of bootstrapMeans(sums, draws).entries()) {
    if (definedClusters(sums[m].size ?? sums[m].sum.map(() => 1)) < 2) continue;
    const means = ascending.map(finish(labels[m]));
    out[labels[m]].low = quantile(means, (1 - level) / 2);
    out[labels[m]].high = quantile(means, (1 + level) / 2);
    out[labels[m]].standardError = standardDeviation(means);
  }
  return out;
}

function definedClusters(size: Float64Array): number {
  return size.reduce((count, cases) => count + (cases > 0 ? 1 : 0), 0);
}

function meanOf(values: Float64Array): { mean: number; count: number } {
  const sum = createExactSum();
  let count = 0;
  for (let c = 0; c < values.length; c++) {
    if (Number.isNaN(values[c])) continue;
    sum.add(values[c]);
    count++;
  }
  return { mean: sum.value() / count, count };
}

function ofRun({ catalogue, catalogueWithout, numCases }: CaseValues, label: string, intervals: IntervalOptions | undefined): Estimate {
  const value = catalogue[label];
  const without = catalogueWithout?.[label];
  if (!intervals || !without || without.length < 2) return { value, numCases };
  const { level } = checkBootstrap(intervals);
  const groups = without.length;
  const standardError = (standardDeviation(without) * (groups - 1)) / Math.sqrt(groups); // √((g − 1)/g · Σ (θ_g − θ̄)²)
  const reach = studentTQuantile((1 + level) / 2, groups - 1) * standardError;
  return { value, low: value - reach, high: value + reach, standardError, numCases };
}
