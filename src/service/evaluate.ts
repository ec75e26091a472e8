/**
 * The use case "evaluate": reads a recipe's data, holds out its parts, and fits and judges each model on them.
 * Nothing is kept; `train.ts` goes on from here.
 */
import { throwIfCancelled } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { Dataset } from "../data/readers/read-dataset.js";
import { userCases } from "../evaluation/cases.js";
import { type EvaluateOptions, type EvaluationCase, evaluateCases } from "../evaluation/evaluate.js";
import { fit } from "../models/registry.js";
import type { Recommender } from "../ranking/recommender.js";
import { holdOut, type Part, readSource, repeatShare, sourceFile, summarise } from "./prepare-data.js";
import type { Recipe } from "./recipe.js";
import type { Evaluation, ModelResult, PartSummary, RunOptions } from "./run-result.js";
import { openWorkspace } from "./workspace.js";

/** From this share of repeated events on, `excludeSeen: auto` lets items be recommended again. */
const REPEAT_SHARE = 0.1;

/** Judges the models of a recipe. Throws what reading, splitting and fitting throw; CancelledError on `signal`. */
export async function evaluateRecipe(recipe: Recipe, options: RunOptions = {}): Promise<Evaluation> {
  const workspace = openWorkspace(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  return evaluateDataset(recipe, await readSource(recipe, file, options), options);
}

/** The part of `evaluateRecipe` after reading. */
export async function evaluateDataset(recipe: Recipe, dataset: Dataset, options: RunOptions): Promise<Evaluation> {
  const data = summarise(dataset);
  options.onStep?.({ kind: "data", data });
  const parts = holdOut(recipe, dataset.interactions);
  const { excludeSeen, reason } = decideExcludeSeen(recipe, dataset.interactions);
  const summaries = parts.map(
    ({ name, description, trainInteractions, testInteractions }): PartSummary => ({
      name,
      description,
      trainInteractions,
      testInteractions,
    }),
  );
  options.onStep?.({ kind: "parts", parts: summaries, excludeSeen, reason });
  const { metrics, choose } = recipe.evaluation;
  const models: ModelResult[] = [];
  for (const model of recipe.models) {
    const start = performance.now();
    const result: ModelResult = { label: model.label, model: model.name, params: model.params, metrics: {}, seconds: 0 };
    for (const part of parts) {
      throwIfCancelled(options.signal);
      const fitted = await fitLabelled(model, part.train, { ...options, seed: recipe.seed });
      try {
        result.metrics[part.name] = await judge(fitted, part, {
          metrics,
          excludeSeen,
          signal: options.signal,
          onProgress: (progress) => options.onProgress?.({ ...progress, stage: `judging ${model.label}` }),
        });
      } finally {
        fitted.dispose();
      }
    }
    result.seconds = (performance.now() - start) / 1000;
    models.push(result);
    options.onStep?.({ kind: "model", result });
  }
  return { data, parts: summaries, excludeSeen, metrics, models, champion: bestOf(models, parts[0]?.name, choose), chosenBy: choose };
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

/** The questions of a held-out part. */
export function partCases({ train, test, given }: Pick<Part, "train" | "test" | "given">, excludeSeen: boolean): EvaluationCase[] {
  return given ? heldOutCases(test, given, excludeSeen) : userCases(train, test, { excludeSeen });
}

/** Held-out users are unknown to the model: each is asked for by the given part of the history. */
function heldOutCases(test: Interactions, given: Interactions, excludeSeen: boolean): EvaluationCase[] {
  const wanted = test.matrixByUser();
  const shown = given.matrixByUser();
  return Array.from({ length: test.numUsers }, (_, user) => {
    const seen = shown.indices.subarray(shown.offsets[user], shown.offsets[user + 1]);
    const weights = shown.values.subarray(shown.offsets[user], shown.offsets[user + 1]);
    const relevant = wanted.indices.subarray(wanted.offsets[user], wanted.offsets[user + 1]);
    return {
      query: { history: Array.from(seen, (itemIndex, e) => ({ itemIndex, weight: weights[e] })) },
      relevant: excludeSeen ? relevant.filter((item) => !seen.includes(item)) : relevant,
    };
  });
}

/** The label with the highest value; the first of equals. */
function bestOf(models: readonly ModelResult[], part: PartSummary["name"] | undefined, metric: string): string | undefined {
  if (part === undefined) return undefined;
  const value = (result: ModelResult) => result.metrics[part]?.[metric] ?? Number.NEGATIVE_INFINITY;
  return models.reduce((best, result) => (value(result) > value(best) ? result : best)).label;
}
