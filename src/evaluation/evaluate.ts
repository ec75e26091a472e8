/**
 * Full-ranking evaluation: every test query is answered from the whole catalogue and judged.
 * Among equal scores a relevant item is put behind all others, so that ties bring no luck.
 */
import { ConfigError, DataError, throwIfCancelled } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { Progress, Query } from "../core/model.js";
import type { Recommender } from "../ranking/recommender.js";
import { createExactSum, type ExactSum } from "./exact-sum.js";
import { type MetricAtK, parseMetric } from "./metrics.js";

/** One question with its right answers. */
export interface EvaluationCase {
  query: Query;
  /** Relevant items; an item that stands here n times gains n in precision (baskets with repeated lines). */
  relevant: ArrayLike<number>;
}

export interface EvaluateOptions {
  /** Labels such as "recall@20". Default: ndcg@10, recall@10, precision@10, coverage@10. */
  metrics?: readonly string[];
  /** Leave out the user's training items, and judge on the other test items only. Default true. */
  excludeSeen?: boolean;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export const DEFAULT_METRICS: readonly string[] = ["ndcg@10", "recall@10", "precision@10", "coverage@10"];

/** Queries per block: what is held in memory at once. */
const BLOCK = 1024;

/**
 * Judges a model on the users of `test`, each with the distinct items of its test events as relevant; the mean is over
 * users with at least one. With `excludeSeen`, items of the user's `train` events neither appear nor count as relevant.
 * Throws ConfigError (metric), DataError (nothing to judge, or `train` and `test` of other sizes than the model).
 */
export async function evaluate(
  model: Recommender,
  train: Interactions,
  test: Interactions,
  options: EvaluateOptions = {},
): Promise<Record<string, number>> {
  for (const [name, data] of [
    ["train", train],
    ["test", test],
  ] as const) {
    if (data.numUsers !== model.numUsers || data.numItems !== model.numItems) {
      throw new DataError(
        `The ${name} data has ${data.numUsers} users × ${data.numItems} items, the model ${model.numUsers} × ${model.numItems}.`,
        {
          hint: "Split one table, so that both sides share their users and items.",
        },
      );
    }
  }
  const excludeSeen = options.excludeSeen ?? true;
  const relevant = test.matrixByUser();
  const trained = excludeSeen ? train.matrixByUser() : undefined;
  const cases: EvaluationCase[] = [];
  for (let userIndex = 0; userIndex < test.numUsers; userIndex++) {
    let items = relevant.indices.subarray(relevant.offsets[userIndex], relevant.offsets[userIndex + 1]);
    if (trained) {
      const seen = new Set(trained.indices.subarray(trained.offsets[userIndex], trained.offsets[userIndex + 1]));
      if (seen.size > 0) items = items.filter((item) => !seen.has(item));
    }
    if (items.length > 0) cases.push({ query: { userIndex }, relevant: items });
  }
  return evaluateCases(model, cases, { ...options, excludeSeen });
}

/** Judges a model on given cases; see `evaluate` for metrics and ties. */
export async function evaluateCases(
  model: Recommender,
  cases: readonly EvaluationCase[],
  { metrics = DEFAULT_METRICS, excludeSeen = true, signal, onProgress }: EvaluateOptions = {},
): Promise<Record<string, number>> {
  const wanted = metrics.map(parseMetric);
  if (wanted.length === 0) throw new ConfigError("No metric was asked for.", { hint: "Name some, such as ndcg@10." });
  const judged = cases.filter((one) => one.relevant.length > 0);
  if (judged.length === 0) {
    throw new DataError("There is nothing to evaluate: no test query has a relevant item.", {
      hint: "Check the split; with excludeSeen, items the user had in training do not count.",
    });
  }
  const sums = wanted.map(createExactSum);
  const exposures = wanted.map(({ metric }) => (metric.of === "catalogue" ? new Int32Array(model.numItems) : undefined));
  const depth = Math.max(...wanted.map(({ k }) => k));
  for (let from = 0; from < judged.length; from += BLOCK) {
    throwIfCancelled(signal);
    const block = judged.slice(from, from + BLOCK);
    await judgeBlock(model, block, { depth, wanted, sums, exposures, options: { excludeSeen, signal } });
    onProgress?.({ stage: `evaluate ${model.name}`, done: Math.min(from + BLOCK, judged.length), total: judged.length });
  }
  return Object.fromEntries(
    wanted.map(({ label, metric }, m) => [
      label,
      metric.of === "catalogue" ? metric.value(exposures[m]!) : sums[m].value() / judged.length,
    ]),
  );
}

interface Tally {
  depth: number;
  wanted: readonly MetricAtK[];
  sums: readonly ExactSum[];
  exposures: readonly (Int32Array | undefined)[];
  options: { excludeSeen: boolean; signal?: AbortSignal };
}

async function judgeBlock(
  model: Recommender,
  block: readonly EvaluationCase[],
  { depth, wanted, sums, exposures, options }: Tally,
): Promise<void> {
  const queries = block.map((one) => one.query);
  const lists = await model.recommendBatch(queries, { ...options, topK: depth + 1 });
  const { topK } = lists;
  for (let q = 0; q < block.length; q++) {
    const gainOf = new Map<number, number>();
    for (let i = 0; i < block[q].relevant.length; i++) gainOf.set(block[q].relevant[i], (gainOf.get(block[q].relevant[i]) ?? 0) + 1);
    let items = lists.itemIndex.subarray(q * topK, (q + 1) * topK);
    let scores = lists.score.subarray(q * topK, (q + 1) * topK);
    if (topK > depth && items[depth] >= 0 && scores[depth] === scores[depth - 1]) {
      // A tie across the cut: depth + |relevant| places hold enough of the others to decide every place within depth.
      const deeper = await model.recommend(queries[q], { ...options, topK: depth + gainOf.size });
      items = deeper.itemIndex;
      scores = deeper.score;
    }
    const gains = pessimisticGains(items, scores, gainOf);
    wanted.forEach(({ metric, k }, m) => {
      if (metric.of === "query") sums[m].add(metric.value({ gains: padded(gains, k), numRelevant: gainOf.size, k }));
      else for (let r = 0; r < k && r < items.length && items[r] >= 0; r++) exposures[m]![items[r]]++;
    });
  }
}

/** Gain at each place after moving relevant items behind the others of equal score. */
function pessimisticGains(items: Int32Array, scores: Float32Array, gainOf: ReadonlyMap<number, number>): number[] {
  const gains: number[] = [];
  for (let start = 0; start < items.length && items[start] >= 0; ) {
    let end = start;
    while (end < items.length && items[end] >= 0 && scores[end] === scores[start]) end++;
    const group = Array.from(items.subarray(start, end), (item) => gainOf.get(item) ?? 0);
    gains.push(...group.filter((gain) => gain === 0), ...group.filter((gain) => gain > 0).sort((a, b) => a - b));
    start = end;
  }
  return gains;
}

function padded(gains: readonly number[], k: number): number[] {
  return gains.length >= k ? gains.slice(0, k) : [...gains, ...new Array<number>(k - gains.length).fill(0)];
}
