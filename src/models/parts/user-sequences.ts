/**
 * Each user's events in order of time (equal times, and data without times, by input order), as one flat array.
 * Called by the neural sequence models.
 */
import type { Interactions } from "../../core/interactions.js";
import type { ModelState, Query } from "../../core/model.js";
import { savedInt32, savedLength } from "./saved-arrays.js";
import { eventSequences, orderedHistory } from "./sequences.js";

export interface ItemSequences {
  /** Items of user u: items[offsets[u] … offsets[u + 1]), oldest first. */
  offsets: Int32Array;
  items: Int32Array;
}

/** `longest`: only that many of the newest events of each user. */
export function userSequences(train: Interactions, longest = Infinity): ItemSequences {
  const { numUsers, itemIndex } = train;
  const { offsets, positions } = eventSequences(train);
  const kept = new Int32Array(numUsers + 1);
  for (let user = 0; user < numUsers; user++) kept[user + 1] = kept[user] + Math.min(longest, offsets[user + 1] - offsets[user]);
  const items = new Int32Array(kept[numUsers]);
  for (let user = 0; user < numUsers; user++) {
    const from = offsets[user + 1] - (kept[user + 1] - kept[user]);
    for (let slot = from; slot < offsets[user + 1]; slot++) items[kept[user] + slot - from] = itemIndex[positions[slot]];
  }
  return { offsets: kept, items };
}

/** What a model keeps of them. */
export const sequenceArrays = ({ offsets, items }: ItemSequences): ModelState["arrays"] => ({
  offsets: { shape: [offsets.length], data: offsets },
  sequence: { shape: [items.length], data: items },
});

/** The inverse; throws ModelFormatError. */
export const savedSequences = (state: ModelState, numUsers: number): ItemSequences => ({
  offsets: savedInt32(state, "offsets", [numUsers + 1]),
  items: savedInt32(state, "sequence", [savedLength(state, "sequence")]),
});

/** The newest items of an asker, oldest first: of the query's history (by time where all events have one, else array order), else of the user; then the basket. */
export function sequenceOf({ userIndex = -1, history, basket }: Query, { offsets, items }: ItemSequences, longest: number): Int32Array {
  const past = history?.length
    ? Int32Array.from(orderedHistory(history), ({ itemIndex }) => itemIndex)
    : userIndex >= 0
      ? items.subarray(offsets[userIndex], offsets[userIndex + 1])
      : new Int32Array(0);
  const all = basket?.length ? Int32Array.of(...past, ...basket) : past;
  return all.subarray(Math.max(0, all.length - longest));
}
