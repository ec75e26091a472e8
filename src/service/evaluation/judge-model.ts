/**
 * Fits one model on the train side of every fold of every part, once, and judges it in each scenario that has it.
 * Called by evaluate.ts.
 */
import { throwIfCancelled } from "../../core/errors.js";
import type { SideFeatures } from "../../core/model.js";
import { predictsWeights } from "../../models/registry.js";
import type { Fitting, RecipeModel } from "../fitting.js";
import type { ModelResult } from "../run-result.js";
import { type ComparableValues, type FoldValues, type JudgeSettings, judgeFold, summarizeFolds } from "./judge-part.js";
import type { Part, PartSummary } from "./part.js";

/** A scenario as one model is judged in it. */
export interface ScenarioSettings extends JudgeSettings {
  /** Absent where the recipe has but one. */
  scenario?: string;
  /** Takes the chosen metric case by case. */
  keep: (part: PartSummary["name"], values: ComparableValues) => void;
}

export interface ModelJudging {
  fitting: Fitting;
  features: SideFeatures;
  signal: AbortSignal | undefined;
}

/** One result for each scenario, in their order; what is held is the values of one part's folds. The time of a fit counts in all of them. */
export async function judgeModel(
  model: RecipeModel,
  parts: readonly Part[],
  scenarios: readonly ScenarioSettings[],
  { fitting, features, signal }: ModelJudging,
): Promise<ModelResult[]> {
  const { label, name: definition, params } = model;
  const predicts = predictsWeights(definition, params);
  const results: ModelResult[] = scenarios.map(({ scenario }) => ({
    ...(scenario === undefined ? {} : { scenario }),
    ...{ label, model: definition, params, metrics: {}, seconds: 0 },
  }));
  for (const part of new Set(parts.map(({ name }) => name))) {
    const folds = parts.filter(({ name }) => name === part);
    const judged: FoldValues[][] = scenarios.map(() => []);
    for (const [f, fold] of folds.entries()) {
      throwIfCancelled(signal);
      const started = performance.now();
      const number = folds.length > 1 ? f + 1 : undefined;
      const fitted = await fitting.fit(model, { data: fold.train, features, part, fold: number, draw: fold.draw });
      const fitSeconds = (performance.now() - started) / 1000;
      try {
        const { losses, figures } = fitted.fitted;
        for (const [s, settings] of scenarios.entries()) {
          const asked = performance.now();
          const breakdown = settings.breakdown && folds.length === 1;
          judged[s].push(await judgeFold(fitted, fold, { ...settings, breakdown, predictsWeights: predicts }));
          results[s].seconds += fitSeconds + (performance.now() - asked) / 1000;
          if (figures && judged[s].length === 1) results[s].trainingFigures = { ...results[s].trainingFigures, [part]: figures };
          if (losses?.length && judged[s].length === 1) results[s].losses = { ...results[s].losses, [part]: losses };
        }
      } finally {
        fitted.dispose();
      }
    }
    for (const [s, settings] of scenarios.entries()) addPart(results[s], part, summarizeFolds(judged[s], settings), settings.keep);
  }
  return results;
}

function addPart(
  result: ModelResult,
  part: PartSummary["name"],
  { chosen, metrics, spread, estimates, breakdown, numCases }: ReturnType<typeof summarizeFolds>,
  keep: ScenarioSettings["keep"],
): void {
  if (chosen) keep(part, chosen);
  result.metrics[part] = metrics;
  result.numCases = { ...result.numCases, [part]: numCases };
  if (spread) result.spread = { ...result.spread, [part]: spread };
  if (estimates) result.estimates = { ...result.estimates, [part]: estimates };
  if (breakdown) result.breakdown = { ...result.breakdown, [part]: breakdown };
}
