/**
 * Export as Parquet, with external ids: items.parquet and users.parquet (their vectors; the score of a pair is the dot product) for a model
 * made of vectors, neighbours.parquet (the most similar items of each) for one that knows similar items.
 */
import { join } from "node:path";
import { ConfigError, throwIfCancelled } from "../../core/errors.js";
import type { VectorRoute } from "../../core/model.js";
import type { Recommender } from "../../ranking/recommender.js";
import { knowsSimilar } from "../../ranking/similar.js";
import { writeFolderAtomically } from "../../store/durable-files.js";
import { type ParquetTable, writeParquet } from "../../store/parquet.js";
import { type ExportFormat, onlyEmpty } from "./format.js";

/** Rows that are made at a time. */
const BLOCK = 4096;
/** Neighbours of an item. */
const NEIGHBOURS = 20;

export const parquet: ExportFormat = {
  help: `a folder of tables with ids: vectors of users and items, and ${NEIGHBOURS} neighbours of each item, as the model has them`,
  async write({ model }, path, { signal }) {
    const tables: Record<string, ParquetTable> = {};
    const { vectors } = model.fitted;
    if (vectors) Object.assign(tables, { items: itemVectors(model, vectors), users: userVectors(model, vectors) });
    if (knowsSimilar(model.fitted, "item")) tables.neighbours = neighbours(model, signal);
    if (Object.keys(tables).length === 0)
      throw new ConfigError(`The model ${model.name} has no tables to write: it is not made of vectors and knows no similar items.`, {
        hint: "Export its arrays with --format npy or safetensors.",
      });
    const fill = async (folder: string) => {
      for (const [name, table] of Object.entries(tables)) await writeParquet(join(folder, `${name}.parquet`), table, signal);
      throwIfCancelled(signal);
    };
    await writeFolderAtomically(path, fill, { mayReplace: onlyEmpty });
  },
};

function itemVectors({ items, popularity }: Recommender, { dimensions, itemVectors: all }: VectorRoute): ParquetTable {
  return {
    columns: { item_id: "text", events: "float32", vector: { vector: dimensions } },
    *blocks() {
      for (const { ids, from, to } of blocksOf(items))
        yield [ids, popularity.subarray(from, to), all.subarray(from * dimensions, to * dimensions)];
    },
  };
}

function userVectors({ users }: Recommender, { dimensions, encode }: VectorRoute): ParquetTable {
  return {
    columns: { user_id: "text", vector: { vector: dimensions } },
    async *blocks() {
      for (const { ids, from } of blocksOf(users)) {
        const encoded = new Float32Array(ids.length * dimensions);
        const queries = ids.map((_, row) => ({ userIndex: from + row }));
        await encode(queries, encoded);
        yield [ids, encoded];
      }
    },
  };
}

function neighbours(model: Recommender, signal: AbortSignal | undefined): ParquetTable {
  const { items } = model;
  return {
    columns: { item_id: "text", place: "int32", neighbour_id: "text", score: "float32" },
    async *blocks() {
      for (const { ids, from } of blocksOf(items)) {
        const [of, place, neighbour, scores]: [string[], number[], string[], number[]] = [[], [], [], []];
        for (const [row, id] of ids.entries()) {
          const { itemIndex, score } = await model.similarItems(from + row, { topK: NEIGHBOURS, signal });
          for (let rank = 0; rank < itemIndex.length; rank++) {
            of.push(id);
            place.push(rank + 1);
            neighbour.push(items.idOf(itemIndex[rank]));
            scores.push(score[rank]);
          }
        }
        if (of.length > 0) yield [of, place, neighbour, scores];
      }
    },
  };
}

function* blocksOf(ids: Recommender["items"]): Generator<{ ids: string[]; from: number; to: number }> {
  for (let from = 0; from < ids.size; from += BLOCK) {
    const to = Math.min(ids.size, from + BLOCK);
    yield { ids: Array.from({ length: to - from }, (_, row) => ids.idOf(from + row)), from, to };
  }
}
