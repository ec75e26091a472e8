/**
 * Sequences cut into batches of equal length: each goes to the shortest bucket that holds it, right-padded. One graph is compiled per
 * bucket; padding costs little and shapes stay fixed. Called by sasrec and the recurrent models.
 */
import type { Random } from "../../core/random.js";
import type { ItemSequences } from "./user-sequences.js";

/** Inputs and targets of a batch: batch × length, row-major; −1 where there is nothing. */
export interface SequenceBatch {
  bucket: number;
  /** Sequences in it, one per row; the rest of the rows is empty. */
  rows: Int32Array;
  inputs: Int32Array;
  targets: Int32Array;
}

export interface Bucket {
  length: number;
  batch: number;
}

const LENGTHS = [1, 2, 3, 4, 6, 8, 11, 15, 20, 28, 38, 50, 70, 100, 140, 200, 280, 400];

/** Buckets up to `longest` inputs, each of about `positions` positions, at most `mostRows` sequences. */
export function bucketsFor(longest: number, positions: number, mostRows = 512): Bucket[] {
  const lengths = [...LENGTHS.filter((length) => length < longest), longest];
  return lengths.map((length) => ({ length, batch: Math.max(1, Math.min(mostRows, Math.round(positions / length))) }));
}

/** Users by bucket: those with at least one input and one target. `droppedLast`: users whose last event is held out. */
export function usersByBucket(sequences: ItemSequences, buckets: readonly Bucket[], droppedLast?: Uint8Array): Int32Array[] {
  const users: number[][] = buckets.map(() => []);
  for (let user = 0; user + 1 < sequences.offsets.length; user++) {
    const inputs = lengthOf(sequences, user, droppedLast) - 1;
    if (inputs >= 1) users[buckets.findIndex(({ length }, b) => inputs <= length || b === buckets.length - 1)].push(user);
  }
  return users.map((list) => Int32Array.from(list));
}

const lengthOf = ({ offsets }: ItemSequences, user: number, droppedLast?: Uint8Array) =>
  offsets[user + 1] - offsets[user] - (droppedLast?.[user] ?? 0);

export const numBatches = (users: readonly Int32Array[], buckets: readonly Bucket[]): number =>
  users.reduce((sum, list, b) => sum + Math.ceil(list.length / buckets[b].batch), 0);

/** All batches of an epoch: users shuffled within their bucket, batches in random order. Each target is the item after its input. */
export function* sequenceBatches(
  sequences: ItemSequences,
  { buckets, users, droppedLast }: { buckets: readonly Bucket[]; users: readonly Int32Array[]; droppedLast?: Uint8Array },
  random: Random,
): Iterable<SequenceBatch> {
  const shuffled = users.map((list) => random.shuffle(list.slice()));
  const order: [bucket: number, from: number][] = [];
  shuffled.forEach((list, b) => {
    for (let from = 0; from < list.length; from += buckets[b].batch) order.push([b, from]);
  });
  for (const [bucket, from] of random.shuffle(order)) {
    const { length, batch } = buckets[bucket];
    const list = shuffled[bucket].subarray(from, from + batch);
    const inputs = new Int32Array(batch * length).fill(-1);
    const targets = new Int32Array(batch * length).fill(-1);
    list.forEach((user, row) => {
      const end = sequences.offsets[user] + lengthOf(sequences, user, droppedLast);
      const count = Math.min(length, end - sequences.offsets[user] - 1);
      for (let k = 0; k < count; k++) {
        inputs[row * length + k] = sequences.items[end - 1 - count + k];
        targets[row * length + k] = sequences.items[end - count + k];
      }
    });
    yield { bucket, rows: list, inputs, targets };
  }
}
