/**
 * Judges one model on the folds of one held-out part: figures of lists and of predicted ratings, on request with intervals and a
 * breakdown, and the chosen metric case by case for the comparison of models. Called by evaluate.ts and ranked-lists.ts.
 */
import { type CaseValues, judgeCases } from "../../evaluation/judge.js";
import { parseMetric } from "../../evaluation/metrics.js";
import { judgeRatingModel } from "../../evaluation/ratings.js";
import { activitySegments, popularitySegments, repeatSegments, type Segmentation } from "../../evaluation/segments.js";
import { type Estimate, type SegmentRow, summarize, summarizeSegments } from "../../evaluation/summarize.js";
import type { Recommender } from "../../ranking/recommender.js";
import type { ItemContext } from "../recipe/recipe-metrics.js";
import type { RunOptions } from "../run-result.js";
import type { Part } from "./part.js";
import { type CaseRules, partCases } from "./part-cases.js";

export interface JudgeSettings extends Pick<RunOptions, "intervals" | "breakdown" | "signal" | "onProgress">, CaseRules {
  metrics: readonly string[];
  /** The metric by which models are compared. */
  choose: string;
  context?: ItemContext;
  /** Whether metrics of predicted ratings apply to the model. Default false: it has none of their figures. */
  predictsWeights?: boolean;
}

/** A metric of each case; equal positions are the same case for all models. */
export interface ComparableValues {
  values: Float64Array;
  /** Cases of one user belong together; absent when each has one. */
  cluster?: Int32Array;
}

/** Metrics over the same cases. */
export interface GroupValues extends CaseValues {
  /** userIndex of each case. */
  user: Int32Array;
}

/** Metrics of lists over questions, then those of ratings over held-out events and over training events, as far as asked for. */
export type FoldValues = readonly GroupValues[];

export interface PartFigures {
  metrics: Record<string, number>;
  /** Standard deviation over folds, where there are several. */
  spread?: Record<string, number>;
  estimates?: Record<string, Estimate>;
  breakdown?: SegmentRow[];
  /** Questions, or held-out events where no list was judged. */
  numCases: number;
  /** Undefined when the chosen metric is a figure of the whole run, or not defined for the model. */
  chosen?: ComparableValues;
}

/** Judges on one fold; the breakdown is of lists, on parts without folds. */
export async function judgeFold(model: Recommender, part: Part, settings: JudgeSettings): Promise<FoldValues> {
  const { metrics, predictsWeights } = settings;
  const kinds = metrics.map((label) => ({ label, kind: kindOf(label) }));
  const labelled = (wanted: string) => kinds.filter(({ kind }) => kind === wanted).map(({ label }) => label);
  const groups: GroupValues[] = [];
  if (labelled("list").length > 0) groups.push(await judgeLists(model, part, { ...settings, metrics: labelled("list") }));
  for (const side of ["test", "train"] as const)
    if (predictsWeights && labelled(side).length > 0)
      groups.push(await judgePredictions(model, part, { side, settings, metrics: labelled(side) }));
  return groups;
}

function kindOf(label: string): "list" | "test" | "train" {
  const { metric } = parseMetric(label);
  return metric.of === "rating" ? (metric.on ?? "test") : "list";
}

async function judgeLists(model: Recommender, part: Part, settings: JudgeSettings): Promise<GroupValues> {
  const { metrics, excludeSeen, context, breakdown, signal, onProgress } = settings;
  const cases = partCases(part, settings);
  const segments = breakdown ? segmentations(part, { model, excludeSeen }) : undefined;
  const values = await judgeCases(model, cases, { metrics, excludeSeen, context, segments, signal, onProgress });
  return { ...values, user: Int32Array.from(values.caseIndex!, (c) => cases[c].query.userIndex ?? -1) };
}

async function judgePredictions(
  model: Recommender,
  part: Part,
  { side, settings: { signal, onProgress }, metrics }: { side: "test" | "train"; settings: JudgeSettings; metrics: readonly string[] },
): Promise<GroupValues> {
  const data = part[side];
  const given = side === "test" ? part.given : undefined;
  const values = await judgeRatingModel(model, data, { metrics, given, signal, onProgress });
  const { offsets } = data.eventsByUser();
  const user = new Int32Array(values.numCases);
  for (let u = 0; u < data.numUsers; u++) user.fill(u, offsets[u], offsets[u + 1]);
  return { ...values, user };
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
export function summarizeFolds(folds: readonly FoldValues[], settings: JudgeSettings): PartFigures {
  const groups = folds[0].map((_, group) =>
    summarizeGroup(
      folds.map((fold) => fold[group]),
      settings,
    ),
  );
  const merged = <Figure>(pick: (figures: PartFigures) => Record<string, Figure> | undefined) => {
    const all: Record<string, Figure> = Object.assign({}, ...groups.map(pick));
    return Object.fromEntries(settings.metrics.flatMap((label) => (label in all ? [[label, all[label]]] : [])));
  };
  const breakdown = groups.flatMap((group) => group.breakdown ?? []);
  return {
    metrics: merged(({ metrics }) => metrics),
    ...(folds.length > 1 ? { spread: merged(({ spread }) => spread) } : {}),
    ...(settings.intervals ? { estimates: merged(({ estimates }) => estimates) } : {}),
    ...(breakdown.length > 0 ? { breakdown } : {}),
    numCases: groups[0]?.numCases ?? 0,
    chosen: groups.find(({ chosen }) => chosen)?.chosen,
  };
}

function summarizeGroup(folds: readonly GroupValues[], { choose, intervals }: JudgeSettings): PartFigures {
  const numCases = folds.reduce((sum, fold) => sum + fold.numCases, 0);
  const pooled = folds.length === 1 ? folds[0] : pool(folds);
  const estimates = summarize(pooled, { intervals });
  const chosen = pooled.values[choose] && { values: pooled.values[choose], cluster: pooled.cluster };
  const common = { numCases, chosen, estimates };
  if (folds.length === 1) return { ...common, metrics: plain(estimates), breakdown: breakdownOf(folds[0], { choose, intervals }) };
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
function pool(folds: readonly GroupValues[]): CaseValues {
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
