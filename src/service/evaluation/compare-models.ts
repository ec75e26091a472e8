/**
 * Which models differ from the best one by more than chance: paired on the same cases, p values corrected by Holm over
 * the models of a part. And how far each model is from a recipe's baseline. Called by evaluate.ts.
 */
import { adjustPValues } from "../../evaluation/adjust-p-values.js";
import { comparePaired, type PairedComparison } from "../../evaluation/compare.js";
import type { IntervalOptions } from "../../evaluation/summarize.js";
import { MIN_QUESTIONS } from "./choose-champion.js";
import type { ComparableValues } from "./judge-part.js";
import type { BaselineComparison, ModelComparison } from "./judged.js";

/** Fewest draws of a test: a corrected p value of 0.05 must be in reach with dozens of models. */
const MIN_RESAMPLES = 5000;

/** By label, for all others than `best`; none when there are too few users to tell anything. */
export function compareWithBest(
  judged: ReadonlyMap<string, ComparableValues>,
  { best, metric, intervals }: { best: string; metric: string; intervals: IntervalOptions },
): Map<string, ModelComparison> {
  const champion = judged.get(best);
  const compared: [string, PairedComparison][] = [];
  for (const [label, { values }] of judged) {
    if (!champion || label === best || comparableUsers(values, champion) < MIN_QUESTIONS) continue;
    const resamples = Math.max(MIN_RESAMPLES, intervals.resamples ?? 0);
    compared.push([label, comparePaired(values, champion.values, { ...intervals, resamples, cluster: champion.cluster })]);
  }
  const adjusted = adjustPValues(
    compared.map(([, { pBootstrap }]) => pBootstrap),
    "holm",
  );
  return new Map(compared.map(([label, comparison], c) => [label, { ...comparison, best, metric, pAdjusted: adjusted[c] }]));
}

/** Every other model beside `baseline`, by label: difference with its interval over users, and ratio. */
export function compareWithBaseline(
  judged: ReadonlyMap<string, ComparableValues>,
  { baseline, metric, intervals = {} }: { baseline: string; metric: string; intervals?: IntervalOptions },
): Map<string, BaselineComparison> {
  const base = judged.get(baseline);
  const compared = new Map<string, BaselineComparison>();
  for (const [label, { values }] of judged) {
    if (!base || label === baseline || comparableUsers(values, base) < MIN_QUESTIONS) continue;
    const { level = 0.95, resamples = 0 } = intervals;
    const options = { ...intervals, level, resamples: Math.max(MIN_RESAMPLES, resamples), cluster: base.cluster };
    const comparison = comparePaired(values, base.values, options);
    const mean = meanOfPairs(base.values, values);
    const ratio = mean > 0 ? { ratio: 1 + comparison.difference / mean } : {};
    compared.set(label, { ...comparison, baseline, metric, level, ...ratio });
  }
  return compared;
}

/** Mean of `values` where the other is defined, too. */
function meanOfPairs(values: Float64Array, others: Float64Array): number {
  const defined = values.filter((value, c) => !Number.isNaN(value - others[c]));
  return defined.reduce((sum, value) => sum + value, 0) / defined.length;
}

/** Users with a case in which both values are defined. */
function comparableUsers(values: Float64Array, { values: others, cluster }: ComparableValues): number {
  const users = new Set<number>();
  for (let c = 0; c < values.length; c++) if (!Number.isNaN(values[c] - others[c])) users.add(cluster ? cluster[c] : c);
  return users.size;
}
