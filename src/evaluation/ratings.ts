/**
 * Predicted against true values: rmse, mae, log-loss, of given predictions or of a model that scores pairs. Errors are kept by event
 * as a `CaseValues`, so `summarize` gives intervals (over users) and `comparePaired` compares two models.
 */
import { ConfigError, DataError, TrainingError, throwIfCancelled } from "../core/errors.js";
import type { Csr, Interactions } from "../core/interactions.js";
import type { FittedModel, HistoryEvent, Progress, Query } from "../core/model.js";
import type { Recommender } from "../ranking/recommender.js";
import type { CaseValues } from "./judge.js";
import { parseMetric } from "./metrics.js";
import { summarize } from "./summarize.js";

export interface RatingOptions {
  /** Default: rmse and mae. */
  metrics?: readonly string[];
  /** User of each value, so that intervals resample users. */
  cluster?: Int32Array;
}

export interface RatingModelOptions extends Omit<RatingOptions, "cluster"> {
  /** Predictions are brought into this range, such as [1, 5]. Default: as they are. */
  range?: readonly [number, number];
  /** Events of held-out users that the model is shown: each such user is asked for by them. */
  given?: Interactions;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Loss of each prediction under each metric. Throws ConfigError (metric), DataError (lengths, nothing, a truth that is no number), TrainingError (a prediction that is none). */
export function judgeRatings(
  predictions: ArrayLike<number>,
  truth: ArrayLike<number>,
  { metrics = ["rmse", "mae"], cluster }: RatingOptions = {},
): CaseValues {
  const wanted = metrics.map((label) => {
    const { metric } = parseMetric(label);
    if (metric.of === "rating") return { label, metric };
    throw new ConfigError(`The metric ${label} judges lists, not predicted values.`, {
      hint: "Use evaluate for it; here: rmse, mae, log-loss.",
    });
  });
  if (predictions.length !== truth.length)
    throw new DataError(`There are ${predictions.length} predictions for ${truth.length} true values.`, { hint: "Give one for each." });
  if (truth.length === 0) throw new DataError("There is nothing to evaluate: no true values.", { hint: "Check the split." });
  for (let e = 0; e < truth.length; e++) {
    if (!Number.isFinite(truth[e]))
      throw new DataError(`The true value at position ${e} is ${truth[e]}.`, { hint: "Leave such rows out." });
    if (!Number.isFinite(predictions[e]))
      throw new TrainingError(`The prediction at position ${e} is ${predictions[e]}.`, {
        hint: "Look at the model that made it.",
        details: { row: e },
      });
  }
  const values: Record<string, Float64Array> = {};
  for (const { label, metric } of wanted)
    values[label] = Float64Array.from({ length: truth.length }, (_, e) => metric.loss(predictions[e], truth[e]));
  const roots = wanted.filter(({ metric }) => metric.root).map(({ label }) => label);
  return { labels: wanted.map(({ label }) => label), numCases: truth.length, values, cluster, catalogue: {}, roots };
}

/** One figure per metric over all pairs of prediction and truth; errors as `judgeRatings`. */
export function evaluateRatings(
  predictions: ArrayLike<number>,
  truth: ArrayLike<number>,
  options: Omit<RatingOptions, "cluster"> = {},
): Record<string, number> {
  return figures(judgeRatings(predictions, truth, options));
}

/** Predicts the weight of every event of `test` that has a known user, and judges it. Throws ConfigError when the model is of another size. */
export async function judgeRatingModel(model: Recommender, test: Interactions, options: RatingModelOptions = {}): Promise<CaseValues> {
  if (test.numUsers !== model.numUsers || test.numItems !== model.numItems) {
    throw new DataError(
      `The test data has ${test.numUsers} users × ${test.numItems} items, the model ${model.numUsers} × ${model.numItems}.`,
      { hint: "Split one table, so that both sides share their users and items." },
    );
  }
  const { offsets, indices, positions, values: truth } = test.eventsByUser();
  const shown = options.given?.matrixByUser();
  const [low, high] = options.range ?? [-Infinity, Infinity];
  const predictions = new Float32Array(truth.length);
  const cluster = new Int32Array(truth.length);
  let numClusters = 0;
  for (let userIndex = 0; userIndex < test.numUsers; userIndex++) {
    const [start, end] = [offsets[userIndex], offsets[userIndex + 1]];
    if (start === end) continue;
    throwIfCancelled(options.signal);
    const query: Query = { userIndex, history: shown && historyOf(shown, userIndex) };
    const items = indices.subarray(start, end);
    const scores = model.fitted.readsEventTexts
      ? await scoreEvents(model.fitted, query, { test, items, positions: positions.subarray(start, end) })
      : await scorePairs(model.fitted, query, items);
    for (let e = start; e < end; e++) {
      if (Number.isNaN(scores[e - start])) throw notANumber(model.name, userIndex, indices[e]);
      predictions[e] = Math.min(high, Math.max(low, scores[e - start]));
    }
    cluster.fill(numClusters++, start, end);
    if (userIndex % 1024 === 0) options.onProgress?.({ stage: `evaluate ${model.name}`, done: userIndex, total: test.numUsers });
  }
  return judgeRatings(predictions, truth, { metrics: options.metrics, cluster });
}

/** One figure per metric; see `judgeRatingModel`. */
export async function evaluateRatingModel(
  model: Recommender,
  test: Interactions,
  options: RatingModelOptions = {},
): Promise<Record<string, number>> {
  return figures(await judgeRatingModel(model, test, options));
}

function historyOf({ offsets, indices, values }: Csr, row: number): HistoryEvent[] {
  return Array.from({ length: offsets[row + 1] - offsets[row] }, (_, e) => ({
    itemIndex: indices[offsets[row] + e],
    weight: values[offsets[row] + e],
  }));
}

/** The model's scores of the asker with each item, by the cheapest of its routes. */
export async function scorePairs(fitted: FittedModel, query: Query, items: Int32Array): Promise<Float32Array> {
  const out = new Float32Array(items.length);
  if (fitted.scoreCandidates) {
    await fitted.scoreCandidates([query], items, out);
  } else if (fitted.vectors) {
    const { dimensions, itemVectors, encode } = fitted.vectors;
    const user = new Float32Array(dimensions);
    await encode([query], user);
    for (let i = 0; i < items.length; i++) {
      let sum = 0;
      for (let d = 0; d < dimensions; d++) sum += user[d] * itemVectors[items[i] * dimensions + d];
      out[i] = sum;
    }
  } else {
    const row = new Float32Array(fitted.numItems);
    await fitted.scoreAll!([query], row);
    for (let i = 0; i < items.length; i++) out[i] = row[items[i]];
  }
  return out;
}

/** Event by event, each with its own texts. */
async function scoreEvents(
  fitted: FittedModel,
  query: Query,
  { test, items, positions }: { test: Interactions; items: Int32Array; positions: Int32Array },
): Promise<Float32Array> {
  const scores = new Float32Array(items.length);
  for (let e = 0; e < items.length; e++) {
    const context = Object.fromEntries(Object.entries(test.context ?? {}).map(([name, column]) => [name, column[positions[e]]]));
    scores[e] = (await scorePairs(fitted, { ...query, context }, items.subarray(e, e + 1)))[0];
  }
  return scores;
}

function notANumber(model: string, userIndex: number, itemIndex: number): TrainingError {
  return new TrainingError(`The model ${model} predicts NaN for userIndex ${userIndex} and itemIndex ${itemIndex}.`, {
    hint: "Train it anew, with more regularization or other data.",
    details: { model, userIndex, itemIndex },
  });
}

function figures(values: CaseValues): Record<string, number> {
  return Object.fromEntries(Object.entries(summarize(values)).map(([label, { value }]) => [label, value]));
}
