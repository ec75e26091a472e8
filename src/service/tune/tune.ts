/**
 * The use case "tune": searches over the parameters of a recipe's models on a validation part that is held out of what the
 * test part leaves, keeps every trial in the workspace (trials.db), and tells the best parameters. Nothing is trained for serving.
 */
import { join } from "node:path";
import { CancelledError, ConfigError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { parseMetric } from "../../evaluation/metrics.js";
import { getModel, predictsWeights } from "../../models/registry.js";
import { openTrialStore } from "../../store/trial-store.js";
import { directionOf } from "../../tuning/model-objective.js";
import { modelSpace } from "../../tuning/model-space.js";
import { decideExcludeSeen } from "../evaluation/scenario-run.js";
import { dataFingerprint, readSource, sourceFile, summarise } from "../prepare-data.js";
import type { Recipe } from "../recipe/recipe.js";
import { checkChoice, itemContext } from "../recipe/recipe-metrics.js";
import { withScenario } from "../recipe/scenarios.js";
import type { RunOptions } from "../run-result.js";
import { openWorkspace } from "../workspace.js";
import { type SamplerName, type SchedulerName, type SearchSettings, searchModel } from "./tune-models.js";
import { tuningPart } from "./tune-part.js";
import { bestTuning, type ModelTuning, type TuneReport, type TuneStep } from "./tune-result.js";
import { modelsYaml } from "./tuned-recipe.js";

/** Trials of a model when neither trials nor seconds are given. */
const DEFAULT_TRIALS = 50;
/** More trials than a grid may have. */
const WHOLE_GRID = 1e7;

/** What is given here stands above the recipe's `tune` section. */
export interface TuneRecipeOptions extends Omit<RunOptions, "onStep"> {
  /** Of each model. */
  trials?: number;
  /** Of all models together. */
  seconds?: number;
  sampler?: SamplerName;
  scheduler?: SchedulerName;
  /** Default: `evaluation.choose`. */
  metric?: string;
  /** Labels. Default: all that have something to search. */
  models?: readonly string[];
  window?: number;
  /** Default: `continue`, which goes on with an equal earlier search. */
  /** Which of the recipe's scenarios. Default: the first. */
  scenario?: string;
  mode?: "continue" | "resume" | "fresh";
  onTuneStep?: (step: TuneStep) => void;
}

/**
 * Throws what reading and fitting throw; ConfigError (unknown model or metric, nothing to search, nothing to resume), DataError
 * (no validation part), CancelledError on `signal`: finished trials are kept, the same call goes on from there.
 */
export async function tuneRecipe(whole: Recipe, options: TuneRecipeOptions = {}): Promise<TuneReport> {
  const recipe = withScenario(whole, options.scenario);
  const { tune } = recipe;
  const metric = options.metric ?? tune.metric ?? recipe.evaluation.choose;
  checkChoice(metric, recipe);
  const direction = directionOf(metric);
  const wanted = chooseModels(recipe, options.models ?? tune.models);
  const trials = options.trials ?? tune.trials;
  const seconds = options.seconds ?? tune.seconds;
  const sampler = options.sampler ?? tune.sampler;

  const workspace = openWorkspace(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  const dataset = await readSource(recipe, file, options);
  const data = summarise(dataset);
  options.onTuneStep?.({ kind: "data", data });
  const { interactions } = dataset;
  const { excludeSeen } = decideExcludeSeen(recipe.evaluation, interactions);
  const part = tuningPart(recipe, dataset, { excludeSeen, allowLeaks: options.allowLeaks, metric });
  const { description, trainInteractions, testInteractions, cases } = part;
  const rated = parseMetric(metric).metric.of === "rating";
  const facts = { part: description, trainInteractions, testInteractions, numCases: rated ? testInteractions : cases.length };
  options.onTuneStep?.({ kind: "start", metric, ...facts });

  const settings: SearchSettings = {
    metric,
    excludeSeen,
    sampler,
    scheduler: options.scheduler ?? tune.scheduler,
    seed: tune.seed ?? recipe.seed,
    fitSeed: recipe.seed,
    window: options.window ?? tune.window,
  };
  const { source, clean, features, split } = recipe;
  const { questions, foldIn } = recipe.evaluation;
  const items = itemContext([metric], dataset.itemProperties);
  const fingerprint = await dataFingerprint(recipe, file, options);
  const dataKey = {
    fingerprint,
    source: { ...source, file: undefined },
    clean,
    features,
    split,
    validation: part.split,
    questions: questions === "user" ? undefined : { questions, foldIn },
    category: items && recipe.itemProperties?.category,
  };
  const hasTimestamps = interactions.timestamp !== undefined;
  const spaces = wanted.map(({ name, label, params }) =>
    modelSpace(getModel(name), { params, narrowed: tune.space[label], hasTimestamps }),
  );
  const reasons = wanted.map(({ name, params }, m) => {
    if (rated && !predictsWeights(name, params)) return "it predicts no ratings";
    return Object.keys(spaces[m].searched).length > 0 ? undefined : "no parameter is searched";
  });
  const open = wanted.filter((_, m) => reasons[m] === undefined);
  if (open.length === 0) throw nothingToSearch(wanted);
  const models: ModelTuning[] = [];
  const skipped: TuneReport["skipped"] = [];
  const end = seconds === undefined ? undefined : performance.now() + seconds * 1000;
  const store = await openTrialStore(join(workspace.folder, "trials.db"));
  try {
    for (const [m, { name, label, params }] of wanted.entries()) {
      const space = spaces[m];
      const reason = reasons[m];
      if (reason !== undefined) {
        skipped.push({ label, reason });
        options.onTuneStep?.({ kind: "skipped", label, reason });
        continue;
      }
      const share = end === undefined ? undefined : Math.max(0.001, (end - performance.now()) / 1000 / (open.length - models.length));
      const budget = {
        trials: trials ?? (sampler === "grid" ? WHOLE_GRID : seconds === undefined ? DEFAULT_TRIALS : undefined),
        seconds: share,
      };
      const context = {
        ...options,
        train: part.train,
        features: dataset.features,
        cases: part.casesFor(label),
        test: part.test,
        items,
        dataKey,
        store,
        mode: options.mode === "resume" && models.length > 0 ? "continue" : (options.mode ?? "continue"),
      };
      models.push(await searchModel({ label, model: name, params, space, budget }, settings, context));
    }
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    throw new CancelledError("The search was stopped; its finished trials are kept.", {
      hint: "The same command goes on from there (--fresh starts anew).",
      cause: error,
    });
  } finally {
    await store.close();
  }
  return {
    recipe: recipe.name,
    data,
    ...facts,
    metric,
    direction,
    excludeSeen,
    sampler,
    scheduler: settings.scheduler,
    seed: settings.seed,
    models,
    skipped,
    best: bestTuning(models, direction).label,
    yaml: modelsYaml(recipe, models),
  };
}

function chooseModels(recipe: Recipe, wanted: readonly string[] | undefined): Recipe["models"] {
  if (!wanted?.length) return recipe.models;
  const labels = recipe.models.map(({ label }) => label);
  const unknown = wanted.find((label) => !labels.includes(label));
  if (unknown !== undefined)
    throw new ConfigError(`The recipe has no model ${JSON.stringify(unknown)}.`, {
      hint: nameHint(unknown, labels),
      details: { got: unknown, allowed: labels },
    });
  return recipe.models.filter(({ label }) => wanted.includes(label));
}

function nothingToSearch(models: Recipe["models"]): ConfigError {
  const names = models.map(({ label }) => label).join(", ");
  return new ConfigError(`There is nothing to tune: every parameter of ${names} is fixed.`, {
    hint: "Give a parameter a list or a range under tune.space, or tune another model with --model.",
  });
}
