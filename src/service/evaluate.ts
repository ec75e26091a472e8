/**
 * The use case "evaluate": reads a recipe's data, holds out its parts, and fits and judges each model on them.
 * Nothing is kept; `train.ts` goes on from here.
 */
import { checkBootstrap } from "../evaluation/bootstrap.js";
import { tastemakerVersion } from "../store/version.js";
import { judgeModel } from "./evaluation/judge-model.js";
import type { Part, PartSummary } from "./evaluation/part.js";
import { partLeaks } from "./evaluation/part-leaks.js";
import { addValues, figuresOf, hasBaseline, judgeListsIn, openScenario, valuesOf } from "./evaluation/scenario-run.js";
import { type Fitting, plainFitting } from "./fitting.js";
import { holdOut, type RecipeData, readSource, sourceFile, summarise } from "./prepare-data.js";
import type { Recipe } from "./recipe/recipe.js";
import { scenariosOf } from "./recipe/scenarios.js";
import type { Evaluation, RunOptions } from "./run-result.js";
import { openWorkspace } from "./workspace.js";

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
  const intervals = options.intervals && checkBootstrap(options.intervals);
  const scenarios = scenariosOf(recipe).map((scenario) => openScenario(scenario, { dataset, parts, options, intervals }));
  const [{ excludeSeen, reason }] = scenarios;
  const summaries = summariseParts(parts);
  onStep?.({ kind: "parts", parts: summaries, excludeSeen, reason });
  const leaks = partLeaks(parts, options);
  if (leaks.some(({ findings }) => findings.length > 0)) onStep?.({ kind: "leaks", leaks });
  for (const scenario of scenarios) await judgeListsIn(scenario, parts, options); // first: what is wrong with them is known before anything is fitted
  for (const model of recipe.models) {
    const involved = scenarios.filter(({ labels }) => labels.includes(model.label));
    if (involved.length === 0) continue;
    const kept = intervals || options.breakdown ? undefined : fitting.judged?.(model.label); // what is kept has neither
    const earlier = kept && (kept.values || !involved.some(hasBaseline)) ? kept : undefined;
    for (const [s, values] of earlier?.values?.entries() ?? []) addValues(involved[s], model.label, values);
    const results =
      earlier?.results ??
      (await judgeModel(
        model,
        parts,
        involved.map(({ settings }) => settings(model.label)),
        { fitting, features: dataset.features, signal },
      ));
    for (const [s, result] of results.entries()) involved[s].models.push(result);
    if (earlier) continue;
    const values = involved.some(hasBaseline) ? involved.map((scenario) => valuesOf(scenario, model.label)) : undefined;
    await fitting.keepJudged?.({ results, ...(values ? { values } : {}) });
    for (const result of results) onStep?.({ kind: "model", result });
  }
  const figures = scenarios.map((scenario) => figuresOf(scenario, parts[0]?.name, intervals));
  const all = figures.flatMap(({ models }) => models);
  return {
    data,
    parts: summaries,
    ...figures[0],
    models: recipe.models.map(
      ({ label, name, params }) => all.find((one) => one.label === label) ?? { label, model: name, params, metrics: {}, seconds: 0 },
    ),
    ...(leaks.some(({ findings }) => findings.length > 0) ? { leaks } : {}),
    ...(recipe.scenarios
      ? { scenarios: recipe.scenarios.map(({ name, title }, s) => ({ name, ...(title === undefined ? {} : { title }), ...figures[s] })) }
      : {}),
    seed: recipe.seed,
    tastemaker: tastemakerVersion,
    ...(recipe.fast ? { fast: true } : {}),
    ...(intervals ? { intervals } : {}),
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
