/**
 * The use case "run": trains a recipe, or takes the result of an earlier run when recipe, data and version of the
 * package are the same and its models are undamaged, and gives the service that answers from it.
 */
import { join } from "node:path";
import { ModelFormatError, NotFoundError } from "../core/errors.js";
import { loadItemProperties } from "../store/model-folder.js";
import { dataFingerprint, sourceFile } from "./prepare-data.js";
import type { Recipe } from "./recipe/recipe.js";
import { createRecommendService, type LoadedModel, type RecommendService } from "./recommend.js";
import type { RunOptions, RunResult } from "./run-result.js";
import { runKey, trainFile } from "./train.js";
import { openWorkspace, type Workspace } from "./workspace.js";

export interface RecipeRun {
  result: RunResult;
  workspace: Workspace;
  /** True when nothing had to be trained. */
  reused: boolean;
}

/** Runs a recipe. With `fresh`, or when rejected rows are to be written, an earlier result is not used. */
export async function runRecipe(recipe: Recipe, options: RunOptions = {}): Promise<RecipeRun> {
  const workspace = openWorkspace(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  const key = runKey(recipe, await dataFingerprint(recipe, file, options));
  const earlier = options.fresh || options.rejectsFile !== undefined ? undefined : await workspace.readRun(key);
  const damage = earlier && (await damageOf(earlier, workspace, options.signal));
  if (earlier && !damage) return { result: earlier, workspace, reused: true };
  if (damage) options.onStep?.({ kind: "again", reason: damage });
  return { result: await trainFile(recipe, { file, key, workspace }, options), workspace, reused: false };
}

/** What is wrong with the saved models of a result, or undefined when every byte is as it was written. */
async function damageOf({ models }: RunResult, workspace: Workspace, signal?: AbortSignal): Promise<string | undefined> {
  try {
    for (const { label, version } of models) await workspace.models.verify(label, version!, signal);
  } catch (error) {
    if (error instanceof ModelFormatError || error instanceof NotFoundError) return error.message;
    throw error;
  }
  return undefined;
}

/** The service that answers from the models of a run; its default model is `defaultModel` or the champion. */
export async function serveRun(
  { result, workspace }: Pick<RecipeRun, "result" | "workspace">,
  { defaultModel = result.champion, only, threads }: { defaultModel?: string; only?: string; threads?: number } = {},
): Promise<RecommendService> {
  const models: LoadedModel[] = [];
  for (const { label, version } of result.models) {
    if (only !== undefined && label !== only) continue;
    const { model, manifest } = await workspace.models.load(label, { version, threads });
    models.push({ name: label, version: manifest.version, model, metrics: manifest.metrics, createdAt: manifest.createdAt });
  }
  const [first] = result.models;
  const itemProperties = await loadItemProperties(join(workspace.models.root, first.label, first.version!));
  return createRecommendService({ models, defaultModel, itemProperties, excludeSeen: result.excludeSeen });
}
