/**
 * From a recipe to data: where its source lies, its fingerprint, reading and cleaning, and the held-out parts.
 * Called by evaluate, train and run.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { CancelledError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import { type Dataset, readDataset } from "../data/readers/read-dataset.js";
import { split } from "../data/splits.js";
import { ioErrors } from "../store/durable-files.js";
import { createDemoOrders } from "./demo-shop.js";
import { type Recipe, resolveSourceFile } from "./recipe.js";
import { resolveSplit } from "./recipe-split.js";
import type { DataSummary, PartSummary, RunOptions } from "./run-result.js";
import type { Workspace } from "./workspace.js";

/** The file that a recipe reads; a generator's is written into the workspace first. */
export async function sourceFile(recipe: Recipe, workspace: Workspace, { dataFolder, signal, onProgress }: RunOptions): Promise<string> {
  const { file, generator } = recipe.source;
  if (file !== undefined) return resolveSourceFile(file, { recipeFolder: recipe.folder, dataFolder });
  onProgress?.({ stage: "making the demo shop", done: 0, total: 1 });
  const orders = createDemoOrders({ ...generator, signal });
  const path = await workspace.dataFile("orders.csv", orders);
  onProgress?.({ stage: "making the demo shop", done: 1, total: 1 });
  return path;
}

/** sha256 of a file, read in a stream. */
export async function fileFingerprint(file: string, signal?: AbortSignal): Promise<string> {
  return ioErrors("read", file, async () => {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
      if (signal?.aborted) throw new CancelledError();
      hash.update(chunk as Buffer);
    }
    return hash.digest("hex");
  });
}

/** Reads and cleans the source as the recipe says. */
export async function readSource(recipe: Recipe, file: string, { rejectsFile, threads, signal, onProgress }: RunOptions): Promise<Dataset> {
  const { file: _, generator: __, ...source } = recipe.source;
  const { drop, keepUnknownUsers, weightDefault } = recipe.clean;
  const { itemProperties } = recipe;
  return readDataset(file, { ...source, drop, keepUnknownUsers, weightDefault, itemProperties, rejectsFile, threads, signal, onProgress });
}

export function summarise({ interactions, report }: Dataset): DataSummary {
  const { numUsers, numItems, numInteractions } = interactions;
  return { numUsers, numItems, numInteractions, report };
}

export interface Part extends PartSummary {
  train: Interactions;
  test: Interactions;
  /** For held-out users: the part of their events that is shown to the model. */
  given?: Interactions;
}

/**
 * The held-out parts, the one that decides first: the test part is cut off all data, the validation part off what
 * then remains. None when the recipe has no split.
 */
export function holdOut(recipe: Recipe, data: Interactions): Part[] {
  const parts: Part[] = [];
  let rest = data;
  for (const name of ["test", "validation"] as const) {
    const wanted = recipe.split[name];
    if (!wanted) continue;
    const { spec, description } = resolveSplit(wanted, rest);
    const { train, test, given } = split(rest, spec);
    parts.unshift({
      name,
      description,
      train,
      test,
      given,
      trainInteractions: train.numInteractions,
      testInteractions: test.numInteractions,
    });
    rest = train;
  }
  return parts;
}

/** Share of events whose user had the same item before: 0 in a film catalogue, a third in a grocery. */
export function repeatShare(data: Interactions): number {
  const events = data.eventsByUser().indices.length;
  return events === 0 ? 0 : 1 - data.matrixByUser().indices.length / events;
}
