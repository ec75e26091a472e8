/**
 * Items held out of some users' rows, to stop a training on: a fifth of the items of a seeded share of users. Judged by NDCG@10 among
 * all items that the user is not known to have. Called by the neural models that learn from the user × item matrix.
 */
import type { Csr } from "../../core/interactions.js";
import { createRandom } from "../../core/random.js";
import { gemm } from "../../nn/ops/matrix.js";
import { createSession } from "../../nn/session.js";
import { createGraph, input } from "../../nn/tensor.js";
import { topOfRow } from "../../ranking/top-of-row.js";

const [LEAST_ITEMS, MOST_USERS, HELD_OUT] = [5, 1000, 0.2];
const [TOP_K, BLOCK] = [10, 64];

export interface HeldOutItems {
  /** What is left to learn from; `pairs` itself where nothing is held out. */
  train: Csr;
  /** Users with held-out items, ascending. */
  users: Int32Array;
  /** The held-out items of each, in that order. */
  items: readonly Int32Array[];
}

/** `share`: of the users with five or more items, at most 1000 users. Rows of `pairs` are ascending. */
export function holdOutItems(pairs: Csr, { share, seed }: { share: number; seed: number }): HeldOutItems {
  const { numRows, offsets, indices } = pairs;
  const random = createRandom(seed);
  const able = Int32Array.from({ length: numRows }, (_, user) => user).filter((user) => offsets[user + 1] - offsets[user] >= LEAST_ITEMS);
  const count = Math.min(MOST_USERS, Math.floor(share * able.length));
  if (count === 0) return { train: pairs, users: new Int32Array(0), items: [] };
  const users = random.shuffle(able).slice(0, count).sort();
  const left = new Uint8Array(indices.length);
  const items = Array.from(users, (user) => {
    const places = random.shuffle(Int32Array.from({ length: offsets[user + 1] - offsets[user] }, (_, e) => offsets[user] + e));
    const drawn = places.subarray(0, Math.max(1, Math.floor(HELD_OUT * places.length))).sort();
    for (const e of drawn) left[e] = 1;
    return Int32Array.from(drawn, (e) => indices[e]);
  });
  const kept = new Int32Array(offsets.length);
  for (let row = 0, total = 0; row < numRows; row++) {
    for (let e = offsets[row]; e < offsets[row + 1]; e++) if (left[e] === 0) total++;
    kept[row + 1] = total;
  }
  const stays = (_: number, e: number) => left[e] === 0;
  return { train: { ...pairs, offsets: kept, indices: indices.filter(stays), values: pairs.values.filter(stays) }, users, items };
}

export interface HeldOutJudge {
  /** Mean NDCG@10 over the users, for query vectors (one row per user) and item vectors as they now are. */
  ndcg(): Promise<number>;
  release(): Promise<void>;
}

export interface JudgedVectors {
  dimensions: number;
  /** numItems × dimensions, read at every call. */
  items: Float32Array;
  /** Writes the vectors of these users' rows of `train`, users × dimensions. */
  encode(users: Int32Array, out: Float32Array): Promise<void>;
}

export async function createHeldOutJudge(held: HeldOutItems, vectors: JudgedVectors, options: { threads: number }): Promise<HeldOutJudge> {
  const { train, users, items } = held;
  const { dimensions, encode } = vectors;
  const numItems = vectors.items.length / dimensions;
  const graph = createGraph();
  const [queries, table] = [input(graph, "queries", [BLOCK, dimensions]), input(graph, "items", [numItems, dimensions])];
  const session = await createSession({ scores: gemm(queries, table, { transposeB: true }) }, options);
  session.bind("items", vectors.items);
  const list = { itemIndex: new Int32Array(TOP_K), score: new Float32Array(TOP_K), at: 0, topK: TOP_K };
  return {
    release: () => session.release(),
    async ndcg() {
      const encoded = new Float32Array(users.length * dimensions);
      await encode(users, encoded);
      const block = new Float32Array(BLOCK * dimensions);
      let sum = 0;
      for (let from = 0; from < users.length; from += BLOCK) {
        const to = Math.min(users.length, from + BLOCK);
        block.set(encoded.subarray(from * dimensions, to * dimensions));
        await session.run({ queries: block });
        const scores = session.outputs.scores as Float32Array;
        for (let k = from; k < to; k++) {
          const row = scores.subarray((k - from) * numItems, (k - from + 1) * numItems);
          for (let e = train.offsets[users[k]]; e < train.offsets[users[k] + 1]; e++) row[train.indices[e]] = -Infinity;
          const found = topOfRow(row, list);
          sum += ndcgOf(list.itemIndex.subarray(0, found), items[k]);
        }
      }
      return sum / users.length;
    },
  };
}

function ndcgOf(list: Int32Array, relevant: Int32Array): number {
  let [gain, ideal] = [0, 0];
  for (let place = 0; place < TOP_K; place++) {
    if (place < list.length && relevant.includes(list[place])) gain += 1 / Math.log2(place + 2);
    if (place < relevant.length) ideal += 1 / Math.log2(place + 2);
  }
  return gain / ideal;
}
