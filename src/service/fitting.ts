/**
 * How the models of a recipe come to be fitted: plainly, going on from an interrupted training (`unfinished.ts`), or by a partial
 * refit of earlier ones (`refit.ts`). Evaluation and training ask a `Fitting` and need not know.
 */
import type { Interactions } from "../core/interactions.js";
import type { Checkpoint, Progress, SideFeatures } from "../core/model.js";
import { fit } from "../models/registry.js";
import type { Recommender } from "../ranking/recommender.js";
import { openCurves } from "./curves.js";
import type { ComparableValues } from "./evaluation/judge-part.js";
import type { PartSummary } from "./evaluation/part.js";
import type { Recipe } from "./recipe/recipe.js";
import type { ModelResult, RunOptions } from "./run-result.js";

export type RecipeModel = Recipe["models"][number];

export type FitOptions = Pick<RunOptions, "threads" | "device" | "signal" | "onProgress" | "tensorboard"> & { seed: number };

export interface FitInput {
  data: Interactions;
  features: SideFeatures;
  /** The held-out part of which `data` is the train side; absent: all data. */
  part?: PartSummary["name"];
  /** From 1, where the part has several folds. */
  fold?: number;
  /** Added to the seed: the number of the draw. Default 0. */
  draw?: number;
}

export interface JudgedModel {
  /** Scenario by scenario. */
  results: readonly ModelResult[];
  /** For each of them the metric that models are compared by, case by case; for recipes with a baseline. */
  values?: readonly ReadonlyMap<PartSummary["name"], ComparableValues>[];
}

export interface Fitting {
  fit(model: RecipeModel, input: FitInput): Promise<Recommender>;
  /** What judging a model gave before an interruption. */
  judged?(label: string): JudgedModel | undefined;
  /** Told of each model that was judged, in all its scenarios. */
  keepJudged?(judged: JudgedModel): Promise<void>;
  /** The version under which a model was saved before the interruption. */
  savedVersion?(label: string): string | undefined;
  /** Told of each model that was fitted on all data and saved. */
  keepSaved?(label: string, version: string): Promise<void>;
  /** The version that the last fit on all data of a model went on from. */
  refittedFrom?(label: string): string | undefined;
}

/** Every model from scratch. */
export function plainFitting(options: FitOptions): Fitting {
  return { fit: (model, input) => fitLabelled(model, input, options) };
}

/** Fits one model of a recipe; progress carries its label. Curves go to the folder `tensorboard`, where one is given. */
export async function fitLabelled(
  { name, label, params }: RecipeModel,
  { data, features: { userFeatures, itemFeatures }, part, fold, draw = 0 }: FitInput,
  { threads, device, signal, onProgress, seed, checkpoint, tensorboard }: FitOptions & { checkpoint?: Checkpoint },
): Promise<Recommender> {
  const labelled = labelledProgress(`training ${label}`, onProgress);
  const curves = tensorboard === undefined ? undefined : openCurves({ folder: tensorboard, label, model: name, part, fold });
  const tell = (progress: Progress) => {
    curves?.take(progress);
    labelled?.(progress);
  };
  const settings = {
    seed: seed + draw,
    threads,
    device,
    signal,
    checkpoint,
    onProgress: curves ? tell : labelled,
    userFeatures,
    itemFeatures,
  };
  try {
    return await fit(name, data, params, settings);
  } finally {
    await curves?.close();
  }
}

/** Progress under another stage. */
export function labelledProgress(stage: string, onProgress: RunOptions["onProgress"]): RunOptions["onProgress"] {
  return onProgress && ((progress) => onProgress({ ...progress, stage }));
}
