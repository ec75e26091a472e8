/**
 * Events as sequences: each known user's events, and each basket of unknown users, in order of time. Equal times, and data without
 * timestamps, keep the input order. Used by models of the next item.
 */
import type { Interactions } from "../../core/interactions.js";
import type { HistoryEvent } from "../../core/model.js";

export interface Sequences {
  /** Sequence s holds the slots [offsets[s], offsets[s + 1]); the first numUsers sequences are the users'. */
  offsets: Int32Array;
  /** Slot → position of the event in the columns of `Interactions`. */
  positions: Int32Array;
  /** Position → slot; −1 for an event of an unknown user without a basket, which follows nothing. */
  slotOf: Int32Array;
  /** Position → sequence, −1 likewise. */
  sequenceOf: Int32Array;
}

/** O(events), and a sort within each sequence whose input is not in order of time. */
export function eventSequences({ numUsers, numInteractions, userIndex, timestamp, basket }: Interactions): Sequences {
  const sequenceOf = new Int32Array(numInteractions);
  let numSequences = numUsers;
  for (let e = 0; e < numInteractions; e++) {
    const unknownBasket = basket && basket[e] >= 0 ? numUsers + basket[e] : -1;
    sequenceOf[e] = userIndex[e] >= 0 ? userIndex[e] : unknownBasket;
    numSequences = Math.max(numSequences, sequenceOf[e] + 1);
  }
  const offsets = new Int32Array(numSequences + 1);
  for (let e = 0; e < numInteractions; e++) if (sequenceOf[e] >= 0) offsets[sequenceOf[e] + 1]++;
  for (let s = 0; s < numSequences; s++) offsets[s + 1] += offsets[s];
  const positions = new Int32Array(offsets[numSequences]);
  const next = offsets.slice();
  for (let e = 0; e < numInteractions; e++) if (sequenceOf[e] >= 0) positions[next[sequenceOf[e]]++] = e;
  if (timestamp) {
    for (let s = 0; s < numSequences; s++) {
      const own = positions.subarray(offsets[s], offsets[s + 1]);
      if (!ascending(own, timestamp)) own.sort((a, b) => timestamp[a] - timestamp[b] || a - b);
    }
  }
  const slotOf = new Int32Array(numInteractions).fill(-1);
  for (let slot = 0; slot < positions.length; slot++) slotOf[positions[slot]] = slot;
  return { offsets, positions, slotOf, sequenceOf };
}

/** The events in order of time when all have one, else as they stand; stable. */
export function orderedHistory(history: readonly HistoryEvent[]): readonly HistoryEvent[] {
  if (history.some(({ timestamp }) => timestamp === undefined)) return history;
  return history.toSorted((a, b) => a.timestamp! - b.timestamp!);
}

function ascending(positions: Int32Array, timestamp: Float64Array): boolean {
  for (let i = 1; i < positions.length; i++) if (timestamp[positions[i - 1]] > timestamp[positions[i]]) return false;
  return true;
}
