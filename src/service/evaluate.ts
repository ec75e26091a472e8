/**
 * The use case "evaluate": reads a recipe's data, holds out its parts, and fits and judges each model on them.
 * Nothing is kept; `train.ts` goes on from here.
 */
import { throwIfCancelled } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { SideFeatures } from "../core/model.js";
import { checkBootstrap } from "../evaluation/bootstrap.js";
import { predictsWeights } from "../models/registry.js";
import { tastemakerVersion } from "../store/version.js";
import { directionOf } from "../tuning/model-objective.js";
import { compareWithBest } from "./evaluation/compare-models.js";
import { type ComparableValues, type FoldValues, type JudgeSettings, judgeFold, summarizeFolds } from "./evaluation/judge-part.js";
import type { ListResult } from "./evaluation/judged.js";
import type { Part, PartSummary } from "./evaluation/part.js";
import { partLeaks } from "./evaluation/part-leaks.js";
import { judgeLists } from "./evaluation/ranked-lists.js";
import { type Fitting, labelledProgress, plainFitting } from "./fitting.js";
import { holdOut, type RecipeData, readSource, repeatShare, sourceFile, summarise } from "./prepare-data.js";
import type { Recipe } from "./recipe/recipe.js";
import { itemContext } from "./recipe/recipe-metrics.js";
import type { Evaluation, ModelResult, RunOptions } from "./run-result.js";
import { openWorkspace } from "./workspace.js";

/** From this share of repeated events on, `excludeSeen: auto` lets items be recommended again. */
const REPEAT_SHARE = 0.1;

/** Judges the models of a recipe. Throws what reading, splitting and fitting throw; CancelledError on `signal`. */
export async function evaluateRecipe(recipe: Recipe, options: RunOptions = {}): Promise<Evaluation> {
  const workspace = openWorkspace(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  return evaluateDataset(recipe, await readSource(recipe, file, options), options);
}

/** The part of `evaluateRecipe` after reading. Throws DataError when a held-out part leaks, unless `options.allowLeaks`. */
export async function evaluateDataset(
  recipe: Recipe,
  dataset: RecipeData,
  options: RunOptions,
  fitting: Fitting = plainFitting({ ...options, seed: recipe.seed }),
): Promise<Evaluation> {
  const { signal, onStep } = options;
  const data = summarise(dataset);
  onStep?.({ kind: "data", data });
  const parts = holdOut(recipe, dataset.interactions, dataset.folds);
  const { excludeSeen, reason } = decideExcludeSeen(recipe, dataset.interactions);
  const summaries = summariseParts(parts);
  onStep?.({ kind: "parts", parts: summaries, excludeSeen, reason });
  const leaks = partLeaks(parts, options);
  if (leaks.some(({ findings }) => findings.length > 0)) onStep?.({ kind: "leaks", leaks });
  const { metrics, choose, onlyKnownUsers } = recipe.evaluation;
  const context = itemContext(metrics, dataset.itemProperties);
  const intervals = options.intervals && checkBootstrap(options.intervals);
  const judging = (label: string): JudgeSettings => ({
    ...{ metrics, choose, excludeSeen, onlyKnownUsers, context, intervals, signal },
    breakdown: options.breakdown,
    onProgress: labelledProgress(`judging ${label}`, options.onProgress),
  });
  const comparable = new Map(summaries.map(({ name }) => [name, new Map<string, ComparableValues>()]));
  const lists: ListResult[] = []; // first: what is wrong with them is known before anything is fitted
  for (const source of options.lists ?? []) {
    throwIfCancelled(signal);
    const { result, chosen } = await judgeLists(source, parts, {
      ...judging(source.name),
      columns: options.listColumns,
      threads: options.threads,
    });
    lists.push(result);
    if (chosen) comparable.get(result.part)!.set(listKey(source.name), chosen);
    onStep?.({ kind: "list", result });
  }
  const models: ModelResult[] = [];
  for (const model of recipe.models) {
    const earlier = intervals || options.breakdown ? undefined : fitting.judged?.(model.label); // what is kept has no values by case
    if (earlier) {
      models.push(earlier);
      continue;
    }
    const result = await judgeModel(
      model,
      parts,
      { ...judging(model.label), predictsWeights: predictsWeights(model.name, model.params) },
      {
        fitting,
        features: dataset.features,
        signal,
        keep: (part, values) => intervals && comparable.get(part)!.set(model.label, values),
      },
    );
    await fitting.keepJudged?.(result);
    models.push(result);
    onStep?.({ kind: "model", result });
  }
  const champion = bestOf(models, parts[0]?.name, choose);
  if (intervals && champion !== undefined)
    for (const [part, judged] of comparable) {
      const compared = compareWithBest(judged, { best: champion, metric: choose, intervals });
      for (const model of models) {
        const comparison = compared.get(model.label);
        if (comparison) model.comparison = { ...model.comparison, [part]: comparison };
      }
      for (const list of lists) if (list.part === part) list.comparison = compared.get(listKey(list.label));
    }
  return {
    data,
    parts: summaries,
    excludeSeen,
    metrics,
    models,
    ...(lists.length > 0 ? { lists } : {}),
    ...(leaks.some(({ findings }) => findings.length > 0) ? { leaks } : {}),
    champion,
    chosenBy: choose,
    seed: recipe.seed,
    tastemaker: tastemakerVersion,
    ...(recipe.fast ? { fast: true } : {}),
    ...(intervals ? { intervals } : {}),
  };
}

/** A list may go by the name of a model. */
function listKey(name: string): string {
  return `list ${name}`;
}

interface ModelJudging {
  fitting: Fitting;
  features: SideFeatures;
  signal: AbortSignal | undefined;
  /** Takes the chosen metric case by case. */
  keep: (part: PartSummary["name"], values: ComparableValues) => void;
}

/** Fits one model on the train side of every fold and judges it; what is held is the values of one part's folds. */
async function judgeModel(
  model: Recipe["models"][number],
  parts: readonly Part[],
  settings: JudgeSettings,
  { fitting, features, signal, keep }: ModelJudging,
): Promise<ModelResult> {
  const start = performance.now();
  const { label, name: definition, params } = model;
  const result: ModelResult = { label, model: definition, params, metrics: {}, seconds: 0 };
  for (const part of new Set(parts.map(({ name }) => name))) {
    const folds = parts.filter(({ name }) => name === part);
    const judged: FoldValues[] = [];
    for (const [f, fold] of folds.entries()) {
      throwIfCancelled(signal);
      const fitted = await fitting.fit(model, { data: fold.train, features, part, fold: folds.length > 1 ? f + 1 : undefined });
      try {
        const breakdown = settings.breakdown && folds.length === 1;
        judged.push(await judgeFold(fitted, fold, { ...settings, breakdown }));
        const { losses } = fitted.fitted;
        if (losses?.length && judged.length === 1) result.losses = { ...result.losses, [part]: losses };
      } finally {
        fitted.dispose();
      }
    }
    const { chosen, metrics, spread, estimates, breakdown, numCases } = summarizeFolds(judged, settings);
    if (chosen) keep(part, chosen);
    result.metrics[part] = metrics;
    result.numCases = { ...result.numCases, [part]: numCases };
    if (spread) result.spread = { ...result.spread, [part]: spread };
    if (estimates) result.estimates = { ...result.estimates, [part]: estimates };
    if (breakdown) result.breakdown = { ...result.breakdown, [part]: breakdown };
  }
  result.seconds = (performance.now() - start) / 1000;
  return result;
}

/** Folds of one name are one part; its numbers of events are those of all folds. */
function summariseParts(parts: readonly Part[]): PartSummary[] {
  return [...new Set(parts.map(({ name }) => name))].map((name) => {
    const folds = parts.filter((part) => part.name === name);
    const sum = (key: "trainInteractions" | "testInteractions") => folds.reduce((total, part) => total + part[key], 0);
    const [{ description }] = folds;
    const summary = { name, description, trainInteractions: sum("trainInteractions"), testInteractions: sum("testInteractions") };
    return folds.length === 1 ? summary : { ...summary, folds: folds.length };
  });
}

/** Whether items that a user had before are left out, and why. */
export function decideExcludeSeen(recipe: Recipe, data: Interactions): { excludeSeen: boolean; reason: string } {
  const wanted = recipe.evaluation.excludeSeen;
  if (wanted !== "auto") return { excludeSeen: wanted, reason: "set by the recipe" };
  const share = repeatShare(data);
  return { excludeSeen: share < REPEAT_SHARE, reason: `${(share * 100).toFixed(0)} % of the events repeat an earlier one` };
}

/** The label with the best value; the first of equals. */
function bestOf(models: readonly ModelResult[], part: PartSummary["name"] | undefined, metric: string): string | undefined {
  if (part === undefined) return undefined;
  const sign = directionOf(metric) === "minimize" ? -1 : 1;
  const value = (result: ModelResult) => sign * (result.metrics[part]?.[metric] ?? Number.NaN);
  return models.reduce((best, result) => (value(result) > value(best) || Number.isNaN(value(best)) ? result : best)).label;
}
