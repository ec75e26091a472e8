/**
 * Judges a model on cases and keeps the value of every metric for every case, so that intervals, paired tests and breakdowns need no
 * second ranking. Queries go through in blocks; what is held is the values, O(cases × metrics), and one block of lists.
 */
import { ConfigError, DataError, throwIfCancelled } from "../core/errors.js";
import type { Progress } from "../core/model.js";
import type { Recommender } from "../ranking/recommender.js";
import { type CandidatePolicy, type CandidateSet, createCandidateSet, type RankedBlock } from "./candidates.js";
import { clustersOf, type EvaluationCase } from "./cases.js";
import { createExposures } from "./exposures.js";
import { createMeasures } from "./measures.js";
import type { MetricContext } from "./metric-context.js";
import { parseMetric } from "./metrics.js";
import { listLength } from "./pessimistic-order.js";
import { createScoreSheet, type ListRow, type SegmentValues } from "./score-sheet.js";
import type { Segmentation } from "./segments.js";

export interface JudgeOptions {
  /** Labels such as "recall@20". Default: ndcg@10, recall@10, precision@10, coverage@10. */
  metrics?: readonly string[];
  /** Leave out the user's training items, and judge on the other test items only. Default true. */
  excludeSeen?: boolean;
  /** Which items compete. Default: all of the catalogue. */
  candidates?: CandidatePolicy;
  /** Breakdowns to judge beside the whole. */
  segments?: readonly Segmentation[];
  /** What metrics beyond accuracy need; the model's own figures by default. */
  context?: Omit<MetricContext, "numItems">;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export interface CaseValues {
  /** All labels in the order asked for; a candidate policy other than "full" is named at their end. */
  labels: string[];
  numCases: number;
  /** Values of each query metric by case, NaN where it is not defined. */
  values: Record<string, Float64Array>;
  /** Cases that belong together (a user's); absent when each stands alone. */
  cluster?: Int32Array;
  /** Figures of the whole run, such as coverage. */
  catalogue: Record<string, number>;
  /** Each figure of `catalogue` computed without one group of clusters in turn, for its jackknife. */
  catalogueWithout?: Record<string, Float64Array>;
  /** Position of each case among those given; cases without a relevant item are left out. */
  caseIndex?: Int32Array;
  segments?: SegmentValues[];
  /** Labels whose figure is the root of the mean (rmse). */
  roots?: readonly string[];
}

export const DEFAULT_METRICS: readonly string[] = ["ndcg@10", "recall@10", "precision@10", "coverage@10"];

/** Most list places that are held at once. */
const BLOCK_PLACES = 4 * 2 ** 20;
const BLOCK_CASES = 1024;

/**
 * Throws ConfigError (metric, its context, candidates), DataError (no case has a relevant item, an item the model does not know), TrainingError (the model gave a score
 * that is no number), CancelledError.
 */
export async function judgeCases(model: Recommender, cases: readonly EvaluationCase[], options: JudgeOptions = {}): Promise<CaseValues> {
  const { metrics = DEFAULT_METRICS, excludeSeen = true, candidates = { policy: "full" }, segments = [], signal, onProgress } = options;
  const { numItems } = model;
  const wanted = metrics.map(parseMetric);
  if (wanted.length === 0) throw new ConfigError("No metric was asked for.", { hint: "Name some, such as ndcg@10." });
  const measures = createMeasures(wanted, {
    numItems,
    popularity: model.popularity,
    history: model.seen,
    itemVectors: model.fitted.itemSimilarityVectors,
    ...options.context,
  });
  const set = createCandidateSet(model, candidates, { excludeSeen, signal });
  checkItems(cases, numItems);
  const { judged, caseIndex } = selectCases(cases, set);
  const cluster = clustersOf(judged);
  const depth = Math.min(numItems, Math.max(1, ...wanted.map(({ k }) => k)));
  const sheet = createScoreSheet(judged, { numItems, measures, segments, depth });
  const exposures = createExposures(wanted, { numItems, numCases: judged.length, cluster });

  const topK = measures.some(({ whole }) => whole) ? numItems : Math.min(numItems, depth + 1);
  const cut = !set.complete && topK < numItems;
  const blockSize = Math.max(1, Math.min(BLOCK_CASES, Math.floor(BLOCK_PLACES / topK)));
  for (let from = 0; from < judged.length; from += blockSize) {
    throwIfCancelled(signal);
    const block = judged.slice(from, from + blockSize);
    const lists = await set.rank(block, topK);
    const undecided: number[] = [];
    for (let q = 0; q < block.length; q++) {
      const row = rowOf(lists, q);
      exposures.add(from + q, row.items);
      if (!sheet.write(from + q, row, cut)) undecided.push(from + q);
    }
    for (const part of deeperParts(undecided, judged, { depth, numItems })) {
      const deeper = await set.rank(
        part.cases.map((c) => judged[c]),
        part.topK,
      );
      for (const [q, c] of part.cases.entries()) sheet.write(c, rowOf(deeper, q), false);
    }
    onProgress?.({ stage: `evaluate ${model.name}`, done: from + block.length, total: judged.length });
  }
  const named = (label: string) => label + set.suffix;
  return {
    labels: wanted.map(({ label }) => named(label)),
    numCases: judged.length,
    caseIndex,
    cluster,
    ...sheet.values(named),
    ...exposures.figures(named),
  };
}

function checkItems(cases: readonly EvaluationCase[], numItems: number): void {
  for (const [c, { relevant }] of cases.entries()) {
    for (let i = 0; i < relevant.length; i++) {
      if (relevant[i] >= 0 && relevant[i] < numItems) continue;
      throw new DataError(`Case ${c} has item ${relevant[i]} as relevant, but the model knows ${numItems} items.`, {
        hint: `Item indexes run from 0 to ${numItems - 1}.`,
        details: { line: c },
      });
    }
  }
}

function selectCases(cases: readonly EvaluationCase[], set: CandidateSet): { judged: EvaluationCase[]; caseIndex: Int32Array } {
  const judged: EvaluationCase[] = [];
  const caseIndex: number[] = [];
  for (const [c, one] of cases.entries()) {
    const selected = set.select(one);
    if (!selected || selected.relevant.length === 0) continue;
    judged.push(selected);
    caseIndex.push(c);
  }
  if (judged.length > 0) return { judged, caseIndex: Int32Array.from(caseIndex) };
  throw new DataError(`There is nothing to evaluate: no test query has a relevant item${set.suffix}.`, {
    hint: set.suffix
      ? "Check the split and the candidate policy: the test part must hold such users or items."
      : "Check the split; with excludeSeen, items the user had in training do not count.",
  });
}

/** Depth + |relevant| places hold enough of the others to decide every place within the depth. Similar lengths go together. */
function deeperParts(
  undecided: readonly number[],
  judged: readonly EvaluationCase[],
  { depth, numItems }: { depth: number; numItems: number },
): { cases: number[]; topK: number }[] {
  const need = (c: number) => Math.min(numItems, depth + judged[c].relevant.length);
  const parts: { cases: number[]; topK: number }[] = [];
  for (const c of [...undecided].sort((a, b) => need(a) - need(b))) {
    const part = parts.at(-1);
    if (part && (part.cases.length + 1) * need(c) <= BLOCK_PLACES) {
      part.cases.push(c);
      part.topK = need(c);
    } else parts.push({ cases: [c], topK: need(c) });
  }
  return parts;
}

function rowOf({ topK, itemIndex, score }: RankedBlock, q: number): ListRow {
  const items = itemIndex.subarray(q * topK, (q + 1) * topK);
  const length = listLength(items);
  return { items: items.subarray(0, length), scores: score.subarray(q * topK, q * topK + length) };
}
