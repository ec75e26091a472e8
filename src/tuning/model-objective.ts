/**
 * The objective of a search over a model's parameters: fit on `train`, judge on the cases of a validation part; between
 * steps of the fit the model as it stands is judged at the scheduler's rungs. Called by service/tune/tune.ts, service/tune/auto.ts, bench.
 */
import type { Interactions } from "../core/interactions.js";
import type { SideFeatures } from "../core/model.js";
import { type EvaluationCase, evaluateCases } from "../evaluation/evaluate.js";
import type { JudgeOptions } from "../evaluation/judge.js";
import { parseMetric } from "../evaluation/metrics.js";
import { evaluateRatingModel } from "../evaluation/ratings.js";
import { fit, recommenderOf } from "../models/registry.js";
import type { Recommender } from "../ranking/recommender.js";
import type { Objective, TuneOptions } from "./tune.js";

export interface ModelObjectiveOptions extends SideFeatures {
  /** Name of a registered model. */
  model: string;
  train: Interactions;
  /** Not used by metrics of predicted ratings, which judge the events of `test`. */
  cases: readonly EvaluationCase[];
  test?: Interactions;
  metric: string;
  /** Default true, as in `evaluate`. */
  excludeSeen?: boolean;
  /** What metrics beyond accuracy need; the model's own figures by default. */
  context?: JudgeOptions["context"];
  /** Of every fit. Default: as in `fit`. */
  seed?: number;
  /** Of one fit. Default: the cores of the machine. */
  threads?: number;
  /** Where networks are trained. Default: cpu. */
  device?: string;
}

export function modelObjective(options: ModelObjectiveOptions): Objective {
  const { model, train, cases, test, metric, excludeSeen, context, seed, threads, device, userFeatures, itemFeatures } = options;
  const rated = parseMetric(metric).metric.of === "rating" ? test : undefined;
  return async ({ params, signal, isRung, report }) => {
    const measure = async (recommender: Recommender): Promise<number> => {
      try {
        if (rated) return (await evaluateRatingModel(recommender, rated, { metrics: [metric], signal }))[metric];
        return (await evaluateCases(recommender, cases, { metrics: [metric], excludeSeen, context, signal }))[metric];
      } finally {
        recommender.dispose();
      }
    };
    let steps: number | undefined;
    let stopped = false;
    const fitted = await fit(model, train, params, {
      seed,
      threads,
      device,
      userFeatures,
      itemFeatures,
      signal,
      async onStep({ step, total, model: now }) {
        steps = step;
        if (step === total || !isRung(step)) return "continue";
        const decision = report(step, await measure(recommenderOf(now(), train, { threads })));
        stopped = decision === "stop";
        return decision;
      },
    });
    if (!stopped) return { value: await measure(fitted), steps };
    fitted.dispose();
    return { value: Number.NaN };
  };
}

/** Names of metrics of which less is better. */
const lessIsBetter: ReadonlySet<string> = new Set(["gini", "average-popularity", "calibration", "rmse", "mae", "log-loss", "train-rmse"]);

/** Which way a metric is better. Throws ConfigError for an unknown one. */
export function directionOf(metric: string): TuneOptions["direction"] {
  return lessIsBetter.has(parseMetric(metric).metric.name) ? "minimize" : "maximize";
}
