/**
 * The two sides of a two-tower model of users and items: their plans of features, tables and shapes, for a new model and for a saved
 * one; and which users and items it knows. Called by two-tower.
 */
import type { Features } from "../../core/features.js";
import type { Interactions } from "../../core/interactions.js";
import type { FitContext, ModelState } from "../../core/model.js";
import type { Random } from "../../core/random.js";
import { createSparseTable, type SparseTable } from "../../nn/sparse-table.js";
import { frozenTable } from "../../nn/table-rows.js";
import { type EncodedFeatures, encodeFeatures, featureState, restoredFeatures } from "./feature-encoder.js";
import { type FeatureSource, planFeatures } from "./feature-plan.js";
import { savedFloat32 } from "./saved-arrays.js";
import type { TableValues, TowerSource } from "./tower-inputs.js";
import type { TowerShape } from "./tower-network.js";
import type { TwoTowerParams } from "./two-tower-params.js";

export interface Sides<Table extends TableValues = TableValues> {
  queries: TowerSource<Table>;
  users?: EncodedFeatures;
  items: EncodedFeatures;
}

export interface NewSides extends Sides<SparseTable> {
  candidates: TowerSource<SparseTable>;
}

/** New sides; tables start at random, or from a checkpoint. Throws DataError where a side has nothing to read. */
export function newSides(
  train: Interactions,
  params: TwoTowerParams,
  {
    random,
    userFeatures,
    itemFeatures,
    saved,
  }: Pick<FitContext, "userFeatures" | "itemFeatures"> & { random: Random; saved?: ModelState["arrays"] },
): NewSides {
  const { numUsers, numItems } = train;
  const encode = (source: Omit<FeatureSource, "features">, features: Features | undefined, inputs: readonly string[]) => {
    const own = { ...source, features: inputs.includes("features") ? features : undefined };
    const options = { id: inputs.includes("id"), textBuckets: params.textBuckets };
    return encodeFeatures(planFeatures(own, options), own);
  };
  const ofUsers = { whose: "users" as const, numRows: numUsers, known: withEvents(train.matrixByUser().offsets) };
  const ofItems = { whose: "items" as const, numRows: numItems, known: withEvents(train.matrixByItem().offsets) };
  const readsUsers = params.userInputs.includes("id") || (params.userInputs.includes("features") && userFeatures !== undefined);
  const historyOnly = !readsUsers && params.userInputs.includes("history");
  const users = historyOnly ? undefined : encode(ofUsers, userFeatures, params.userInputs);
  const items = encode(ofItems, itemFeatures, params.itemInputs);
  const tableOf = (name: string, numRows: number) =>
    createSparseTable({
      name,
      numRows,
      dimensions: params.dimensions,
      deviation: params.initScale / Math.sqrt(params.dimensions),
      random,
      saved,
    });
  const candidates = { shape: shapeOf("item", items, params), features: { encoded: items, table: tableOf(ITEMS, items.numEmbeddings) } };
  return { ...queriesOf({ users, items }, params, tableOf), candidates };
}

/** The inverse of `sideState`. */
export function savedSides(
  state: ModelState,
  params: TwoTowerParams,
  { numUsers, numItems }: { numUsers: number; numItems: number },
): Sides {
  const users = state.extra?.user_plan ? restoredFeatures(state, "user", numUsers) : undefined;
  const items = restoredFeatures(state, "item", numItems);
  return queriesOf({ users, items }, params, (name, numRows) =>
    frozenTable(savedFloat32(state, name, [numRows, params.dimensions]), params.dimensions),
  );
}

/** Saved: what the query tower and its histories read. Item vectors are kept as such. */
export function sideState({ queries, users, items }: Sides): Required<ModelState> {
  const [ofUsers, ofItems] = [users && featureState(users, "user"), featureState(items, "item")];
  const tables = [
    queries.features && { name: USERS, ...queries.features.table },
    queries.history && { name: HISTORY, ...queries.history.table },
  ];
  const arrays = Object.fromEntries(
    tables.flatMap((table) =>
      table ? [[table.name, { shape: [table.values.length / table.dimensions, table.dimensions], data: table.values }]] : [],
    ),
  );
  return { arrays: { ...ofUsers?.arrays, ...ofItems.arrays, ...arrays }, extra: { ...ofUsers?.extra, ...ofItems.extra } };
}

const [USERS, ITEMS, HISTORY] = ["user_embeddings", "item_embeddings", "history_embeddings"];

function queriesOf<Table extends TableValues>(
  { users, items }: { users?: EncodedFeatures; items: EncodedFeatures },
  params: TwoTowerParams,
  tableOf: (name: string, numRows: number) => Table,
): Sides<Table> {
  const shape = shapeOf("user", users, params);
  const features = users && { encoded: users, table: tableOf(USERS, users.numEmbeddings) };
  const history = shape.history ? { items, table: tableOf(HISTORY, items.numEmbeddings) } : undefined;
  return { users, items, queries: { shape, features, history } };
}

function shapeOf(name: "user" | "item", encoded: EncodedFeatures | undefined, params: TwoTowerParams): TowerShape {
  const { dimensions, layers, normalize } = params;
  const history = name === "user" && params.userInputs.includes("history");
  return { name, numFields: encoded?.fields.length ?? 0, numDense: encoded?.numDense ?? 0, history, dimensions, layers, normalize };
}

/** 1 for rows of which more than nothing is known: events, or a feature that training knew. */
export function knownRows(encoded: EncodedFeatures | undefined, offsets: Int32Array): Uint8Array {
  const known = withEvents(offsets);
  if (!encoded) return known;
  const { plan, fields, numDense, denseNames, dense, tableRows, offsets: cells } = encoded;
  const own = fields.map(({ name, firstRow }, f) => ({
    f,
    firstRow,
    isId: plan.some((field) => field.kind === "id" && field.name === name),
  }));
  for (let row = 0; row < known.length; row++) {
    if (known[row]) continue;
    const embedded = own.some(({ f, firstRow, isId }) => {
      const cell = row * fields.length + f;
      return !isId && tableRows[cells ? cells[cell] : cell] !== firstRow;
    });
    const numbers = denseNames.some((name, d) => !name.endsWith(" unknown") && dense[row * numDense + d] !== 0);
    known[row] = embedded || numbers ? 1 : 0;
  }
  return known;
}

function withEvents(offsets: Int32Array): Uint8Array {
  return Uint8Array.from({ length: offsets.length - 1 }, (_, row) => (offsets[row + 1] > offsets[row] ? 1 : 0));
}
