/**
 * The feature tables of a recipe: read once, aligned to the ids of the data, and handed to every fit. Called by prepare-data.ts.
 */
import { basename } from "node:path";
import type { IdMap, Interactions } from "../core/interactions.js";
import type { SideFeatures } from "../core/model.js";
import { Interactions as InteractionsOf } from "../data/interactions.js";
import { type FeatureTable, readFeatureTable } from "../data/readers/read-features.js";
import { alignInteractions } from "../data/splits.js";
import { type Recipe, resolveSourceFile } from "./recipe/recipe.js";
import type { FeatureSummary, RunOptions } from "./run-result.js";

/** Features over the ids of some data. */
export interface AlignedFeatures extends SideFeatures {
  /** The same over other ids. */
  alignedTo(users: IdMap, items: IdMap): AlignedFeatures;
  summaries: readonly FeatureSummary[];
}

type Tables = Partial<Record<(typeof sides)[number], FeatureTable>>;

const sides = ["users", "items"] as const;

/** The files of a recipe's feature tables, as found; those that say none are in the source file. */
export function featureFiles(recipe: Recipe, { dataFolder }: RunOptions): string[] {
  const files = sides.map((side) => recipe.features?.[side]?.file).filter((file) => file !== undefined);
  return files.map((file) => resolveSourceFile(file, { recipeFolder: recipe.folder, dataFolder }));
}

/** Reads the tables. Throws what reading throws; ConfigError for a column that the file does not have. */
export async function readFeatureTables(recipe: Recipe, sourceFile: string, options: RunOptions): Promise<Tables> {
  const { threads, signal, onProgress, dataFolder } = options;
  const tables: Tables = {};
  for (const side of sides) {
    const wanted = recipe.features?.[side];
    if (!wanted) continue;
    const { file, columns, withoutEvents: _, ...given } = wanted;
    const { format, delimiter, header, sheet } = recipe.source;
    const path = file === undefined ? sourceFile : resolveSourceFile(file, { recipeFolder: recipe.folder, dataFolder });
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
  const kept = (side: (typeof sides)[number]) => (recipe.features?.[side]?.withoutEvents === "keep" ? tables[side]?.ids : undefined);
  const [users, items] = [kept("users"), kept("items")];
  if (!users && !items) return [...data];
  const [{ users: knownUsers, items: knownItems }] = data;
  const onlyIds = InteractionsOf.fromArrays({ userIndex: [], itemIndex: [], users: users ?? knownUsers, items: items ?? knownItems });
  return alignInteractions([...data, onlyIds]).slice(0, -1);
}

export function alignFeatures(tables: Tables, users: IdMap, items: IdMap): AlignedFeatures {
  const ids = { users, items };
  return {
    ...(tables.users ? { userFeatures: tables.users.alignedTo(users) } : {}),
    ...(tables.items ? { itemFeatures: tables.items.alignedTo(items) } : {}),
    alignedTo: (otherUsers, otherItems) => alignFeatures(tables, otherUsers, otherItems),
    summaries: sides.flatMap((whose) => {
      const table = tables[whose];
      if (!table) return [];
      const numKnown = [...ids[whose].ids()].reduce((count, id) => count + (table.ids.indexOf(id) >= 0 ? 1 : 0), 0);
      return [{ whose, numIds: table.ids.size, numKnown, report: table.report }];
    }),
  };
}
