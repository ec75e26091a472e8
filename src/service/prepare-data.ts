/**
 * From a recipe to data: where its source lies, its fingerprint, reading and cleaning, and the held-out parts.
 * Called by evaluate, train and run.
 */
import { ConfigError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import { type Dataset, readDataset } from "../data/readers/read-dataset.js";
import { alignInteractions, type SplitResult, split, splitFolds, splitRepeats } from "../data/splits.js";
import { createDemoOrders } from "./demo/demo-shop.js";
import type { Part } from "./evaluation/part.js";
import { sampleDataset, sampleLike } from "./fast.js";
import { fileFingerprint } from "./file-fingerprint.js";
import { catalogueDataset, joinedProperties, knownEvents, knownEventsOf } from "./item-table.js";
import { queryResult } from "./query-source.js";
import { type Recipe, resolveSourceFile } from "./recipe/recipe.js";
import { checkParts, promisedOrder, resolveSplit } from "./recipe/recipe-split.js";
import type { DataSummary, RunOptions } from "./run-result.js";
import { type AlignedFeatures, alignFeatures, featureFile, featureFiles, readFeatureTables, withTableIds } from "./side-features.js";
import type { Workspace } from "./workspace.js";

/** The file that a recipe reads: of a catalogue its table of items; a generator's or a query's is written into the workspace first. */
export async function sourceFile(
  recipe: Recipe,
  workspace: Workspace,
  { dataFolder, workspace: root, threads, signal, onProgress }: RunOptions,
): Promise<string> {
  const { file, generator, sql, catalogue } = recipe.source;
  if (catalogue) return (await featureFile(recipe, "items", { dataFolder, workspace: root, signal, onProgress }))!;
  if (sql !== undefined) return queryResult(recipe, workspace, { dataFolder, threads, signal, onProgress });
  if (file !== undefined) return resolveSourceFile(file, { recipeFolder: recipe.folder, dataFolder });
  onProgress?.({ stage: "making the demo shop", done: 0, total: 1 });
  const orders = createDemoOrders({ ...generator, signal });
  const path = await workspace.dataFile("orders.csv", orders);
  onProgress?.({ stage: "making the demo shop", done: 1, total: 1 });
  return path;
}

/** What a run depends on beside its recipe: the source, the files of official folds and of feature tables. */
export async function dataFingerprint(recipe: Recipe, file: string, options: RunOptions): Promise<string> {
  const prints = [await fileFingerprint(file, options.signal)];
  for (const fold of foldFiles(recipe, options)) {
    for (const path of [fold.train, fold.test]) prints.push(await fileFingerprint(path, options.signal));
  }
  for (const path of await featureFiles(recipe, options)) prints.push(await fileFingerprint(path, options.signal));
  return prints.join(" ");
}

/** The data of a recipe, and its official folds over the same users and items. */
export interface RecipeData extends Dataset {
  folds?: SplitResult[];
  features: AlignedFeatures;
  /** A smoke run's part of what was read. */
  sampled?: boolean;
}

/** Reads and cleans the source as the recipe says, the files of official folds like it, and the feature tables. */
export async function readSource(recipe: Recipe, file: string, options: RunOptions): Promise<RecipeData> {
  checkParts(recipe.split);
  const { rejectsFile, threads, signal, onProgress } = options;
  const { format, delimiter, columns: named, header, timeFormat, sheet, memoryLimit, maxRows } = recipe.source;
  const { drop, keepUnknownUsers, weightDefault } = recipe.clean;
  const { itemProperties } = recipe;
  const source = { format, delimiter, columns: named, header, timeFormat, sheet, memoryLimit, maxRows };
  const texts = Object.fromEntries(
    Object.entries(recipe.features?.events?.columns ?? {}).map(([text, choice]) => [
      text,
      typeof choice === "string" ? text : (choice.column ?? text),
    ]),
  );
  const settings = { ...source, drop, keepUnknownUsers, weightDefault, texts, threads, signal, onProgress };
  const files = foldFiles(recipe, options); // found before anything is read
  await featureFiles(recipe, options);
  const { fast, seed } = recipe;
  const whole = recipe.source.catalogue ? undefined : await readDataset(file, { ...settings, itemProperties, rejectsFile });
  const features = await readFeatureTables(recipe, file, options);
  const { dataset: known, leftOut } = whole
    ? knownEvents(recipe, features.items, whole)
    : { dataset: await catalogueDataset(file, features.items!, signal), leftOut: undefined };
  const dataset = fast && whole ? sampleDataset(known, fast, seed) : known;
  const columns = Object.fromEntries(
    (["user", "item", "timestamp", "weight", "basket"] as const).map((role) => [role, dataset.report.columns[role] ?? null]),
  );
  const tables = [dataset.interactions];
  for (const path of files.flatMap(({ train, test }) => [train, test])) {
    const read = await readDataset(path, { ...settings, columns, itemProperties: {} });
    const interactions = knownEventsOf(recipe, features.items, read.interactions);
    tables.push(fast ? sampleLike(interactions, dataset.interactions) : interactions);
  }
  const [interactions, ...parts] = withTableIds(recipe, features, tables.length > 1 ? alignInteractions(tables) : tables);
  return {
    ...dataset,
    ...(fast ? { sampled: true } : {}),
    interactions,
    itemProperties: joinedProperties(dataset, interactions.items, features.items),
    features: alignFeatures(features, interactions, leftOut),
    ...(files.length > 0 ? { folds: files.map((_, f) => ({ train: parts[2 * f], test: parts[2 * f + 1] })) } : {}),
  };
}

/** The files of official folds, as found. */
function foldFiles(recipe: Recipe, { dataFolder }: RunOptions): { train: string; test: string }[] {
  const find = (file: string) => resolveSourceFile(file, { recipeFolder: recipe.folder, dataFolder });
  return (recipe.split.test?.files ?? []).map(({ train, test }) => ({ train: find(train), test: find(test) }));
}

export function summarise({ interactions, report, sampled, features: { summaries } }: RecipeData): DataSummary {
  const { numUsers, numItems, numInteractions } = interactions;
  const numbers = { numUsers, numItems, numInteractions, ...(sampled ? { sampled } : {}) };
  return { ...numbers, report, ...(summaries.length > 0 ? { features: summaries } : {}) };
}

/**
 * The held-out parts, the ones that decide first: the test part is cut off all data, the validation part off what
 * then remains (of a split drawn several times, what no draw tests). A split into folds, or one drawn several times, gives one part for each, all of the same name. None when the recipe has no split.
 * `folds` are the official ones that `readSource` found.
 */
export function holdOut(recipe: Recipe, data: Interactions, folds?: readonly SplitResult[]): Part[] {
  checkParts(recipe.split);
  const parts: Part[] = [];
  let rest = data;
  for (const name of ["test", "validation"] as const) {
    const wanted = recipe.split[name];
    if (!wanted) continue;
    const { spec, description } = resolveSplit(wanted, rest);
    if (spec.by === "files" && !folds)
      throw new ConfigError("A split by files has no part to cut off the data.", {
        hint: "Judge by `tastemaker evaluate`, or use another split, such as folds.",
        details: { path: `split.${name}` },
      });
    const repeats = wanted.repeats ?? 1;
    const repeated = repeats > 1 && "seed" in spec && spec.by !== "folds" ? splitRepeats(rest, spec, repeats) : undefined;
    const results =
      repeated?.draws ?? (spec.by === "files" ? folds! : spec.by === "folds" ? [...splitFolds(rest, spec)] : [split(rest, spec)]);
    const order = promisedOrder(spec);
    parts.unshift(
      ...results.map(({ train, test, given }, draw) => ({
        name,
        draw: repeated ? draw : 0,
        description,
        train,
        test,
        given,
        order,
        trainInteractions: train.numInteractions,
        testInteractions: test.numInteractions,
      })),
    );
    rest = repeated?.rest ?? results[0].train;
  }
  return parts;
}

/** Share of events whose user had the same item before: 0 in a film catalogue, a third in a grocery. */
export function repeatShare(data: Interactions): number {
  const events = data.eventsByUser().indices.length;
  return events === 0 ? 0 : 1 - data.matrixByUser().indices.length / events;
}
