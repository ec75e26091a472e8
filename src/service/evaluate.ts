/**
 * The use case "evaluate": reads a recipe's data, holds out its parts, and fits and judges each model on them.
 * Nothing is kept; `train.ts` goes on from here.
 */
import { throwIfCancelled } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import { type EvaluateOptions, evaluateCases } from "../evaluation/evaluate.js";
import { fit } from "../models/registry.js";
import type { Recommender } from "../ranking/recommender.js";
import { partCases } from "./part-cases.js";
import { partLeaks } from "./part-leaks.js";
import { holdOut, type Part, type RecipeData, readSource, repeatShare, sourceFile, summarise } from "./prepare-data.js";
import { judgeLists, type ListResult } from "./ranked-lists.js";
import type { Recipe } from "./recipe.js";
import type { Evaluation, ModelResult, PartSummary, RunOptions } from "./run-result.js";
import { openWorkspace } from "./workspace.js";

export { partCases } from "./part-cases.js";

/** From this share of repeated events on, `excludeSeen: auto` lets items be recommended again. */
const REPEAT_SHARE = 0.1;

/** Judges the models of a recipe. Throws what reading, splitting and fitting throw; CancelledError on `signal`. */
export async function evaluateRecipe(recipe: Recipe, options: RunOptions = {}): Promise<Evaluation> {
  const workspace = openWorkspace(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  return evaluateDataset(recipe, await readSource(recipe, file, options), options);
}

/** The part of `evaluateRecipe` after reading. Throws DataError when a held-out part leaks, unless `options.allowLeaks`. */
export async function evaluateDataset(recipe: Recipe, dataset: RecipeData, options: RunOptions): Promise<Evaluation> {
  const { signal, onStep } = options;
  const data = summarise(dataset);
  onStep?.({ kind: "data", data });
  const parts = holdOut(recipe, dataset.interactions, dataset.folds);
  const { excludeSeen, reason } = decideExcludeSeen(recipe, dataset.interactions);
  const summaries = summariseParts(parts);
  onStep?.({ kind: "parts", parts: summaries, excludeSeen, reason });
  const leaks = partLeaks(parts, options);
  if (leaks.some(({ findings }) => findings.length > 0)) onStep?.({ kind: "leaks", leaks });
  const { metrics, choose } = recipe.evaluation;
  const judging = (label: string): EvaluateOptions => ({
    metrics,
    excludeSeen,
    signal,
    onProgress: (progress) => options.onProgress?.({ ...progress, stage: `judging ${label}` }),
  });
  const lists: ListResult[] = []; // first: what is wrong with them is known before anything is fitted
  for (const source of options.lists ?? []) {
    throwIfCancelled(signal);
    const result = await judgeLists(source, parts, { ...judging(source.name), columns: options.listColumns, threads: options.threads });
    lists.push(result);
    onStep?.({ kind: "list", result });
  }
  const models: ModelResult[] = [];
  for (const model of recipe.models) {
    const start = performance.now();
    const values: { name: PartSummary["name"]; values: Record<string, number> }[] = [];
    for (const part of parts) {
      throwIfCancelled(signal);
      const fitted = await fitLabelled(model, part.train, { ...options, seed: recipe.seed });
      try {
        values.push({ name: part.name, values: await judge(fitted, part, judging(model.label)) });
      } finally {
        fitted.dispose();
      }
    }
    const seconds = (performance.now() - start) / 1000;
    const result: ModelResult = { label: model.label, model: model.name, params: model.params, ...overFolds(values), seconds };
    models.push(result);
    onStep?.({ kind: "model", result });
  }
  const champion = bestOf(models, parts[0]?.name, choose);
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
  };
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

/** The mean of each metric over the folds of a part, and its standard deviation where there are several. */
function overFolds(
  judged: readonly { name: PartSummary["name"]; values: Record<string, number> }[],
): Pick<ModelResult, "metrics" | "spread"> {
  const metrics: ModelResult["metrics"] = {};
  const spread: NonNullable<ModelResult["spread"]> = {};
  for (const name of new Set(judged.map((one) => one.name))) {
    const folds = judged.filter((one) => one.name === name).map(({ values }) => values);
    const mean = (label: string) => folds.reduce((sum, values) => sum + values[label], 0) / folds.length;
    const deviation = (label: string) =>
      Math.sqrt(folds.reduce((sum, values) => sum + (values[label] - mean(label)) ** 2, 0) / (folds.length - 1));
    const labels = Object.keys(folds[0]);
    metrics[name] = folds.length === 1 ? folds[0] : Object.fromEntries(labels.map((label) => [label, mean(label)]));
    if (folds.length > 1) spread[name] = Object.fromEntries(labels.map((label) => [label, deviation(label)]));
  }
  return Object.keys(spread).length > 0 ? { metrics, spread } : { metrics };
}

/** Fits one model of a recipe; progress carries its label. */
export function fitLabelled(
  { name, label, params }: Recipe["models"][number],
  data: Interactions,
  { threads, signal, onProgress, seed }: RunOptions & { seed: number },
): Promise<Recommender> {
  return fit(name, data, params, {
    seed,
    threads,
    signal,
    onProgress: (progress) => onProgress?.({ ...progress, stage: `training ${label}` }),
  });
}

/** Whether items that a user had before are left out, and why. */
export function decideExcludeSeen(recipe: Recipe, data: Interactions): { excludeSeen: boolean; reason: string } {
  const wanted = recipe.evaluation.excludeSeen;
  if (wanted !== "auto") return { excludeSeen: wanted, reason: "set by the recipe" };
  const share = repeatShare(data);
  return { excludeSeen: share < REPEAT_SHARE, reason: `${(share * 100).toFixed(0)} % of the events repeat an earlier one` };
}

async function judge(model: Recommender, part: Part, options: EvaluateOptions): Promise<Record<string, number>> {
  return evaluateCases(model, partCases(part, options.excludeSeen ?? true), options);
}

/** The label with the highest value; the first of equals. */
function bestOf(models: readonly ModelResult[], part: PartSummary["name"] | undefined, metric: string): string | undefined {
  if (part === undefined) return undefined;
  const value = (result: ModelResult) => result.metrics[part]?.[metric] ?? Number.NEGATIVE_INFINITY;
  return models.reduce((best, result) => (value(result) > value(best) ? result : best)).label;
}
