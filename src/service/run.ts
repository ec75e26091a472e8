/**
 * The use case "run": trains a recipe, or takes the result of an earlier run when recipe, data and version of the
 * package are the same and its models are undamaged, and gives the service that answers from it.
 */
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ModelFormatError, NotFoundError } from "../core/errors.js";
import type { Progress } from "../core/model.js";
import { hasItemVectors } from "../ranking/rankers.js";
import { ioErrors } from "../store/durable-files.js";
import { sha256 } from "../store/manifest.js";
import { loadItemProperties } from "../store/model-folder.js";
import { directionOf } from "../tuning/model-objective.js";
import { type IndexReport, openApproximateIndex } from "./approximate-index.js";
import { dataFingerprint, sourceFile } from "./prepare-data.js";
import type { Recipe } from "./recipe/recipe.js";
import { servingOf } from "./recipe/route-check.js";
import { createRecommendService } from "./recommend.js";
import type { LoadedModel, RecommendService } from "./recommend-service.js";
import type { RunOptions, RunResult } from "./run-result.js";
import { runKey, trainFile } from "./train.js";
import { openWorkspace, type Workspace } from "./workspace.js";

export interface RecipeRun {
  result: RunResult;
  workspace: Workspace;
  /** True when nothing had to be trained. */
  reused: boolean;
}

/** Runs a recipe. With `fresh`, or when rejected rows or training curves are to be written, an earlier result is not used. */
export async function runRecipe(recipe: Recipe, options: RunOptions = {}): Promise<RecipeRun> {
  const workspace = openWorkspace(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  const key = runKey(recipe, await dataFingerprint(recipe, file, options), options.device);
  const anew = options.fresh || options.rejectsFile !== undefined || options.tensorboard !== undefined;
  const earlier = anew ? undefined : await workspace.readRun(key);
  const damage = earlier && (await damageOf(earlier, workspace, options.signal));
  if (earlier && !damage) return { result: await servedAs(recipe, earlier, workspace), workspace, reused: true };
  if (damage) options.onStep?.({ kind: "again", reason: damage });
  return { result: await trainFile(recipe, { file, key, workspace }, options), workspace, reused: false };
}

/** An earlier result with what the recipe says about serving now, which is no part of its key. */
async function servedAs({ serve }: Recipe, earlier: RunResult, workspace: Workspace): Promise<RunResult> {
  const serving = servingOf(serve);
  if (JSON.stringify(serving) === JSON.stringify(earlier.serving)) return earlier;
  const result = { ...earlier, serving };
  await workspace.writeRun(result);
  return result;
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

export interface ServeRunOptions {
  /** Default: the recipe's `serve.model`, else the champion, else the best of those that can be loaded. */
  defaultModel?: string;
  /** Load this model alone. */
  only?: string;
  threads?: number;
  /** Told of each model that is left out because its files are damaged or gone. */
  onSkipped?: (label: string, reason: string) => void;
  /** Answer from an approximate index where the recipe wants one (`serve.index`). Default false: by the exact scan. */
  approximate?: boolean;
  /** Told of each model that does, and how good its index is; undefined: it has no vectors and answers by the exact scan. */
  onIndex?: (label: string, report: IndexReport | undefined) => void;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/**
 * The service that answers from the models of a run. One that is damaged is left out while others remain; throws
 * ModelFormatError or NotFoundError when none does, or when it is the one asked for by name.
 */
export async function serveRun(
  { result, workspace }: Pick<RecipeRun, "result" | "workspace">,
  { defaultModel, only, threads, onSkipped, approximate, onIndex, signal, onProgress }: ServeRunOptions = {},
): Promise<RecommendService> {
  const models: LoadedModel[] = [];
  let itemProperties: Awaited<ReturnType<typeof loadItemProperties>>;
  let damage: unknown;
  for (const { label, version } of result.models) {
    if (only !== undefined && label !== only) continue;
    try {
      const { model, manifest, folder } = await workspace.models.load(label, { version, threads });
      itemProperties ??= await loadItemProperties(folder);
      const index = approximate ? result.serving?.index : undefined;
      if (index && hasItemVectors(model.fitted)) {
        const file = await indexFile(workspace, label, `${manifest.version}-${sha256(Buffer.from(JSON.stringify(index))).slice(0, 8)}`);
        onIndex?.(label, await openApproximateIndex(model, index, { file, signal, onProgress }));
      } else if (index) onIndex?.(label, undefined);
      models.push({ name: label, version: manifest.version, model, metrics: manifest.metrics, createdAt: manifest.createdAt });
    } catch (error) {
      if (!(error instanceof ModelFormatError || error instanceof NotFoundError) || label === defaultModel) throw error;
      damage = error;
      onSkipped?.(label, error.message);
    }
  }
  if (models.length === 0 && damage) throw damage;
  const labels = models.map(({ name }) => name);
  const usual = [result.serving?.model, result.champion].find((label) => label !== undefined && labels.includes(label));
  return createRecommendService({
    models,
    defaultModel: defaultModel ?? usual ?? bestModel(result, labels),
    itemProperties,
    aliases: result.serving?.aliases,
    excludeSeen: result.excludeSeen,
  });
}

/** Where the index of a version of a model is kept; those of its other versions are removed. */
async function indexFile({ folder }: Workspace, label: string, version: string): Promise<string> {
  const own = join(folder, "indexes", label);
  const file = join(own, `${version}.usearch`);
  for (const other of existsSync(own) ? await readdir(own) : [])
    if (!other.startsWith(`${version}.usearch`)) await ioErrors("remove", join(own, other), () => rm(join(own, other)));
  return file;
}

/** The best of some models by the metric that chose the champion; the first where nothing was judged. */
function bestModel({ models, parts, chosenBy }: RunResult, labels: readonly string[]): string | undefined {
  const part = parts[0]?.name;
  const sign = part !== undefined && directionOf(chosenBy) === "minimize" ? -1 : 1;
  const value = ({ metrics }: RunResult["models"][number]) => {
    const figure = part && metrics[part]?.[chosenBy];
    return figure === undefined || Number.isNaN(figure) ? -Number.MAX_VALUE : sign * figure;
  };
  return models.filter(({ label }) => labels.includes(label)).sort((a, b) => value(b) - value(a))[0]?.label;
}
