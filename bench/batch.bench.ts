/**
 * Top-10 lists for all users of a trained model without their seen items, beside implicit; also by the float32 scan alone.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createRandom } from "#dist/core/random.js";
import { createAlsSolver } from "#dist/kernels/als.js";
import { bestVariant } from "#dist/kernels/loader.js";
import { createTopKIndex } from "#dist/kernels/top-k.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { interleave, notePeak, secondsOf, timing } from "./support/measure.js";
import { startPeer } from "./support/peer.js";
import { powerLawData, writeArray } from "./support/power-law.js";

const topK = 10;

export function cases(quick: boolean): BenchCase[] {
  const users = quick
    ? { numUsers: 14_000, numItems: 9_000, numPairs: 1_860_000 }
    : { numUsers: 138_000, numItems: 27_000, numPairs: 18_600_000 };
  return [1, 2].map((threads) => ({
    name: `batch top-10 items=${users.numItems / 1000}k f=64 users=${users.numUsers / 1000}k threads=${threads}`,
    run: (context) => allUsers({ ...users, factors: 64, threads }, context),
  }));
}

interface AllUsersCase {
  numUsers: number;
  numItems: number;
  numPairs: number;
  factors: number;
  threads: number;
}

async function allUsers(shape: AllUsersCase, { quick, cacheFolder, say }: BenchContext): Promise<BenchResult> {
  const { numUsers, numItems, factors, threads } = shape;
  const data = await powerLawData({ ...shape, seed: 42 }, cacheFolder);
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  const peer = await startPeer({ folder, blasThreads: 1 }, say);
  try {
    const { userFactors, itemFactors } = await trainedFactors(data, shape);
    await writeArray(path.join(folder, "user-factors.f32"), userFactors);
    await writeArray(path.join(folder, "item-factors.f32"), itemFactors);
    const unused = { alpha: 1, regularization: 0.1, solver: "cg" };
    await peer?.ask("load_als", { data: data.folder, users: numUsers, items: numItems, factors, threads, ...unused });
    const index = await createTopKIndex(itemFactors, { numItems, dimensions: factors, threads });
    const excluded = { offsets: data.matrixByUser.offsets, indices: data.matrixByUser.indices };
    const search = () => index.search(userFactors, { topK, excluded });
    const ours = () => secondsOf(search);
    const theirs = peer && (() => peer.seconds("recommend_all", { top_k: topK }));
    const seconds = await interleave(quick ? 2 : 3, ours, theirs);
    const { itemIndex, score } = await search();
    const { int16, float32, unproven } = index.counts;
    index.dispose();
    notePeak();
    const plain = await createTopKIndex(itemFactors, { numItems, dimensions: factors, threads, quantized: "never" });
    let exact = { itemIndex, score };
    const float32Seconds = await secondsOf(async () => {
      exact = await plain.search(userFactors, { topK, excluded });
    });
    plain.dispose();
    const same = itemIndex.every((item, place) => item === exact.itemIndex[place] && score[place] === exact.score[place]);
    const result: BenchResult = { ours: { ...timing(seconds.ours, "s"), build: bestVariant().build } };
    result.quality = {
      multiplyAddsPerSecond: (numUsers * numItems * factors) / result.ours.median,
      float32Seconds,
      sameBitsAsFloat32: same ? "yes" : "no",
      proven: int16 / (int16 + float32),
      unproven,
    };
    if (!peer) return result;
    const theirTiming = timing(seconds.peer, "s");
    const sameItems = await shareOfSameItems(itemIndex, path.join(folder, "peer-lists.i32"));
    return {
      ...result,
      peer: { name: peer.name, ...theirTiming },
      ratio: theirTiming.median / result.ours.median,
      quality: { ...result.quality, sameItems },
    };
  } finally {
    peer?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Two exact sweeps, so that scores have the shape of a model's. */
async function trainedFactors(data: Awaited<ReturnType<typeof powerLawData>>, { numUsers, numItems, factors, threads }: AllUsersCase) {
  const random = createRandom(3);
  const start = (rows: number) => Float32Array.from({ length: rows * factors }, () => 0.01 * random.uniform());
  const als = await createAlsSolver(
    {
      matrixByUser: data.matrixByUser,
      matrixByItem: data.matrixByItem,
      factors,
      alpha: 2,
      unobservedWeight: 1,
      regularization: 0.05,
      regularizationExponent: 0,
      solver: "cholesky",
      cgSteps: 3,
      userFactors: start(numUsers),
      itemFactors: start(numItems),
    },
    { threads },
  );
  for (const side of ["users", "items", "users"] as const) await als.sweep(side);
  const result = { userFactors: als.userFactors(), itemFactors: als.itemFactors() };
  als.dispose();
  return result;
}

/** Share of places that hold an item of the peer's list too. */
async function shareOfSameItems(itemIndex: Int32Array, file: string): Promise<number> {
  const bytes = await readFile(file);
  const theirs = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  let same = 0;
  for (let list = 0; list < itemIndex.length; list += topK) {
    const known = new Set(theirs.subarray(list, list + topK));
    for (let place = list; place < list + topK; place++) if (known.has(itemIndex[place])) same++;
  }
  return same / itemIndex.length;
}
