/**
 * What the table of items (`features.items`) has to do with the events: it may stand for them where there are none (`source.catalogue`),
 * drop those of items that it does not know (`withoutFeatures: drop`), and tell what is shown beside items (`properties`).
 * Called by prepare-data.ts.
 */
import { DataError } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";
import { createIdMap } from "../data/id-map.js";
import { Interactions } from "../data/interactions.js";
import { type LeftOut, onlyKnownItems } from "../data/known-items.js";
import type { Dataset } from "../data/readers/read-dataset.js";
import type { FeatureTable } from "../data/readers/read-features.js";
import { fileFingerprint } from "./file-fingerprint.js";
import type { Recipe } from "./recipe/recipe.js";

/** A dataset without a single event; its items come from the table by `withTableIds`. */
export async function catalogueDataset(file: string, { report }: FeatureTable, signal?: AbortSignal): Promise<Dataset> {
  const { rowsRead, rowsKept, rejected, guessed, columns, format } = report;
  return {
    interactions: Interactions.fromArrays({ userIndex: [], itemIndex: [], users: createIdMap([]), items: createIdMap([]) }),
    itemProperties: {},
    report: {
      file,
      format,
      rowsRead,
      rowsKept,
      rejected,
      guessed,
      columns: { item: columns.item },
      sha256: await fileFingerprint(file, signal),
    },
  };
}

/** Takes events of unknown items out of a dataset, or leaves it as it is where the recipe keeps them. Throws DataError when none is left. */
export function knownEvents(recipe: Recipe, table: FeatureTable | undefined, dataset: Dataset): { dataset: Dataset; leftOut?: LeftOut } {
  const { interactions } = dataset;
  if (!dropsUnknown(recipe) || !table) return { dataset };
  const { data, leftOut } = onlyKnownItems(interactions, table.ids);
  if (data.numInteractions > 0)
    return { dataset: { ...dataset, interactions: data, itemProperties: joinedProperties(dataset, data.items) }, leftOut };
  throw new DataError(
    `None of the ${leftOut.items} items with events is in ${table.report.file}; the first is ${JSON.stringify(leftOut.example)}.`,
    {
      hint: "Check features.items.id, or leave out withoutFeatures: drop.",
      details: { file: table.report.file },
    },
  );
}

/** The same for a table that was read beside the source. */
export function knownEventsOf(recipe: Recipe, table: FeatureTable | undefined, data: Interactions): Interactions {
  return dropsUnknown(recipe) && table ? onlyKnownItems(data, table.ids).data : data;
}

const dropsUnknown = ({ features }: Recipe): boolean => features?.items?.withoutFeatures === "drop";

/** Properties by the indexes of `items`: the table's own, then those that the events' file gave, where it has a value. */
export function joinedProperties({ itemProperties, interactions }: Dataset, items: IdMap, table?: FeatureTable): Dataset["itemProperties"] {
  const own = table?.propertiesOf(items) ?? {};
  const from = Int32Array.from(items.ids(), (id) => interactions.items.indexOf(id));
  const given = Object.entries(itemProperties).map(([name, values]) => [
    name,
    Array.from(from, (item, at) => own[name]?.[at] ?? (item < 0 ? null : values[item])),
  ]);
  return { ...own, ...Object.fromEntries(given) };
}
