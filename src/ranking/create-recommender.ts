/**
 * Builds a `Recommender`: checks the caller's arguments once, splits batches into blocks, answers cold
 * queries by popularity (labelled), and hands the rest to the cheapest ranker of the model.
 */
import { ConfigError, throwIfCancelled } from "../core/errors.js";
import { type Csr, type IdMap, MAX_WEIGHT } from "../core/interactions.js";
import type { FittedModel, Query } from "../core/model.js";
import { createTopKIndex, type TopKIndex } from "../kernels/top-k.js";
import { type ExcludedLists, excludedLists, sortedDistinct } from "./excluded-lists.js";
import { createPopularityFallback } from "./popularity-fallback.js";
import { createRanker, emptyLists, type RankedLists } from "./rankers.js";
import type { Recommendation, RecommendationBatch, Recommender, RecommendOptions } from "./recommender.js";

export interface RecommenderParts {
  fitted: FittedModel;
  users: IdMap;
  items: IdMap;
  /** User × item training matrix. */
  seen: Csr;
  /** Training events per item. */
  popularity: Float32Array;
  threads: number;
}

export const FALLBACK_SOURCE = "popularity fallback";

export function createRecommender({ fitted, users, items, seen, popularity, threads }: RecommenderParts): Recommender {
  const { numUsers, numItems } = fitted;
  const ranker = createRanker(fitted, threads);
  const fallback = createPopularityFallback(popularity);
  let similarity: Promise<TopKIndex> | undefined;

  const isCold = ({ userIndex = -1, history, basket }: Query): boolean => {
    if (!fitted.personal) return false;
    if (fitted.readsBasket && basket?.some((itemIndex) => popularity[itemIndex] > 0)) return false;
    if (history?.length) return history.every(({ itemIndex }) => popularity[itemIndex] === 0); // training never saw these items
    return userIndex < 0 || seen.offsets[userIndex] === seen.offsets[userIndex + 1];
  };

  const checkQuery = ({ userIndex, history, basket }: Query): void => {
    if (userIndex !== undefined && !(Number.isInteger(userIndex) && userIndex >= -1 && userIndex < numUsers)) {
      throw new ConfigError(`userIndex is ${userIndex}, but the model knows ${numUsers} users.`, {
        hint: `Use 0 to ${numUsers - 1}, or leave userIndex out and give a history.`,
      });
    }
    for (const item of basket ?? []) checkItem("basket", item, numItems);
    for (const event of history ?? []) {
      checkItem("history", event.itemIndex, numItems);
      const weight = event.weight ?? 1;
      if (!(weight >= 0 && weight <= MAX_WEIGHT))
        throw new ConfigError(`A weight of the history is ${weight}.`, { hint: "Weights are numbers from 0 to 1e30." });
    }
  };

  const rankBlock = async (queries: readonly Query[], checked: CheckedOptions, isFallback: Uint8Array): Promise<RankedLists> => {
    const { topK, include, excludeSeen, exclude, signal } = checked;
    const excluded = excludedLists(queries, { seen: excludeSeen ? seen : undefined, exclude });
    const lists = emptyLists(queries.length, topK);
    const warm: number[] = [];
    queries.forEach((query, q) => {
      if (isCold(query)) {
        isFallback[q] = 1;
        fallback.rank(lists, q, { topK, include, excluded });
      } else warm.push(q);
    });
    if (warm.length === 0) return lists;
    const all = warm.length === queries.length;
    const ranked = await ranker.rank(all ? queries : warm.map((q) => queries[q]), {
      topK,
      include,
      excluded: all ? excluded : pickLists(excluded, warm),
      signal,
    });
    if (all) return ranked;
    warm.forEach((q, w) => {
      lists.itemIndex.set(ranked.itemIndex.subarray(w * topK, (w + 1) * topK), q * topK);
      lists.score.set(ranked.score.subarray(w * topK, (w + 1) * topK), q * topK);
    });
    return lists;
  };

  return {
    name: fitted.name,
    params: fitted.params,
    numUsers,
    numItems,
    users,
    items,
    fitted,
    seen,
    popularity,
    isCold,

    async recommend(query, options) {
      checkQuery(query);
      const checked = checkOptions(options, numItems);
      throwIfCancelled(checked.signal);
      const isFallback = new Uint8Array(1);
      return trim(await rankBlock([query], checked, isFallback), isFallback[0] ? FALLBACK_SOURCE : fitted.name);
    },

    async recommendBatch(queriesOrUsers, options): Promise<RecommendationBatch> {
      const checked = checkOptions(options, numItems);
      const { topK, signal } = checked;
      const numQueries = queriesOrUsers.length;
      const out = emptyLists(numQueries, topK);
      const isFallback = new Uint8Array(numQueries);
      for (let from = 0; from < numQueries; from += ranker.blockSize) {
        throwIfCancelled(signal);
        const to = Math.min(numQueries, from + ranker.blockSize);
        const queries: Query[] = [];
        for (let q = from; q < to; q++) {
          const entry = queriesOrUsers[q];
          const query = typeof entry === "number" ? { userIndex: entry } : entry;
          checkQuery(query);
          queries.push(query);
        }
        const lists = await rankBlock(queries, checked, isFallback.subarray(from, to));
        out.itemIndex.set(lists.itemIndex, from * topK);
        out.score.set(lists.score, from * topK);
      }
      return { topK, ...out, fallback: isFallback };
    },

    async similarItems(itemIndex, options) {
      checkItem("similarItems", itemIndex, numItems);
      const { topK, include, exclude } = checkOptions(options, numItems);
      const vectors = fitted.itemSimilarityVectors;
      if (!vectors) {
        throw new ConfigError(`The model ${fitted.name} knows no similar items.`, { hint: "Use a model with item vectors, such as als." });
      }
      similarity ??= createTopKIndex(unitRows(vectors.vectors, vectors.dimensions), { numItems, dimensions: vectors.dimensions, threads });
      const { dimensions } = vectors;
      const unit = unitRows(vectors.vectors.slice(itemIndex * dimensions, (itemIndex + 1) * dimensions), dimensions);
      if (unit.every((value) => value === 0)) return trim(emptyLists(1, topK), fitted.name); // an item that training never saw
      const without = sortedDistinct([itemIndex, ...exclude, ...(include ? complement(include, numItems) : [])]);
      const excluded = { offsets: Int32Array.of(0, without.length), indices: without };
      return trim(await (await similarity).search(unit, { topK, excluded }), fitted.name);
    },

    dispose() {
      ranker.dispose();
      similarity?.then((index) => index.dispose());
      similarity = undefined;
    },
  };
}

interface CheckedOptions {
  topK: number;
  excludeSeen: boolean;
  include: Int32Array | undefined;
  exclude: Int32Array;
  signal: AbortSignal | undefined;
}

function checkOptions(
  { topK = 10, excludeSeen = true, include, exclude = [], signal }: RecommendOptions = {},
  numItems: number,
): CheckedOptions {
  if (!(Number.isInteger(topK) && topK >= 1))
    throw new ConfigError(`topK is ${topK}.`, { hint: "Ask for a whole number of items, 1 or more." });
  for (const [name, list] of [
    ["include", include],
    ["exclude", exclude],
  ] as const) {
    for (let i = 0; i < (list?.length ?? 0); i++) checkItem(name, list![i], numItems);
  }
  return {
    topK: Math.min(topK, Math.max(1, numItems)),
    excludeSeen,
    include: include && sortedDistinct(include),
    exclude: Int32Array.from(exclude),
    signal,
  };
}

function checkItem(where: string, itemIndex: number, numItems: number): void {
  if (!(Number.isInteger(itemIndex) && itemIndex >= 0 && itemIndex < numItems)) {
    throw new ConfigError(`${where} names item ${itemIndex}, but the model knows ${numItems} items.`, {
      hint: `Item indexes run from 0 to ${numItems - 1}.`,
    });
  }
}

function pickLists({ offsets, indices }: ExcludedLists, picked: readonly number[]): ExcludedLists {
  const pickedOffsets = new Int32Array(picked.length + 1);
  picked.forEach((q, p) => {
    pickedOffsets[p + 1] = pickedOffsets[p] + offsets[q + 1] - offsets[q];
  });
  const pickedIndices = new Int32Array(pickedOffsets[picked.length]);
  picked.forEach((q, p) => {
    pickedIndices.set(indices.subarray(offsets[q], offsets[q + 1]), pickedOffsets[p]);
  });
  return { offsets: pickedOffsets, indices: pickedIndices };
}

function complement(include: Int32Array, numItems: number): number[] {
  const out: number[] = [];
  for (let item = 0, i = 0; item < numItems; item++) {
    if (include[i] === item) i++;
    else out.push(item);
  }
  return out;
}

/** Rows scaled to length 1; zero rows stay zero. */
function unitRows(vectors: Float32Array, dimensions: number): Float32Array {
  const out = new Float32Array(vectors.length);
  for (let at = 0; at < vectors.length; at += dimensions) {
    let squares = 0;
    for (let d = 0; d < dimensions; d++) squares += vectors[at + d] ** 2;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let d = 0; d < dimensions; d++) out[at + d] = vectors[at + d] * scale;
  }
  return out;
}

function trim({ itemIndex, score }: RankedLists, source: string): Recommendation {
  let length = itemIndex.length;
  while (length > 0 && itemIndex[length - 1] < 0) length--;
  return { itemIndex: itemIndex.subarray(0, length), score: score.subarray(0, length), source };
}
