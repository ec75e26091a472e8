/**
 * The use case "refit": new data came, and the saved models are brought up to date without a full retrain where they can be.
 * Old ids keep their indexes, new ones stand behind them. The others are trained in full, each with the reason; all are judged
 * and saved as `train` does.
 */
import { ModelFormatError, NotFoundError } from "../core/errors.js";
import type { Csr, Interactions } from "../core/interactions.js";
import { Interactions as InteractionsOf } from "../data/interactions.js";
import { alignInteractions } from "../data/splits.js";
import { getModel, refit } from "../models/registry.js";
import type { Recommender } from "../ranking/recommender.js";
import { type FitOptions, type Fitting, fitLabelled, labelledProgress, type RecipeModel } from "./fitting.js";
import { dataFingerprint, type RecipeData, readSource, sourceFile } from "./prepare-data.js";
import type { Recipe } from "./recipe/recipe.js";
import type { RefitNote, RunOptions, RunResult } from "./run-result.js";
import { runKey, trainWith } from "./train.js";
import { latestRun, openWorkspace, type Workspace } from "./workspace.js";

/**
 * Brings the models of the latest run of a recipe up to date with its data as it is now. Throws NotFoundError when nothing was
 * trained for the recipe yet. Cut off at any point, it leaves earlier results and models as they were.
 */
export async function refitRecipe(recipe: Recipe, options: RunOptions = {}): Promise<RunResult> {
  const workspace = openWorkspace(options.workspace, recipe.name);
  const { result: earlier } = await latestRun(options.workspace, recipe.name);
  const file = await sourceFile(recipe, workspace, options);
  const key = runKey(recipe, await dataFingerprint(recipe, file, options), options.device);
  await workspace.clean();
  const fitting = refitting(earlier, workspace, { ...options, seed: recipe.seed });
  try {
    const dataset = await fitting.align(await readSource(recipe, file, options));
    return await trainWith(recipe, { dataset, key, workspace, fitting }, options);
  } finally {
    fitting.dispose();
  }
}

interface Refitting extends Fitting {
  /** The data over the ids of the earlier models and new ones behind them. */
  align(dataset: RecipeData): Promise<RecipeData>;
  dispose(): void;
}

/** Refits each model from its saved version; one of them is in memory at a time. */
function refitting(earlier: RunResult, workspace: Workspace, options: FitOptions & Pick<RunOptions, "onStep">): Refitting {
  const { threads, device, signal, onProgress, onStep, seed } = options;
  let loaded: { label: string; model: Recommender | { reason: string } } | undefined;
  const told = new Set<string>();

  const load = async ({ label, name, params }: RecipeModel): Promise<Recommender | { reason: string }> => {
    const before = earlier.models.find((result) => result.label === label);
    if (!before) return { reason: "it is new in the recipe" };
    if (before.model !== name || !sameParams(before.params, params)) return { reason: "its parameters are other ones than before" };
    const { partialRefit } = getModel(name);
    if ("unavailable" in partialRefit) return { reason: partialRefit.unavailable };
    try {
      return (await workspace.models.load(label, { version: before.version, threads })).model;
    } catch (error) {
      if (error instanceof ModelFormatError || error instanceof NotFoundError)
        return { reason: `its saved version is damaged (${error.message})` };
      throw error;
    }
  };
  const dispose = () => {
    if (loaded && "fitted" in loaded.model) loaded.model.dispose();
    loaded = undefined;
  };
  const earlierModel = async (model: RecipeModel) => {
    if (loaded?.label !== model.label) {
      dispose();
      loaded = { label: model.label, model: await load(model) };
    }
    return loaded!.model;
  };
  const tell = (note: RefitNote) => {
    const key = JSON.stringify(note);
    if (!told.has(key)) onStep?.({ kind: "refit", ...note });
    told.add(key);
  };

  return {
    dispose,

    async align(dataset) {
      for (const { label, version } of earlier.models) {
        try {
          return alignWith((await workspace.models.load(label, { version, threads: 1 })).model, dataset);
        } catch (error) {
          if (!(error instanceof ModelFormatError || error instanceof NotFoundError)) throw error; // the next one has the same ids
        }
      }
      return dataset; // nothing can be refitted, and each model says why
    },

    async fit(model, input) {
      const { data, features, part, draw = 0 } = input;
      const before = await earlierModel(model);
      const { label } = model;
      const inFull = (reason: string) => {
        tell({ label, part, inFull: reason });
        return fitLabelled(model, input, options);
      };
      if ("reason" in before) return inFull(before.reason);
      if (part !== undefined && !within(before.seen, data.matrixByUser()))
        return inFull("the earlier model has learned from events of this part");
      const { partialRefit } = getModel(model.name);
      tell({ label, part, how: "how" in partialRefit ? partialRefit.how : "" });
      return refit(before, data, {
        userFeatures: features.userFeatures,
        itemFeatures: features.itemFeatures,
        seed: seed + draw,
        threads,
        device,
        signal,
        onProgress: labelledProgress(`refitting ${label}`, onProgress),
      });
    },

    refittedFrom: (label) =>
      loaded?.label === label && "fitted" in loaded.model ? earlier.models.find((result) => result.label === label)?.version : undefined,
  };
}

/** Events over the ids of `model` first, in their order; what the file no longer has keeps its place without events. */
function alignWith({ users, items }: Recommender, dataset: RecipeData): RecipeData {
  const old = InteractionsOf.fromArrays({ userIndex: [], itemIndex: [], users, items });
  const parts = (dataset.folds ?? []).flatMap(({ train, test }) => [train, test]);
  const [, interactions, ...aligned] = alignInteractions([old, dataset.interactions, ...parts]);
  const folds = dataset.folds?.map((fold, f) => ({ ...fold, train: aligned[2 * f], test: aligned[2 * f + 1] }));
  const features = dataset.features.alignedTo(interactions.users, interactions.items);
  return { ...dataset, interactions, folds, features, itemProperties: alignProperties(dataset, interactions) };
}

function alignProperties({ itemProperties, interactions }: RecipeData, aligned: Interactions): RecipeData["itemProperties"] {
  const from = Int32Array.from({ length: aligned.numItems }, (_, item) => interactions.items.indexOf(aligned.items.idOf(item)));
  return Object.fromEntries(
    Object.entries(itemProperties).map(([name, values]) => [name, Array.from(from, (item) => (item < 0 ? null : values[item]))]),
  );
}

/** Whether every pair of `old` is in `now`, with at least its weight. Rows of `now` begin with those of `old`. */
function within(old: Csr, now: Csr): boolean {
  for (let row = 0; row < old.numRows; row++) {
    let at = now.offsets[row];
    const end = now.offsets[row + 1];
    for (let e = old.offsets[row]; e < old.offsets[row + 1]; e++) {
      while (at < end && now.indices[at] < old.indices[e]) at++;
      if (at === end || now.indices[at] !== old.indices[e] || now.values[at] < old.values[e]) return false;
    }
  }
  return true;
}

function sameParams(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const text = (params: typeof a) => JSON.stringify(Object.entries(params).sort(([x], [y]) => (x < y ? -1 : 1)));
  return text(a) === text(b);
}
