/**
 * Searches over the parameters of models on one held-out part, each with its study in the trial store.
 * The common half of tune.ts (a recipe's models) and auto.ts (candidates that suit the data).
 */
import { ConfigError } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { Progress, SideFeatures } from "../../core/model.js";
import { defaultThreads } from "../../core/threads.js";
import type { Trial, TrialParams, TrialStore } from "../../core/trials.js";
import type { EvaluationCase } from "../../evaluation/evaluate.js";
import { getModel } from "../../models/registry.js";
import { sha256 } from "../../store/manifest.js";
import { tastemakerVersion } from "../../store/version.js";
import { importanceOf } from "../../tuning/importance.js";
import { directionOf, modelObjective } from "../../tuning/model-objective.js";
import { repairFor } from "../../tuning/model-space.js";
import { gridSampler, randomSampler, type Sampler, sobolSampler } from "../../tuning/sampler.js";
import { ashaScheduler, medianScheduler, noScheduler, type Scheduler } from "../../tuning/scheduler.js";
import type { SearchSpace } from "../../tuning/search-space.js";
import { tpeSampler } from "../../tuning/tpe.js";
import { trialOrder, tune } from "../../tuning/tune.js";
import type { ItemContext } from "../recipe/recipe-metrics.js";
import type { ModelTuning, TuneStep } from "./tune-result.js";

export type SamplerName = "grid" | "random" | "sobol" | "tpe";
export type SchedulerName = "none" | "median" | "asha";

export const samplers: Record<SamplerName, () => Sampler> = {
  grid: () => gridSampler(),
  random: () => randomSampler,
  sobol: () => sobolSampler,
  tpe: () => tpeSampler(),
};

export const schedulers: Record<SchedulerName, () => Scheduler> = {
  none: () => noScheduler,
  median: () => medianScheduler(),
  asha: () => ashaScheduler(),
};

export interface SearchSettings {
  metric: string;
  excludeSeen: boolean;
  sampler: SamplerName;
  scheduler: SchedulerName;
  /** Of the search. */
  seed: number;
  /** Of every fit. */
  fitSeed: number;
  window: number;
}

export interface ModelSearch {
  label: string;
  model: string;
  /** Tried first. */
  params: TrialParams;
  space: SearchSpace;
  budget: { trials?: number; seconds?: number };
}

export interface SearchContext {
  train: Interactions;
  features: SideFeatures;
  cases: readonly EvaluationCase[];
  /** Events that metrics of predicted ratings judge. */
  test?: Interactions;
  /** What the metric needs of the items. */
  items?: ItemContext;
  /** What decides the data and its split; goes into the id of a study. */
  dataKey: unknown;
  store: TrialStore;
  /** `fresh` forgets earlier trials, `resume` wants some, `continue` takes what is there. */
  mode: "continue" | "resume" | "fresh";
  threads?: number;
  device?: string;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  onTuneStep?: (step: TuneStep) => void;
}

/** Throws what `tune` throws; ConfigError when there is nothing to resume. */
export async function searchModel(search: ModelSearch, settings: SearchSettings, context: SearchContext): Promise<ModelTuning> {
  const { label, model, params, space, budget } = search;
  const { metric, seed, window } = settings;
  const { store, mode, signal, onProgress, onTuneStep, train, features, cases, test } = context;
  const { userFeatures, itemFeatures } = features;
  const start = performance.now();
  const repair = repairFor(getModel(model), space, params);
  const first = settings.sampler === "grid" ? undefined : repair({ ...params, ...space.fixed });
  const initial = first ? [first] : [];
  const described = { model, space: plain(space), initial, ...settings };
  const study = sha256(Buffer.from(JSON.stringify({ tastemakerVersion, ...described, data: context.dataKey }))).slice(0, 16);
  if (mode === "fresh") await store.deleteStudy(study);
  const resumed = (await store.listTrials(study)).length;
  if (mode === "resume" && resumed === 0)
    throw new ConfigError(`There is no search of ${label} with these settings to go on with.`, {
      hint: "Run it without --resume; data, models, metric, sampler, scheduler, seed and space must be the same.",
    });
  await store.putStudy({ id: study, settings: { label, ...described }, createdAt: new Date().toISOString() });
  const searched = Object.keys(space.searched);
  onTuneStep?.({ kind: "study", label, searched, resumed });

  const threads = context.threads ?? defaultThreads();
  const concurrency = Math.min(window, threads);
  const direction = directionOf(metric);
  const tell = (trials: readonly Trial[], best: Trial | undefined, total: number | undefined) =>
    onProgress?.({
      stage: `tuning ${label}`,
      done: trials.length,
      total: total ?? Math.max(trials.length, 1),
      note: progressNote(trials, best, metric),
    });
  const result = await tune({
    space,
    objective: modelObjective({
      model,
      train,
      cases,
      test,
      metric,
      excludeSeen: settings.excludeSeen,
      context: context.items,
      seed: settings.fitSeed,
      threads: Math.max(1, Math.floor(threads / concurrency)),
      device: context.device,
      userFeatures,
      itemFeatures,
    }),
    direction,
    sampler: samplers[settings.sampler](),
    scheduler: schedulers[settings.scheduler](),
    seed,
    budget,
    window,
    concurrency,
    initial,
    repair,
    store,
    study,
    signal,
    onTrial({ trials, trial, best, total }) {
      onTuneStep?.({ kind: "trial", label, metric, trial, best });
      tell(trials, best, total);
    },
  });
  const count = (state: Trial["state"]) => result.trials.filter((trial) => trial.state === state).length;
  const { number, params: bestParams, value } = result.best;
  return {
    label,
    model,
    study,
    searched,
    stoppedBy: result.stoppedBy,
    resumed,
    complete: count("complete"),
    pruned: count("pruned"),
    failed: count("failed"),
    best: { number, params: bestParams, value: value! },
    ...(initial.length > 0 && result.trials[0]?.state === "complete" ? { start: result.trials[0].value } : {}),
    importance: importanceOf([...result.trials].sort(trialOrder(direction)), searched),
    trials: result.trials,
    seconds: (performance.now() - start) / 1000,
  };
}

function progressNote(trials: readonly Trial[], best: Trial | undefined, metric: string): string {
  const pruned = trials.filter(({ state }) => state === "pruned").length;
  const failed = trials.filter(({ state }) => state === "failed").length;
  return [
    best && `best ${metric} ${best.value!.toFixed(4)} (trial ${best.number})`,
    pruned > 0 && `${pruned} stopped early`,
    failed > 0 && `${failed} failed`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** A space without undefined, which JSON does not know: null = the parameter is left out. */
function plain({ searched, fixed }: SearchSpace): unknown {
  return JSON.parse(JSON.stringify({ searched, fixed }, (_, value) => (value === undefined ? null : value)));
}
