/**
 * Exact top-10: one query over a million vectors beside numpy, and lists for all users without their seen items beside implicit.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createRandom } from "#dist/core/random.js";
import { createAlsSolver } from "#dist/kernels/als.js";
import { bestVariant } from "#dist/kernels/loader.js";
import { createTopKIndex } from "#dist/kernels/top-k.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { interleave, readBandwidth, secondsOf, timing } from "./support/measure.js";
import { startPeer } from "./support/peer.js";
import { powerLawData, writeArray } from "./support/power-law.js";

const topK = 10;

export function cases(quick: boolean): BenchCase[] {
  const items = quick ? 100_000 : 1_000_000;
  const users = quick
    ? { numUsers: 14_000, numItems: 9_000, numPairs: 1_860_000 }
    : { numUsers: 138_000, numItems: 27_000, numPairs: 18_600_000 };
  return [
    ...[1, 2].map((threads) => ({
      name: `top-10 f32 items=${quick ? "100k" : "1M"} dimensions=90 queries=1 threads=${threads}`,
      run: (context: BenchContext) => oneQuery({ numItems: items, dimensions: 90, threads }, context),
    })),
    {
      name: `top-10 f32 items=${users.numItems / 1000}k dimensions=64 queries=${users.numUsers / 1000}k threads=2`,
      run: (context: BenchContext) => allUsers({ ...users, factors: 64, threads: 2 }, context),
    },
  ];
}

async function oneQuery(
  shape: { numItems: number; dimensions: number; threads: number },
  { quick, say }: BenchContext,
): Promise<BenchResult> {
  const { numItems, dimensions, threads } = shape;
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  const peer = await startPeer({ folder, blasThreads: threads }, say);
  try {
    const random = createRandom(7);
    const items = new Float32Array(numItems * dimensions);
    for (let k = 0; k < items.length; k++) items[k] = random.uniform() - 0.5;
    const query = Float32Array.from({ length: dimensions }, () => random.normal());
    await writeArray(path.join(folder, "items.f32"), items);
    await writeArray(path.join(folder, "query.f32"), query);
    await peer?.ask("load_items", { items: numItems, dimensions });
    const index = await createTopKIndex(items, { numItems, dimensions, threads });
    const runs = 20; // the best of a few in a row, on both sides: a search is short against a change of process
    const ours = async () => {
      let best = Number.POSITIVE_INFINITY;
      for (let run = 0; run < runs; run++) best = Math.min(best, await secondsOf(() => index.search(query, { topK })));
      return best;
    };
    const theirs = peer && (() => peer.seconds("search", { top_k: topK, repeats: runs }));
    await interleave(1, ours, theirs);
    const seconds = await interleave(quick ? 3 : 9, ours, theirs);
    const { itemIndex } = await index.search(query, { topK });
    index.dispose();
    const bandwidth = await readBandwidth(threads);
    const ceiling = { readGBps: bandwidth, readMs: (numItems * dimensions * 4) / bandwidth / 1e6 };
    const result: BenchResult = { ours: { ...timing(seconds.ours, "ms"), build: bestVariant().build }, ceiling };
    if (!peer) return result;
    const theirItems = (await peer.ask("search", { top_k: topK, repeats: 1 })).items as number[];
    const theirTiming = timing(seconds.peer, "ms");
    return {
      ...result,
      peer: { name: "numpy", ...theirTiming },
      ratio: theirTiming.median / result.ours.median,
      quality: { sameItems: theirItems.filter((item) => itemIndex.includes(item)).length },
    };
  } finally {
    peer?.close();
    await rm(folder, { recursive: true, force: true });
  }
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
    const { itemIndex } = await search();
    index.dispose();
    const result: BenchResult = { ours: { ...timing(seconds.ours, "s"), build: bestVariant().build } };
    result.quality = { multiplyAddsPerSecond: (numUsers * numItems * factors) / result.ours.median };
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
