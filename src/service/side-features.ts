/**
 * The feature tables of a recipe: read once, aligned to the ids of the data, and handed to every fit. Called by prepare-data.ts.
 */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { IdMap, Interactions } from "../core/interactions.js";
import type { SideFeatures } from "../core/model.js";
import { Interactions as InteractionsOf } from "../data/interactions.js";
import type { LeftOut } from "../data/known-items.js";
import { type FeatureTable, readFeatureTable } from "../data/readers/read-features.js";
import { alignInteractions } from "../data/splits.js";
import { ioErrors } from "../store/durable-files.js";
import { type Recipe, resolveSourceFile } from "./recipe/recipe.js";
import type { FeatureSummary, RunOptions } from "./run-result.js";
import { songFolderTable } from "./song-folder.js";
import { openWorkspace } from "./workspace.js";

/** Features over the ids of some data. */
export interface AlignedFeatures extends SideFeatures {
  /** The same over other ids. */
  alignedTo(users: IdMap, items: IdMap): AlignedFeatures;
  summaries: readonly FeatureSummary[];
}

export type Tables = Partial<Record<(typeof sides)[number], FeatureTable>>;

const sides = ["users", "items"] as const;

/** The files of a recipe's feature tables, as found or, of a folder of songs, as made; those that say none are in the source file. */
export async function featureFiles(recipe: Recipe, options: RunOptions): Promise<string[]> {
  const files: string[] = [];
  for (const side of sides) {
    const file = await featureFile(recipe, side, options);
    if (file !== undefined) files.push(file);
  }
  return files;
}

/** The file of one table; undefined when it is the source file. */
export async function featureFile(recipe: Recipe, side: (typeof sides)[number], options: RunOptions): Promise<string | undefined> {
  const file = recipe.features?.[side]?.file;
  if (file === undefined) return undefined;
  const found = resolveSourceFile(file, { recipeFolder: recipe.folder, dataFolder: options.dataFolder });
  if (!(await ioErrors("read", found, () => stat(found))).isDirectory()) return found;
  return songFolderTable(found, openWorkspace(options.workspace, recipe.name).folder, options);
}

/** Reads the tables. Throws what reading throws; ConfigError for a column that the file does not have. */
export async function readFeatureTables(recipe: Recipe, sourceFile: string, options: RunOptions): Promise<Tables> {
  const { threads, signal, onProgress } = options;
  const tables: Tables = {};
  for (const side of sides) {
    const wanted = recipe.features?.[side];
    if (!wanted) continue;
    const { file, columns, withoutEvents: _, withoutFeatures: __, ...given } = { withoutFeatures: undefined, ...wanted };
    const { format, delimiter, header, sheet } = recipe.source;
    const path = (await featureFile(recipe, side, options)) ?? sourceFile;
    const own = file === undefined ? { format, delimiter, header, sheet } : {};
    const features = Object.fromEntries(
      Object.entries(columns).map(([feature, choice]) => [feature, typeof choice === "string" ? { kind: choice } : choice]),
    );
    const labelled =
      onProgress && ((progress: Parameters<typeof onProgress>[0]) => onProgress({ ...progress, stage: `reading ${basename(path)}` }));
    tables[side] = await readFeatureTable(path, side, { ...own, ...given, features, threads, signal, onProgress: labelled });
  }
  return tables;
}

/** Users and items that only a table knows get a place behind the others where the recipe keeps them. */
export function withTableIds(recipe: Recipe, tables: Tables, data: readonly Interactions[]): Interactions[] {
  const kept = (side: (typeof sides)[number]) =>
    recipe.features?.[side]?.withoutEvents === "keep" || (recipe.source.catalogue && side === "items") ? tables[side]?.ids : undefined;
  const [users, items] = [kept("users"), kept("items")];
  if (!users && !items) return [...data];
  const [{ users: knownUsers, items: knownItems }] = data;
  const onlyIds = InteractionsOf.fromArrays({ userIndex: [], itemIndex: [], users: users ?? knownUsers, items: items ?? knownItems });
  return alignInteractions([...data, onlyIds]).slice(0, -1);
}

/** `leftOut`: events of items that the table of items does not know. */
export function alignFeatures(tables: Tables, { users, items }: { users: IdMap; items: IdMap }, leftOut?: LeftOut): AlignedFeatures {
  const ids = { users, items };
  return {
    ...(tables.users ? { userFeatures: tables.users.alignedTo(users) } : {}),
    ...(tables.items ? { itemFeatures: tables.items.alignedTo(items) } : {}),
    alignedTo: (otherUsers, otherItems) => alignFeatures(tables, { users: otherUsers, items: otherItems }, leftOut),
    summaries: sides.flatMap((whose) => {
      const table = tables[whose];
      if (!table) return [];
      const numKnown = [...ids[whose].ids()].reduce((count, id) => count + (table.ids.indexOf(id) >= 0 ? 1 : 0), 0);
      const dropped = whose === "items" && leftOut !== undefined ? { leftOut } : {};
      return [{ whose, numIds: table.ids.size, numKnown, report: table.report, ...dropped }];
    }),
  };
}
