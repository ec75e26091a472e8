/**
 * The use case "train": judges every model of a recipe on held-out data, fits it again on all data, saves it as a new
 * version, and names the champion. The result is written last; until then an earlier result stays in force, and the next equal
 * training goes on from what an interrupted one had done.
 */
import { CancelledError, ModelFormatError, NotFoundError, throwIfCancelled } from "../core/errors.js";
import { getModel } from "../models/registry.js";
import { openDevice } from "../nn/device.js";
import { sha256 } from "../store/manifest.js";
import { tastemakerVersion } from "../store/version.js";
import { evaluateDataset } from "./evaluate.js";
import type { Fitting, RecipeModel } from "./fitting.js";
import { dataFingerprint, type RecipeData, readSource, sourceFile } from "./prepare-data.js";
import type { Recipe } from "./recipe/recipe.js";
import { servingOf } from "./recipe/route-check.js";
import type { Evaluation, RunOptions, RunResult } from "./run-result.js";
import { openUnfinished } from "./unfinished.js";
import { openWorkspace, type Workspace } from "./workspace.js";

/** Versions kept of each model. */
const KEEP_VERSIONS = 3;

/** Trains a recipe, whatever was trained before. Cut off at any point, it leaves earlier results and models as they were. */
export async function trainRecipe(recipe: Recipe, options: RunOptions = {}): Promise<RunResult> {
  const workspace = openWorkspace(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  return trainFile(recipe, { file, key: runKey(recipe, await dataFingerprint(recipe, file, options), options.device), workspace }, options);
}

/**
 * What a run depends on, as one short fingerprint: package version, recipe without its serving and tuning parts, data, and the device
 * where it is not the CPU.
 */
export function runKey({ name, title, serve, folder, tune, ...recipe }: Recipe, dataFingerprint: string, device?: string): string {
  const source = { ...recipe.source, file: undefined };
  return sha256(
    Buffer.from(JSON.stringify({ tastemakerVersion, ...recipe, source, dataFingerprint, device: device === "cpu" ? undefined : device })),
  ).slice(0, 16);
}

export interface TrainInput {
  file: string;
  key: string;
  workspace: Workspace;
  /** What `file` holds, where it was read already. */
  dataset?: RecipeData;
  /** Who is champion and why, where that was decided before. */
  decision?: RunResult["decision"];
}

/** The part of `trainRecipe` after the source was found. */
export async function trainFile(
  recipe: Recipe,
  { file, key, workspace, dataset: read, decision }: TrainInput,
  options: RunOptions,
): Promise<RunResult> {
  await checkNeeds(recipe, options);
  await workspace.clean();
  const dataset = read ?? (await readSource(recipe, file, options));
  const unfinished = await openUnfinished({ ...options, folder: workspace.folder, key, seed: recipe.seed });
  try {
    const result = await trainWith(recipe, { key, workspace, decision, dataset, fitting: unfinished }, options);
    await unfinished.done();
    return result;
  } catch (error) {
    if (!(error instanceof CancelledError && unfinished.kept())) throw error;
    throw new CancelledError("The training was cancelled; what it had done is kept.", {
      hint: "The same command goes on from there; --fresh starts anew.",
      cause: error,
    });
  }
}

/** Fails before the data is read where a model's optional package or device is missing. */
async function checkNeeds({ models }: Recipe, { device }: RunOptions): Promise<void> {
  if (models.some(({ name }) => getModel(name).needs === "onnxruntime")) await openDevice(device);
}

export interface TrainWithInput extends Pick<TrainInput, "key" | "workspace" | "decision"> {
  dataset: RecipeData;
  fitting: Fitting;
}

/** The part of a training after reading: judges, fits on all data, saves, and writes the result last. */
export async function trainWith(recipe: Recipe, input: TrainWithInput, options: RunOptions): Promise<RunResult> {
  const { dataset, fitting, workspace, key, decision } = input;
  const { signal } = options;
  const evaluation = await evaluateDataset(recipe, dataset, options, fitting);
  for (const [m, result] of evaluation.models.entries()) {
    throwIfCancelled(signal);
    const { label } = result;
    result.version = await intactVersion(workspace, label, fitting.savedVersion?.(label), signal);
    result.version ??= await fitAndSave(recipe, recipe.models[m], { ...input, evaluation, signal });
    const refittedFrom = fitting.refittedFrom?.(label);
    if (refittedFrom !== undefined) result.refittedFrom = refittedFrom;
    await fitting.keepSaved?.(label, result.version);
  }
  throwIfCancelled(signal);
  const result: RunResult = {
    key,
    recipe: recipe.name,
    title: recipe.title ?? recipe.name,
    createdAt: new Date().toISOString(),
    ...evaluation,
    champion: decision?.champion ?? evaluation.champion ?? evaluation.models[0].label,
    ...(decision ? { decision } : {}),
    serving: servingOf(recipe.serve),
  };
  for (const { label, version } of result.models) await workspace.models.activate(label, version!);
  await workspace.writeRun(result);
  for (const { label } of result.models) await workspace.models.prune(label, { keep: KEEP_VERSIONS });
  return result;
}

/** A version that was saved before an interruption, when every byte of it is as it was written. */
async function intactVersion(
  { models }: Workspace,
  label: string,
  version: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (version === undefined) return undefined;
  try {
    await models.verify(label, version, signal);
    return version;
  } catch (error) {
    if (error instanceof ModelFormatError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

interface SaveInput extends TrainWithInput {
  evaluation: Evaluation;
  signal: AbortSignal | undefined;
}

/** Fits a model on all data and publishes it; its version. */
async function fitAndSave(
  recipe: Recipe,
  model: RecipeModel,
  { dataset, evaluation, workspace, fitting, signal }: SaveInput,
): Promise<string> {
  const { metrics } = evaluation.models.find(({ label }) => label === model.label)!;
  const fitted = await fitting.fit(model, { data: dataset.interactions, features: dataset.features });
  try {
    const { version } = await workspace.models.publish(fitted, {
      name: model.label,
      metrics: metrics[evaluation.parts[0]?.name],
      seed: recipe.seed,
      dataFingerprint: dataset.report.sha256,
      refittedFrom: fitting.refittedFrom?.(model.label),
      itemProperties: Object.keys(dataset.itemProperties).length > 0 ? dataset.itemProperties : undefined,
      signal,
    });
    return version;
  } finally {
    fitted.dispose();
  }
}
