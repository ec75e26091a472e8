/**
 * One scenario while the models of a recipe are judged: its questions and metrics, what was judged so far, and at the end its
 * figures with champion and comparison. Called by evaluate.ts.
 */
import { throwIfCancelled } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { IntervalOptions } from "../../evaluation/summarize.js";
import { directionOf } from "../../tuning/model-objective.js";
import { labelledProgress } from "../fitting.js";
import { type RecipeData, repeatShare } from "../prepare-data.js";
import { itemContext } from "../recipe/recipe-metrics.js";
import type { Scenario } from "../recipe/scenarios.js";
import type { ModelResult, RunOptions, ScenarioEvaluation } from "../run-result.js";
import { compareWithBaseline, compareWithBest } from "./compare-models.js";
import type { ScenarioSettings } from "./judge-model.js";
import type { ComparableValues } from "./judge-part.js";
import type { ListResult } from "./judged.js";
import type { Part, PartSummary } from "./part.js";
import { judgeLists } from "./ranked-lists.js";

/** From this share of repeated events on, `excludeSeen: auto` lets items be recommended again. */
const REPEAT_SHARE = 0.1;

export interface ScenarioRun {
  labels: readonly string[];
  excludeSeen: boolean;
  /** Why. */
  reason: string;
  scenario: Scenario;
  /** How the model (or list) of a label is judged. */
  settings(label: string): ScenarioSettings;
  models: ModelResult[];
  lists: ListResult[];
  /** The chosen metric case by case, by part and label. */
  comparable: Map<PartSummary["name"], Map<string, ComparableValues>>;
}

export interface ScenarioInput {
  dataset: RecipeData;
  parts: readonly Part[];
  options: RunOptions;
  intervals: Required<IntervalOptions> | undefined;
}

export function openScenario(scenario: Scenario, { dataset, parts, options, intervals }: ScenarioInput): ScenarioRun {
  const { name, models, evaluation } = scenario;
  const { metrics, choose, onlyKnownUsers, questions, foldIn } = evaluation;
  const { excludeSeen, reason } = decideExcludeSeen(evaluation, dataset.interactions);
  const context = itemContext(metrics, dataset.itemProperties);
  const comparable: ScenarioRun["comparable"] = new Map(parts.map((part) => [part.name, new Map()]));
  return {
    labels: models.map(({ label }) => label),
    excludeSeen,
    reason,
    scenario,
    models: [],
    lists: [],
    comparable,
    settings: (label) => ({
      ...(name === undefined ? {} : { scenario: name }),
      ...{ metrics, choose, excludeSeen, onlyKnownUsers, questions, foldIn: foldIn.includes(label), context, intervals },
      signal: options.signal,
      breakdown: options.breakdown,
      onProgress: labelledProgress(`judging ${label}${name === undefined ? "" : ` (${name})`}`, options.onProgress),
      keep: (part, values) => (intervals || evaluation.baseline !== undefined) && comparable.get(part)!.set(label, values),
    }),
  };
}

/** Whether items that a user had before are left out, and why. */
export function decideExcludeSeen(
  { excludeSeen: wanted }: Scenario["evaluation"],
  data: Interactions,
): { excludeSeen: boolean; reason: string } {
  if (wanted !== "auto") return { excludeSeen: wanted, reason: "set by the recipe" };
  const share = repeatShare(data);
  return { excludeSeen: share < REPEAT_SHARE, reason: `${(share * 100).toFixed(0)} % of the events repeat an earlier one` };
}

/** Judges the lists of other systems that the options name. Throws what reading them throws. */
export async function judgeListsIn(
  { settings, lists, comparable }: ScenarioRun,
  parts: readonly Part[],
  options: RunOptions,
): Promise<void> {
  for (const source of options.lists ?? []) {
    throwIfCancelled(options.signal);
    const { listColumns: columns, threads } = options;
    const { result, chosen } = await judgeLists(source, parts, { ...settings(source.name), columns, threads });
    lists.push(result);
    if (chosen) comparable.get(result.part)!.set(listKey(source.name), chosen);
    options.onStep?.({ kind: "list", result });
  }
}

/** A list may go by the name of a model. */
function listKey(name: string): string {
  return `list ${name}`;
}

/** Whether its models are compared with one of them. */
export const hasBaseline = ({ scenario }: ScenarioRun): boolean => scenario.evaluation.baseline !== undefined;

/** The chosen metric of one model case by case, by part. */
export function valuesOf({ comparable }: ScenarioRun, label: string): Map<PartSummary["name"], ComparableValues> {
  return new Map([...comparable].flatMap(([part, judged]) => (judged.has(label) ? [[part, judged.get(label)!] as const] : [])));
}

/** Takes in what `valuesOf` gave before an interruption. */
export function addValues({ comparable }: ScenarioRun, label: string, values: ReadonlyMap<PartSummary["name"], ComparableValues>): void {
  for (const [part, one] of values) comparable.get(part)?.set(label, one);
}

/** What came of it; the champion is the best on `decisive`, and every model and list is compared with it where there are intervals. */
export function figuresOf(
  { scenario, excludeSeen, models, lists, comparable }: ScenarioRun,
  decisive: PartSummary["name"] | undefined,
  intervals: Required<IntervalOptions> | undefined,
): Omit<ScenarioEvaluation, "name" | "title"> {
  const { metrics, choose, baseline } = scenario.evaluation;
  const champion = bestOf(models, decisive, choose);
  if (intervals && champion !== undefined)
    for (const [part, judged] of comparable) {
      const compared = compareWithBest(judged, { best: champion, metric: choose, intervals });
      for (const model of models) {
        const comparison = compared.get(model.label);
        if (comparison) model.comparison = { ...model.comparison, [part]: comparison };
      }
      for (const list of lists) if (list.part === part) list.comparison = compared.get(listKey(list.label));
    }
  if (baseline !== undefined)
    for (const [part, judged] of comparable) {
      const compared = compareWithBaseline(judged, { baseline, metric: choose, intervals });
      for (const model of models) {
        const comparison = compared.get(model.label);
        if (comparison) model.againstBaseline = { ...model.againstBaseline, [part]: comparison };
      }
    }
  return { excludeSeen, metrics, models, ...(lists.length > 0 ? { lists } : {}), champion, chosenBy: choose };
}

/** The label with the best value; the first of equals. */
function bestOf(models: readonly ModelResult[], part: PartSummary["name"] | undefined, metric: string): string | undefined {
  if (part === undefined || models.length === 0) return undefined;
  const sign = directionOf(metric) === "minimize" ? -1 : 1;
  const value = (result: ModelResult) => sign * (result.metrics[part]?.[metric] ?? Number.NaN);
  return models.reduce((best, result) => (value(result) > value(best) || Number.isNaN(value(best)) ? result : best)).label;
}
