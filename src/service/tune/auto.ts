/**
 * The use case "auto": takes the models that suit the data, tunes each on one half of the questions of a validation part,
 * compares the tuned ones on the other half behind a significance gate, says why in words, and trains them with the best
 * parameters as a run that `serve` answers from. The test part is judged once, at the end.
 */
import { join } from "node:path";
import { CancelledError, ConfigError } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { SideFeatures } from "../../core/model.js";
import { createRandom } from "../../core/random.js";
import { type EvaluationCase, judgeCases } from "../../evaluation/evaluate.js";
import { parseMetric } from "../../evaluation/metrics.js";
import { fit } from "../../models/registry.js";
import { openTrialStore } from "../../store/trial-store.js";
import { directionOf } from "../../tuning/model-objective.js";
import { modelSpace } from "../../tuning/model-space.js";
import { type Contender, chooseChampion } from "../evaluation/choose-champion.js";
import { decideExcludeSeen } from "../evaluation/scenario-run.js";
import { dataFingerprint, readSource, sourceFile, summarise } from "../prepare-data.js";
import type { Recipe } from "../recipe/recipe.js";
import { checkMetric, type ItemContext, itemContext } from "../recipe/recipe-metrics.js";
import { withScenario } from "../recipe/scenarios.js";
import type { RunOptions, RunResult } from "../run-result.js";
import { runKey, trainFile } from "../train.js";
import { openWorkspace, type Workspace } from "../workspace.js";
import { candidatesFor, factsOf } from "./auto-candidates.js";
import { type AutoDecision, decisionInWords } from "./auto-decision.js";
import { type SearchSettings, searchModel } from "./tune-models.js";
import { tuningPart } from "./tune-part.js";
import { bestTuning, type ModelTuning, type TuneReport, type TuneStep } from "./tune-result.js";
import { modelsYaml } from "./tuned-recipe.js";

const DEFAULT_SECONDS = 120;
/** Trials of one candidate at most; what a quick one leaves of its time goes to the others. */
const DEFAULT_TRIALS = 40;
/** From so many questions on, tuning and comparison each get a half. */
const ENOUGH_TO_HALVE = 200;

export interface AutoOptions extends RunOptions {
  /** Time for searching; training the result comes on top. Default 120. */
  seconds?: number;
  /** Trials of one candidate at most. Default 40. */
  trials?: number;
  /** Which of the recipe's scenarios. Default: the first. */
  scenario?: string;
  /** Default: the recipe's tune.metric or evaluation.choose. It must have a value for each question. */
  metric?: string;
  onTuneStep?: (step: TuneStep) => void;
}

/** Throws what reading, splitting and fitting throw; ConfigError for a metric that has no value per question. `tuning` is absent when there was nothing to search. */
export async function autoRecipe(
  whole: Recipe,
  options: AutoOptions = {},
): Promise<{ result: RunResult; decision: AutoDecision; tuning?: TuneReport; workspace: Workspace }> {
  const recipe = withScenario(whole, options.scenario);
  const metric = options.metric ?? recipe.tune.metric ?? recipe.evaluation.choose;
  checkHasQuestions(metric);
  checkMetric(metric, recipe);
  const workspace = openWorkspace(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  const dataset = await readSource(recipe, file, options);
  const { interactions } = dataset;
  options.onTuneStep?.({ kind: "data", data: summarise(dataset) });
  const { excludeSeen } = decideExcludeSeen(recipe.evaluation, interactions);
  const part = tuningPart(recipe, dataset, { excludeSeen, allowLeaks: options.allowLeaks, metric });
  const [forTuning, forGate] = halves(part.cases, recipe.seed);
  options.onTuneStep?.({ kind: "start", metric, part: part.description, ...counts(part), numCases: forTuning.length });

  const fingerprint = await dataFingerprint(recipe, file, options);
  const facts = factsOf(part.train, dataset.features);
  const { candidates, leftOut } = candidatesFor(recipe, facts);
  const settings: SearchSettings = {
    metric,
    excludeSeen,
    sampler: recipe.tune.sampler,
    scheduler: "asha",
    seed: recipe.tune.seed ?? recipe.seed,
    fitSeed: recipe.seed,
    window: recipe.tune.window,
  };
  const items = itemContext([metric], dataset.itemProperties);
  const dataKey = {
    auto: true,
    fingerprint,
    source: { ...recipe.source, file: undefined },
    clean: recipe.clean,
    features: recipe.features,
    split: part.split,
    test: recipe.split.test,
    category: items && recipe.itemProperties?.category,
  };
  const end = performance.now() + (options.seconds ?? DEFAULT_SECONDS) * 1000;
  const tuned: ModelTuning[] = [];
  const store = await openTrialStore(join(workspace.folder, "trials.db"));
  try {
    for (const [c, { definition, label, params }] of candidates.entries()) {
      const space = modelSpace(definition, { params, narrowed: recipe.tune.space[label], hasTimestamps: facts.hasTimestamps });
      if (Object.keys(space.searched).length === 0) {
        tuned.push(asItIs(label, definition.name, params));
        continue;
      }
      const seconds = Math.max(0.001, (end - performance.now()) / 1000 / (candidates.length - c));
      const search = { label, model: definition.name, params, space, budget: { trials: options.trials ?? DEFAULT_TRIALS, seconds } };
      tuned.push(
        await searchModel(search, settings, {
          ...options,
          train: part.train,
          features: dataset.features,
          cases: forTuning,
          items,
          dataKey,
          store,
          mode: "continue",
        }),
      );
    }
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    throw new CancelledError("The search was stopped; its finished trials are kept.", {
      hint: "The same command goes on from there.",
      cause: error,
    });
  } finally {
    await store.close();
  }

  const contenders = await judgeAll(tuned, {
    metric,
    excludeSeen,
    train: part.train,
    features: dataset.features,
    cases: forGate,
    items,
    seed: recipe.seed,
    options,
  });
  const direction = directionOf(metric);
  const { champion, challenges } = chooseChampion(contenders, { direction, seed: recipe.seed });
  const decision: AutoDecision = {
    metric,
    direction,
    champion,
    candidates: tuned.map(({ label, model, best, trials }, c) => ({
      label,
      model,
      value: contenders[c].mean,
      trials: trials.length,
      params: best.params,
    })),
    leftOut,
    challenges,
    questions: forGate.length,
    reasons: [],
  };
  decision.reasons = decisionInWords(decision, { part: part.description, halved: forTuning !== forGate });
  const models = tuned.map(({ model, label, best }) => ({ name: model, label, params: { ...best.params } }));
  const best: Recipe = { ...recipe, models };
  const key = runKey(best, fingerprint, options.device);
  const result = await trainFile(best, { file, key, workspace, dataset, decision }, options);
  const tuning = searchReport(tuned, settings, {
    ...{ recipe: recipe.name, data: summarise(dataset), part: part.description, ...counts(part), numCases: forTuning.length },
    yaml: modelsYaml(best, tuned),
  });
  return { result, decision, ...(tuning ? { tuning } : {}), workspace };
}

/** The searches as `tune` reports them; undefined when no model has anything to search. */
function searchReport(
  tuned: readonly ModelTuning[],
  { metric, excludeSeen, sampler, scheduler, seed }: SearchSettings,
  facts: Pick<TuneReport, "recipe" | "data" | "part" | "trainInteractions" | "testInteractions" | "numCases" | "yaml">,
): TuneReport | undefined {
  const models = tuned.filter(({ searched }) => searched.length > 0);
  if (models.length === 0) return undefined;
  const direction = directionOf(metric);
  const skipped = tuned.filter(({ searched }) => searched.length === 0).map(({ label }) => ({ label, reason: "no parameter is searched" }));
  return { ...facts, metric, direction, excludeSeen, sampler, scheduler, seed, models, skipped, best: bestTuning(models, direction).label };
}

function checkHasQuestions(metric: string): void {
  const { of } = parseMetric(metric).metric;
  if (of === "catalogue" || of === "rating")
    throw new ConfigError(`A champion cannot be chosen by ${metric}: it has no value for each question to test differences by.`, {
      hint: "Choose by ndcg@10 or recall@10, say.",
      details: { path: "metric", got: metric },
    });
}

/** Questions to tune on and questions to compare on: the same ones when there are few. */
function halves(cases: EvaluationCase[], seed: number): [EvaluationCase[], EvaluationCase[]] {
  if (cases.length < ENOUGH_TO_HALVE) return [cases, cases];
  const shuffled = createRandom(seed).shuffle([...cases]);
  const middle = Math.floor(cases.length / 2);
  return [shuffled.slice(0, middle), shuffled.slice(middle)];
}

function counts({ trainInteractions, testInteractions }: { trainInteractions: number; testInteractions: number }) {
  return { trainInteractions, testInteractions };
}

/** A model with nothing to search. */
function asItIs(label: string, model: string, params: Record<string, unknown>): ModelTuning {
  const best = { number: 0, params, value: Number.NaN };
  const none = { searched: [], resumed: 0, complete: 0, pruned: 0, failed: 0, importance: [], trials: [], seconds: 0 };
  return { label, model, study: "", stoppedBy: "space", best, ...none };
}

interface JudgeAll {
  metric: string;
  excludeSeen: boolean;
  train: Interactions;
  features: SideFeatures;
  cases: EvaluationCase[];
  items?: ItemContext;
  seed: number;
  options: AutoOptions;
}

/** The tuned models on the questions of the comparison. */
async function judgeAll(
  tuned: readonly ModelTuning[],
  { metric, excludeSeen, train, features, cases, items, seed, options }: JudgeAll,
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const { label, model, best } of tuned) {
    const { threads, device, signal, onProgress } = options;
    const { userFeatures, itemFeatures } = features;
    const fitted = await fit(
      model,
      train,
      { ...best.params },
      { userFeatures, itemFeatures, seed, threads, device, signal, onProgress: (p) => onProgress?.({ ...p, stage: `comparing ${label}` }) },
    );
    try {
      const values = (await judgeCases(fitted, cases, { metrics: [metric], excludeSeen, context: items, signal })).values[metric];
      contenders.push({ label, values, mean: values.reduce((sum, value) => sum + value, 0) / values.length });
    } finally {
      fitted.dispose();
    }
  }
  return contenders;
}
