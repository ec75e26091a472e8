/**
 * Judges one model on the folds of one held-out part: figures, on request with intervals and a breakdown, and the chosen
 * metric case by case for the comparison of models. Called by evaluate.ts and ranked-lists.ts.
 */
import { type CaseValues, judgeCases } from "../../evaluation/judge.js";
import { activitySegments, popularitySegments, repeatSegments, type Segmentation } from "../../evaluation/segments.js";
import { type Estimate, type SegmentRow, summarize, summarizeSegments } from "../../evaluation/summarize.js";
import type { Recommender } from "../../ranking/recommender.js";
import type { ItemContext } from "../recipe/recipe-metrics.js";
import type { RunOptions } from "../run-result.js";
import type { Part } from "./part.js";
import { partCases } from "./part-cases.js";

export interface JudgeSettings extends Pick<RunOptions, "intervals" | "breakdown" | "signal" | "onProgress"> {
  metrics: readonly string[];
  /** The metric by which models are compared. */
  choose: string;
  excludeSeen: boolean;
  context?: ItemContext;
}

/** A metric of each case; equal positions are the same case for all models. */
export interface ComparableValues {
  values: Float64Array;
  /** Cases of one user belong together; absent when each has one. */
  cluster?: Int32Array;
}

export interface FoldValues extends CaseValues {
  /** userIndex of each case. */
  user: Int32Array;
}

export interface PartFigures {
  metrics: Record<string, number>;
  /** Standard deviation over folds, where there are several. */
  spread?: Record<string, number>;
  estimates?: Record<string, Estimate>;
  breakdown?: SegmentRow[];
  numCases: number;
  /** Undefined when the chosen metric is a figure of the whole run. */
  chosen?: ComparableValues;
}

/** Judges on one fold; the breakdown is of parts without folds. */
export async function judgeFold(model: Recommender, part: Part, settings: JudgeSettings): Promise<FoldValues> {
  const { metrics, excludeSeen, context, breakdown, signal, onProgress } = settings;
  const cases = partCases(part, excludeSeen);
  const segments = breakdown ? segmentations(part, { model, excludeSeen }) : undefined;
  const values = await judgeCases(model, cases, { metrics, excludeSeen, context, segments, signal, onProgress });
  return { ...values, user: Int32Array.from(values.caseIndex!, (c) => cases[c].query.userIndex ?? -1) };
}

/** Users by activity, relevant items by popularity, and where both may appear by whether the user had them before. */
function segmentations({ train, given }: Part, { model, excludeSeen }: { model: Recommender; excludeSeen: boolean }): Segmentation[] {
  const history = train.matrixByUser();
  return [
    ...(excludeSeen ? [] : [repeatSegments(history)]),
    activitySegments(given?.matrixByUser() ?? history),
    popularitySegments(model.popularity),
  ];
}

/** The figures of a part from its folds, at least one. Figures of several folds are the means of theirs. */
export function summarizeFolds(folds: readonly FoldValues[], { choose, intervals }: JudgeSettings): PartFigures {
  const numCases = folds.reduce((sum, fold) => sum + fold.numCases, 0);
  const pooled = folds.length === 1 ? folds[0] : pool(folds);
  const estimates = summarize(pooled, { intervals });
  const chosen = pooled.values[choose] && { values: pooled.values[choose], cluster: pooled.cluster };
  const common = { numCases, chosen, ...(intervals ? { estimates } : {}) };
  if (folds.length === 1) {
    const breakdown = breakdownOf(folds[0], { choose, intervals });
    return { ...common, metrics: plain(estimates), ...(breakdown.length > 0 ? { breakdown } : {}) };
  }
  const each = folds.map((fold) => plain(summarize(fold)));
  const over = (figure: (values: number[]) => number) =>
    Object.fromEntries(Object.keys(each[0]).map((label) => [label, figure(each.map((values) => values[label]))]));
  const metrics = over(mean);
  for (const [label, value] of Object.entries(metrics)) estimates[label].value = value;
  return { ...common, metrics, spread: over(deviation) };
}

/**
 * All folds as one set of cases, those of a user together. A fold of n of all N cases counts N / (F · n) in each, so that the mean is the
 * mean over F folds; figures of a whole run become their mean, without an interval.
 */
function pool(folds: readonly FoldValues[]): CaseValues {
  const [{ labels, roots }] = folds;
  const values: Record<string, Float64Array> = {};
  const catalogue: Record<string, number> = {};
  for (const label of labels) {
    if (label in folds[0].catalogue) {
      catalogue[label] = mean(folds.map((fold) => fold.catalogue[label]));
      continue;
    }
    const defined = folds.map((fold) => fold.values[label].reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0));
    const total = defined.reduce((a, b) => a + b);
    values[label] = Float64Array.from(
      folds.flatMap((fold, f) => Array.from(fold.values[label], (value) => (value * total) / (folds.length * defined[f]))),
    );
  }
  const numberOf = new Map<number, number>();
  const cluster = Int32Array.from(
    folds.flatMap(({ user }) => Array.from(user)),
    (user) => {
      const number = numberOf.get(user) ?? numberOf.size;
      numberOf.set(user, number);
      return number;
    },
  );
  return { labels, roots, values, catalogue, cluster, numCases: cluster.length };
}

/** Rows with every metric; intervals for the chosen one only, as there are many groups. */
function breakdownOf(values: CaseValues, { choose, intervals }: Pick<JudgeSettings, "choose" | "intervals">): SegmentRow[] {
  const rows = summarizeSegments(values);
  if (!intervals || !values.values[choose]) return rows;
  const segments = values.segments?.map((segment) => ({ ...segment, values: { [choose]: segment.values[choose] } }));
  const precise = summarizeSegments({ ...values, segments }, { intervals });
  return rows.map((row, r) => ({ ...row, metrics: { ...row.metrics, ...precise[r].metrics } }));
}

function plain(estimates: Record<string, Estimate>): Record<string, number> {
  return Object.fromEntries(Object.entries(estimates).map(([label, { value }]) => [label, value]));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}
