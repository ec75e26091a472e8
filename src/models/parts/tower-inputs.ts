/**
 * What a tower reads of some rows: embeddings of their side features, numbers, and the mean of a history of items. A history is a bag
 * of the items' own fields in a table of its own, so that an item known by its features alone tells something, too.
 * Called by two-tower.
 */
import type { SparseTable } from "../../nn/sparse-table.js";
import { type Bags, sumBags } from "../../nn/table-rows.js";
import { addFeatureGradients, embedFeatures, type FeatureBatch, featureBatch } from "./feature-batch.js";
import type { EncodedFeatures } from "./feature-encoder.js";
import { type TowerShape, towerInputs } from "./tower-network.js";

export type TableValues = Pick<SparseTable, "values" | "dimensions" | "gather">;

export interface TowerSource<Table extends TableValues = TableValues> {
  shape: TowerShape;
  features?: { encoded: EncodedFeatures; table: Table };
  /** `items`: the fields of the items that histories are made of. */
  history?: { items: EncodedFeatures; table: Table };
}

export interface TowerBatch {
  features?: FeatureBatch;
  history?: Bags;
}

/** A row's items with their weights; an empty one gives zeros. */
export interface ItemBag {
  items: ArrayLike<number>;
  /** Of each item. */
  weight: number;
}

/** Rows by index (−1: all unknown), with a history each where the tower has one. */
export function towerBatch(
  { features, history }: TowerSource,
  { indexes, bags, dropped }: { indexes: Int32Array; bags?: readonly ItemBag[]; dropped?: Parameters<typeof featureBatch>[2] },
): TowerBatch {
  return {
    features: features && featureBatch(features.encoded, indexes, dropped),
    history: history && historyBags(history.items, bags ?? []),
  };
}

/** Writes the inputs of `count` rows, row-major, under the tower's names. */
export function writeTowerInputs(source: TowerSource, batch: TowerBatch, out: Readonly<Record<string, Float32Array>>): void {
  const { shape, features, history } = source;
  const part = (name: string) => out[`${shape.name}.${name}`] as Float32Array | undefined;
  if (features && shape.numFields > 0) embedFeatures(features.table, batch.features!, part("embedded")!);
  if (features && shape.numDense > 0) part("dense")!.set(batch.features!.dense);
  if (history) {
    const { values, dimensions } = history.table;
    sumBags(values, { ...batch.history!, dimensions }, part("history")!);
  }
}

/** Hands d loss / d inputs back to the tables. */
export function addTowerGradients(source: TowerSource<SparseTable>, batch: TowerBatch, gradient: (name: string) => Float32Array): void {
  const { shape, features, history } = source;
  if (features && shape.numFields > 0) addFeatureGradients(features.table, batch.features!, gradient(`${shape.name}.embedded`));
  if (history) history.table.addBagGradients(batch.history!, gradient(`${shape.name}.history`));
}

/** Buffers for `count` rows. */
export const towerBuffers = (shape: TowerShape, count: number): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(towerInputs(shape)).map(([name, width]) => [name, new Float32Array(count * width)]));

/** Each item's embedding is the sum over its fields of the mean of the field's rows. */
function historyBags({ fields, offsets, tableRows }: EncodedFeatures, bags: readonly ItemBag[]): Bags {
  const width = fields.length;
  const starts = new Int32Array(bags.length + 1);
  bags.forEach(({ items }, b) => {
    let count = items.length * width;
    if (offsets) {
      count = 0;
      for (let k = 0; k < items.length; k++) count += offsets[(items[k] + 1) * width] - offsets[items[k] * width];
    }
    starts[b + 1] = starts[b] + count;
  });
  const rows = new Int32Array(starts[bags.length]);
  const weights = new Float32Array(rows.length);
  let to = 0;
  for (const { items, weight } of bags)
    for (let k = 0; k < items.length; k++)
      for (let cell = items[k] * width; cell < (items[k] + 1) * width; cell++) {
        const [from, end] = offsets ? [offsets[cell], offsets[cell + 1]] : [cell, cell + 1];
        weights.fill(weight / (end - from), to, to + end - from);
        for (let e = from; e < end; e++) rows[to++] = tableRows[e];
      }
  return { offsets: starts, rows, weights };
}
