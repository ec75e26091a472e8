/**
 * Builds a `Recommender`: checks the caller's arguments once, splits batches into blocks, answers cold
 * queries by popularity (labelled), and hands the rest to the cheapest ranker of the model.
 */

import { baseOnly } from "../core/base-only.js";
import { ConfigError, throwIfCancelled } from "../core/errors.js";
import type { Csr, IdMap } from "../core/interactions.js";
import type { FittedModel, Query, RuntimeUse } from "../core/model.js";
import { approximateRanker } from "./approximate.js";
import { type CheckedOptions, checkOptions, checkQuery, checkRow, type Rows } from "./check-query.js";
import { type ExcludedLists, excludedLists } from "./excluded-lists.js";
import { createPopularityFallback } from "./popularity-fallback.js";
import { emptyLists, type RankedLists } from "./ranker.js";
import { createRanker, hasItemVectors } from "./rankers.js";
import type { Recommendation, RecommendationBatch, Recommender } from "./recommender.js";
import { createSimilarRows } from "./similar.js";

export interface RecommenderParts {
  fitted: FittedModel;
  runtime?: RuntimeUse;
  users: IdMap;
  items: IdMap;
  /** User × item training matrix. */
  seen: Csr;
  /** Training events per item. */
  popularity: Float32Array;
  threads: number;
}

export const FALLBACK_SOURCE = "popularity fallback";

export function createRecommender({ fitted, runtime, users, items, seen, popularity, threads }: RecommenderParts): Recommender {
  const { numUsers, numItems } = fitted;
  const exact = createRanker(fitted, threads);
  let ranker = exact;
  const fallback = createPopularityFallback(popularity);
  const itemRows: Rows = { kind: "item", size: numItems };
  const userRows: Rows = { kind: "user", size: numUsers };
  const similarItems = createSimilarRows(fitted, itemRows, { threads });
  const similarUsers = createSimilarRows(fitted, userRows, { threads });

  const isCold = ({ userIndex = -1, history, basket }: Query): boolean => {
    if (!fitted.personal) return false;
    if (fitted.readsBasket && basket?.some((itemIndex) => popularity[itemIndex] > 0)) return false;
    if (history?.length) return history.every(({ itemIndex }) => popularity[itemIndex] === 0 && !fitted.knowsItem?.(itemIndex)); // training never saw these items
    return userIndex < 0 || (seen.offsets[userIndex] === seen.offsets[userIndex + 1] && !fitted.knowsUser?.(userIndex));
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
    runtime,
    seen,
    popularity,
    isCold,

    async recommend(query, options) {
      checkQuery(query, fitted);
      const checked = checkOptions(options, itemRows);
      throwIfCancelled(checked.signal);
      const isFallback = new Uint8Array(1);
      return trim(await rankBlock([query], checked, isFallback), isFallback[0] ? FALLBACK_SOURCE : fitted.name);
    },

    async recommendBatch(queriesOrUsers, options): Promise<RecommendationBatch> {
      const checked = checkOptions(options, itemRows);
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
          checkQuery(query, fitted);
          queries.push(query);
        }
        const lists = await rankBlock(queries, checked, isFallback.subarray(from, to));
        out.itemIndex.set(lists.itemIndex, from * topK);
        out.score.set(lists.score, from * topK);
      }
      return { topK, ...out, fallback: isFallback };
    },

    async similarItems(itemIndex, options) {
      const { index, score } = await similarItems.find(itemIndex, checkOptions(options, itemRows));
      return { itemIndex: index, score, source: fitted.name };
    },

    async similarUsers(userIndex, options) {
      const { index, score } = await similarUsers.find(userIndex, checkOptions(options, userRows));
      return { userIndex: index, score, source: fitted.name };
    },

    async explain(query, itemIndex) {
      checkQuery(query, fitted);
      checkRow("explain", itemIndex, itemRows);
      if (isCold(query)) return { ...baseOnly(popularity[itemIndex]), source: FALLBACK_SOURCE };
      if (!fitted.explain) {
        throw new ConfigError(`The model ${fitted.name} cannot explain its scores.`, {
          hint: "They do not split into shares of the asker's items; use a model whose scores do, such as als.",
        });
      }
      return { ...(await fitted.explain(query, itemIndex)), source: fitted.name };
    },

    setApproximateIndex(index) {
      if (index && !hasItemVectors(fitted))
        throw new ConfigError(`The model ${fitted.name} has no vectors of items that an approximate index could hold.`, {
          hint: "Its lists come from an exact scan of all scores; use a model with vectors, such as content or als, or the exact scan.",
        });
      ranker = index ? approximateRanker(fitted, exact, index) : exact;
    },

    dispose() {
      exact.dispose();
      similarItems.dispose();
      similarUsers.dispose();
    },
  };
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

function trim({ itemIndex, score }: RankedLists, source: string): Recommendation {
  let length = itemIndex.length;
  while (length > 0 && itemIndex[length - 1] < 0) length--;
  return { itemIndex: itemIndex.subarray(0, length), score: score.subarray(0, length), source };
}
