/**
 * A user's history as a row of the user × item matrix, whether it stands in the training data or comes with the query,
 * so that both give the same scores; and the place of each item counted from the newest, for models with decay.
 * Called by item-weights.ts and models that read histories.
 */
import type { Csr, Interactions } from "../../core/interactions.js";
import type { HistoryEvent, Query } from "../../core/model.js";
import { eventSequences } from "./sequences.js";

/** One row of a matrix: items ascending, each once. */
export interface HistoryRow {
  indices: Int32Array;
  /** Summed weights. */
  weights: Float32Array;
  /** Place of each item among the distinct ones, 0 = newest; present where it was asked for. */
  recency?: Int32Array;
}

/** The row of a query: its `history` when it has one, else the row of its user in `seen`; empty for an unknown user. */
export function historyRow(query: Query, seen: Csr, seenRecency?: Int32Array): HistoryRow {
  if (query.history?.length) return rowOfEvents(query.history, seenRecency !== undefined);
  const user = query.userIndex ?? -1;
  const [from, to] = user >= 0 ? [seen.offsets[user], seen.offsets[user + 1]] : [0, 0];
  return {
    indices: seen.indices.subarray(from, to),
    weights: seen.values.subarray(from, to),
    recency: seenRecency?.subarray(from, to),
  };
}

/** Weights of repeated items are summed as `Interactions.matrixByUser` sums them: in float64, in order, rounded once. */
export function rowOfEvents(history: readonly HistoryEvent[], withRecency = false): HistoryRow {
  const sums = new Map<number, number>();
  for (const { itemIndex, weight = 1 } of history) sums.set(itemIndex, (sums.get(itemIndex) ?? 0) + Math.fround(weight));
  const indices = Int32Array.from(sums.keys()).sort();
  const weights = Float32Array.from(indices, (item) => sums.get(item)!);
  if (!withRecency) return { indices, weights };
  const places = new Map<number, number>();
  for (let e = history.length - 1; e >= 0; e--) if (!places.has(history[e].itemIndex)) places.set(history[e].itemIndex, places.size);
  return { indices, weights, recency: Int32Array.from(indices, (item) => places.get(item)!) };
}

/**
 * For every entry of `train.matrixByUser()` the place of the item among the user's distinct items, 0 = newest.
 * Events are ordered by time, equal times (and data without times) by input order.
 */
export function recencyOf(train: Interactions): Int32Array {
  const { numUsers, itemIndex } = train;
  const { offsets, positions } = eventSequences(train);
  const seen = train.matrixByUser();
  const recency = new Int32Array(seen.indices.length);
  const place = new Int32Array(train.numItems);
  const placedFor = new Int32Array(train.numItems).fill(-1);
  for (let user = 0; user < numUsers; user++) {
    let next = 0;
    for (let slot = offsets[user + 1] - 1; slot >= offsets[user]; slot--) {
      const item = itemIndex[positions[slot]];
      if (placedFor[item] === user) continue;
      placedFor[item] = user;
      place[item] = next++;
    }
    for (let e = seen.offsets[user]; e < seen.offsets[user + 1]; e++) recency[e] = place[seen.indices[e]];
  }
  return recency;
}
