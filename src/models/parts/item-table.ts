/**
 * Item vectors in training: rows of their own, plus the mean row of the item's features where there are any (categories, words; what
 * is a number enters as the bucket it falls in). Called by sasrec.
 */
import type { Features } from "../../core/features.js";
import type { Interactions } from "../../core/interactions.js";
import type { ModelState } from "../../core/model.js";
import type { Random } from "../../core/random.js";
import { createComposedTable } from "../../nn/composed-table.js";
import { createSparseTable, type SparseTable } from "../../nn/sparse-table.js";
import { encodeFeatures } from "./feature-encoder.js";
import { planFeatures } from "./feature-plan.js";

const DEVIATION = 0.02;

export interface ItemTableOptions {
  random: Random;
  /** Arrays of an earlier state, when training goes on. */
  saved?: ModelState["arrays"];
  features?: Features;
}

export function itemTable(
  { numItems, itemIndex }: Interactions,
  { dimensions, features: used }: { dimensions: number; features: boolean },
  { random, saved, features }: ItemTableOptions,
): SparseTable {
  const table = (name: string, numRows: number) => createSparseTable({ name, numRows, dimensions, deviation: DEVIATION, random, saved });
  if (!used || !features || Object.keys(features.columns).length === 0) return table("items", numItems);
  const known = new Uint8Array(numItems);
  for (const item of itemIndex) known[item] = 1;
  const source = { whose: "items", numRows: numItems, features, known } as const;
  const { fields, numEmbeddings, offsets, tableRows } = encodeFeatures(planFeatures(source, { id: false, numbers: "buckets" }), source);
  const bags = {
    offsets: Int32Array.from({ length: numItems + 1 }, (_, item) => (offsets ? offsets[item * fields.length] : item * fields.length)),
    rows: tableRows,
    weights: new Float32Array(tableRows.length),
  };
  for (let item = 0; item < numItems; item++)
    bags.weights.fill(1 / (bags.offsets[item + 1] - bags.offsets[item]), bags.offsets[item], bags.offsets[item + 1]);
  return createComposedTable("items", { own: table("items.own", numItems), features: table("items.features", numEmbeddings), bags });
}
