/**
 * The use case "batch": answers for many at once, as a csv or Parquet file. Lists for every user of a model, or predicted ratings of given
 * pairs. Rows are made block by block, so memory does not grow with the file. Called by the commands `recommend --all` and `predict`.
 */
import { resolve } from "node:path";
import { ConfigError, DataError, NotFoundError } from "../core/errors.js";
import type { Progress } from "../core/model.js";
import { nameHint } from "../core/nearest-names.js";
import { readTable, type Table } from "../data/readers/read-table.js";
import { scorePairs } from "../evaluation/ratings.js";
import { predictsWeights } from "../models/registry.js";
import type { Recommender } from "../ranking/recommender.js";
import { checkTableName, writeTable } from "../store/csv-file.js";
import { loadItemProperties } from "../store/model-folder.js";
import type { RecipeRun } from "./run.js";

export interface BatchOptions {
  /** Label of one of the run's models. Default: the recipe's `serve.model`, else the champion. */
  model?: string;
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export interface BatchWritten {
  model: string;
  version: string;
  /** Absolute. */
  path: string;
  rows: number;
}

type Run = Pick<RecipeRun, "result" | "workspace">;

/** Users whose lists are made at a time. */
const USERS = 512;

/**
 * Writes user, rank, item, score, source and the items' properties for every user of the data; `predicted_rating` in place of score where the
 * model predicts ratings. Throws ConfigError for a target of another kind, NotFoundError for an unknown model, IoError, CancelledError.
 */
export async function recommendAll(
  run: Run,
  target: string,
  { topK = 10, excludeSeen = run.result.excludeSeen, ...options }: BatchOptions & { topK?: number; excludeSeen?: boolean } = {},
): Promise<BatchWritten> {
  const { signal, onProgress } = options;
  return withModel(run, target, options, async ({ model, properties, rates }, path) => {
    const { users, items, numUsers } = model;
    const columns = Object.entries(properties);
    let rows = 0;
    await writeTable(
      path,
      {
        columns: {
          ...{ user: "text", rank: "int32", item: "text" },
          [rates ? "predicted_rating" : "score"]: "float32",
          source: "text",
          ...Object.fromEntries(columns.map(([name]) => [`item_${name}`, "text"])),
        },
        async *blocks() {
          for (let from = 0; from < numUsers; from += USERS) {
            const asked = Int32Array.from({ length: Math.min(USERS, numUsers - from) }, (_, k) => from + k);
            const { itemIndex, score, fallback } = await model.recommendBatch(asked, { topK, excludeSeen, signal });
            const places = Array.from(itemIndex.keys()).filter((place) => itemIndex[place] >= 0);
            const userOf = (place: number) => Math.floor(place / topK);
            rows += places.length;
            if (places.length > 0)
              yield [
                places.map((place) => users.idOf(from + userOf(place))),
                places.map((place) => (place % topK) + 1),
                places.map((place) => items.idOf(itemIndex[place])),
                places.map((place) => score[place]),
                places.map((place) => (fallback[userOf(place)] ? "popularity fallback" : model.name)),
                ...columns.map(([, values]) => places.map((place) => textOf(values[itemIndex[place]]))),
              ];
            onProgress?.({ stage: "recommending", done: from + asked.length, total: numUsers });
          }
        },
      },
      signal,
    );
    return rows;
  });
}

/** Pairs that are scored at a time. */
const PAIRS = 8192;

/**
 * Writes the rows of `pairs` (user, item) in their order with `predicted_rating`, empty for an item that the model does not know; a user that it
 * does not know is rated for as one of whom nothing is known. Throws as `readTable` and `recommendAll`; ConfigError when the model predicts no
 * ratings, DataError when it knows none of the items.
 */
export async function predictPairs(
  run: Run,
  { pairs, target }: { pairs: string; target: string },
  { columns, ...options }: BatchOptions & { columns?: { user?: string; item?: string } } = {},
): Promise<BatchWritten & { unknownUsers: number; unknownItems: number }> {
  const { signal, onProgress, threads } = options;
  let [unknownUsers, unknownItems] = [0, 0];
  const written = await withModel(run, target, options, async ({ model, rates, label }, path) => {
    if (!rates)
      throw new ConfigError(`The model ${label} predicts no ratings.`, {
        hint: "Name one that does by --model, such as one of bias, svd, or dcn with target: rating.",
      });
    const table = await readTable(pairs, wantedColumns, { columns, threads, signal, onProgress });
    const known = indexes(table, model);
    unknownUsers = known.user.filter((index) => index < 0).length;
    unknownItems = known.item.filter((index) => index < 0).length;
    if (unknownItems === table.numRows)
      throw new DataError(`The model ${label} knows none of the items of ${pairs}.`, { hint: "Check that the right columns were taken." });
    const { user, item } = table.ids;
    await writeTable(
      path,
      {
        columns: { user: "text", item: "text", predicted_rating: "float32" },
        async *blocks() {
          for (let from = 0; from < table.numRows; from += PAIRS) {
            const to = Math.min(table.numRows, from + PAIRS);
            const predicted = await predictions(model, known.user.subarray(from, to), known.item.subarray(from, to));
            const ids = ({ index, ids }: Table["ids"][string]) => Array.from(index.subarray(from, to), (one) => ids.idOf(one));
            yield [ids(user), ids(item), predicted];
            onProgress?.({ stage: "predicting", done: to, total: table.numRows });
          }
        },
      },
      signal,
    );
    return table.numRows;
  });
  return { ...written, unknownUsers, unknownItems };
}

const wantedColumns = (["user", "item"] as const).map((role) => ({
  role,
  kind: "id" as const,
  names: [role, `${role}id`],
  required: true,
  byPlace: true,
}));

function indexes({ ids }: Table, { users, items }: Recommender) {
  const of = (role: "user" | "item", known: Recommender["users"]) => {
    const all = Array.from(ids[role].ids.ids(), (id) => known.indexOf(id));
    return Int32Array.from(ids[role].index, (one) => all[one]);
  };
  return { user: of("user", users), item: of("item", items) };
}

/** By user, so that each is asked for once per block; null for unknown items. */
async function predictions({ fitted }: Recommender, user: Int32Array, item: Int32Array): Promise<(number | null)[]> {
  const out = new Array<number | null>(user.length).fill(null);
  const rowsOf = new Map<number, number[]>();
  user.forEach((one, row) => {
    if (item[row] >= 0) rowsOf.set(one, [...(rowsOf.get(one) ?? []), row]);
  });
  for (const [userIndex, rows] of rowsOf) {
    const scores = await scorePairs(
      fitted,
      userIndex < 0 ? {} : { userIndex },
      Int32Array.from(rows, (row) => item[row]),
    );
    rows.forEach((row, k) => {
      out[row] = scores[k];
    });
  }
  return out;
}

interface Loaded {
  label: string;
  model: Recommender;
  rates: boolean;
  properties: Readonly<Record<string, readonly (string | number | null)[]>>;
}

/** Loads the model for `work`, which gives the number of rows it wrote to the path. */
async function withModel(
  { result, workspace }: Run,
  target: string,
  { model: wanted, threads }: BatchOptions,
  work: (loaded: Loaded, path: string) => Promise<number>,
): Promise<BatchWritten> {
  const path = resolve(target);
  checkTableName(path);
  const label = wanted ?? result.serving?.model ?? result.champion ?? result.models[0].label;
  const labels = result.models.map((one) => one.label);
  const found = result.models.find((one) => one.label === label);
  if (!found)
    throw new NotFoundError(`The run has no model ${JSON.stringify(label)}.`, {
      hint: nameHint(label, labels),
      details: { got: label, allowed: labels },
    });
  const { model, manifest, folder } = await workspace.models.load(label, { version: found.version, threads });
  try {
    const properties = (await loadItemProperties(folder)) ?? {};
    const rates = predictsWeights(model.name, { ...model.params });
    return { model: label, version: manifest.version, path, rows: await work({ label, model, rates, properties }, path) };
  } finally {
    model.dispose();
  }
}

function textOf(value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
