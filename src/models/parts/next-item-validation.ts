/**
 * Validation inside the training of a next-item network: the last events of some users are held out, and the network is asked for them
 * after each epoch. Called by next-item-training.ts.
 */
import { createRandom } from "../../core/random.js";
import { gemm } from "../../nn/ops/matrix.js";
import { createSession } from "../../nn/session.js";
import { createGraph, input } from "../../nn/tensor.js";
import type { ItemSequences } from "./user-sequences.js";

const MOST_USERS = 2000;
const BATCH = 64;
const PLACES = 10;

/** 1 for users whose last event is held out: a seeded share of those with three or more, at most 2,000. */
export function heldOutUsers({ offsets, items }: ItemSequences, share: number, seed: number): Uint8Array {
  const held = new Uint8Array(offsets.length - 1);
  const able = Int32Array.from(held.keys()).filter((user) => offsets[user + 1] - offsets[user] >= 3 && items[offsets[user + 1] - 1] >= 0);
  const count = Math.min(MOST_USERS, Math.floor(share * able.length));
  for (const user of createRandom(seed).shuffle(able).subarray(0, count)) held[user] = 1;
  return held;
}

/** Writes the last state of each history, that of the sequence (or user) of the same place. */
export type EncodeHeldOut = (histories: readonly Int32Array[], sequences: Int32Array, out: Float32Array) => Promise<void>;

export interface Asked {
  encode: EncodeHeldOut;
  /** 1 for users who are asked. */
  heldOut: Uint8Array;
  dimensions: number;
}

/** NDCG@10 of the held-out events among all items but those of the history, since its last border (−1) where it has one; `items`: numItems × dimensions. */
export async function nextItemNdcg(
  { sequences, items, numItems }: { sequences: ItemSequences; items: Float32Array; numItems: number },
  { encode, heldOut, dimensions }: Asked,
): Promise<number> {
  const { offsets, items: events } = sequences;
  const users = Int32Array.from(heldOut.keys()).filter((user) => heldOut[user] === 1);
  const histories = Array.from(users, (user) => events.subarray(offsets[user], offsets[user + 1] - 1));
  const states = new Float32Array(Math.ceil(users.length / BATCH) * BATCH * dimensions);
  await encode(histories, users, states);
  const graph = createGraph();
  const product = gemm(input(graph, "states", [BATCH, dimensions]), input(graph, "items", [numItems, dimensions]), { transposeB: true });
  const session = await createSession({ scores: product });
  let sum = 0;
  for (let from = 0; from < users.length; from += BATCH) {
    await session.run({ states: states.subarray(from * dimensions, (from + BATCH) * dimensions), items });
    for (let k = from; k < Math.min(users.length, from + BATCH); k++) {
      const scores = session.outputs.scores.subarray((k - from) * numItems, (k - from + 1) * numItems);
      const target = events[offsets[users[k] + 1] - 1];
      const own = scores[target];
      for (const item of histories[k].subarray(histories[k].lastIndexOf(-1) + 1)) scores[item] = -Infinity;
      let place = 0;
      for (let item = 0; item < numItems && place < PLACES; item++) if (scores[item] >= own && item !== target) place++;
      if (place < PLACES) sum += 1 / Math.log2(place + 2);
    }
  }
  await session.release();
  return sum / users.length;
}
