/**
 * Evaluation in one call: judge every case, then take means. `judgeCases` and `summarize` are its halves, for those who want the
 * values of single cases, intervals, paired tests or breakdowns.
 */
import { DataError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { Recommender } from "../ranking/recommender.js";
import { type EvaluationCase, userCases } from "./cases.js";
import { type JudgeOptions, judgeCases } from "./judge.js";
import { type Estimate, type IntervalOptions, summarize } from "./summarize.js";

export type { EvaluationCase } from "./cases.js";
export { DEFAULT_METRICS, judgeCases } from "./judge.js";

export type EvaluateOptions = Omit<JudgeOptions, "segments">;

/**
 * Judges a model on the users of `test`, each with the distinct items of its test events as relevant; the mean is over
 * users with at least one. With `excludeSeen`, items of the user's `train` events neither appear nor count as relevant.
 * Throws ConfigError (metric or its context), DataError (nothing to judge, or `train` and `test` of other sizes than the model).
 */
export async function evaluate(
  model: Recommender,
  train: Interactions,
  test: Interactions,
  options: EvaluateOptions = {},
): Promise<Record<string, number>> {
  return evaluateCases(model, casesFor(model, train, test, options), options);
}

/** Judges a model on given cases; see `evaluate` for metrics and ties. */
export async function evaluateCases(
  model: Recommender,
  cases: readonly EvaluationCase[],
  options: EvaluateOptions = {},
): Promise<Record<string, number>> {
  const estimates = summarize(await judgeCases(model, cases, options));
  return Object.fromEntries(Object.entries(estimates).map(([label, { value }]) => [label, value]));
}

/** As `evaluate`, each figure with its interval, standard error and number of cases; see `summarize`. */
export async function evaluateWithIntervals(
  model: Recommender,
  train: Interactions,
  test: Interactions,
  { intervals = {}, ...options }: EvaluateOptions & { intervals?: IntervalOptions } = {},
): Promise<Record<string, Estimate>> {
  return summarize(await judgeCases(model, casesFor(model, train, test, options), options), { intervals });
}

function casesFor(model: Recommender, train: Interactions, test: Interactions, options: EvaluateOptions): EvaluationCase[] {
  for (const [name, data] of [
    ["train", train],
    ["test", test],
  ] as const) {
    if (data.numUsers === model.numUsers && data.numItems === model.numItems) continue;
    throw new DataError(
      `The ${name} data has ${data.numUsers} users × ${data.numItems} items, the model ${model.numUsers} × ${model.numItems}.`,
      { hint: "Split one table, so that both sides share their users and items." },
    );
  }
  return userCases(train, test, options);
}
