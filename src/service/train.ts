/**
 * The use case "train": judges every model of a recipe on held-out data, fits it again on all data, saves it as a new
 * version, and names the champion. The result is written last; until then an earlier result stays in force.
 */
import { throwIfCancelled } from "../core/errors.js";
import { sha256 } from "../store/manifest.js";
import { tastemakerVersion } from "../store/version.js";
import { evaluateDataset, fitLabelled } from "./evaluate.js";
import { dataFingerprint, type RecipeData, readSource, sourceFile } from "./prepare-data.js";
import type { Recipe } from "./recipe/recipe.js";
import type { RunOptions, RunResult } from "./run-result.js";
import { openWorkspace, type Workspace } from "./workspace.js";

/** Versions kept of each model. */
const KEEP_VERSIONS = 3;

/** Trains a recipe from scratch. Cut off at any point, it leaves earlier results and models as they were. */
export async function trainRecipe(recipe: Recipe, options: RunOptions = {}): Promise<RunResult> {
  const workspace = openWorkspace(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  return trainFile(recipe, { file, key: runKey(recipe, await dataFingerprint(recipe, file, options)), workspace }, options);
}

/** What a run depends on, as one short fingerprint: package version, recipe without its serving and tuning parts, and data. */
export function runKey({ name, title, serve, folder, tune, ...recipe }: Recipe, dataFingerprint: string): string {
  const source = { ...recipe.source, file: undefined };
  return sha256(Buffer.from(JSON.stringify({ tastemakerVersion, ...recipe, source, dataFingerprint }))).slice(0, 16);
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
  const { signal } = options;
  await workspace.clean();
  const dataset = read ?? (await readSource(recipe, file, options));
  const evaluation = await evaluateDataset(recipe, dataset, options);
  for (const [m, result] of evaluation.models.entries()) {
    throwIfCancelled(signal);
    const model = await fitLabelled(recipe.models[m], dataset.interactions, { ...options, seed: recipe.seed });
    try {
      const metrics = result.metrics[evaluation.parts[0]?.name];
      const { version } = await workspace.models.publish(model, {
        name: result.label,
        metrics,
        seed: recipe.seed,
        dataFingerprint: dataset.report.sha256,
        itemProperties: Object.keys(dataset.itemProperties).length > 0 ? dataset.itemProperties : undefined,
        signal,
      });
      result.version = version;
    } finally {
      model.dispose();
    }
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
  };
  for (const { label, version } of result.models) await workspace.models.activate(label, version!);
  await workspace.writeRun(result);
  for (const { label } of result.models) await workspace.models.prune(label, { keep: KEEP_VERSIONS });
  return result;
}
