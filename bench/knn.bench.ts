/**
 * The 100 nearest items of every item beside implicit's all_pairs_knn (of CosineRecommender and BM25Recommender): both get the same
 * weighted values and find the largest products. scipy's sparse product alone, without selection, is timed once beside them.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Csr } from "#dist/core/interactions.js";
import { bestVariant } from "#dist/kernels/loader.js";
import { type Neighbours, sparseNeighbours } from "#dist/kernels/sparse-neighbours.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { interleave, readBandwidth, secondsOf, timing } from "./support/measure.js";
import { startPeer } from "./support/peer.js";
import { millions, type PowerLawShape, powerLawData, scalingShapes, writeArray } from "./support/power-law.js";

const count = 100;
const sizes = {
  full: { numUsers: 138_000, numItems: 27_000, numPairs: 18_600_000, seed: 42 },
  quick: { numUsers: 14_000, numItems: 9_000, numPairs: 1_860_000, seed: 42 },
};

interface KnnCase {
  similarity: "cosine" | "bm25";
  threads: number;
  size: PowerLawShape;
}

export function cases(quick: boolean): BenchCase[] {
  const size = quick ? sizes.quick : sizes.full;
  const list: KnnCase[] = [
    { similarity: "cosine", threads: 2, size },
    { similarity: "bm25", threads: 2, size },
    { similarity: "cosine", threads: 1, size },
    ...scalingShapes(quick).map((shape): KnnCase => ({ similarity: "cosine", threads: 2, size: shape })),
  ];
  return list.map((knnCase) => ({
    name: `item-neighbours ${knnCase.similarity} top=${count} threads=${knnCase.threads} pairs=${millions(knnCase.size.numPairs)}`,
    run: (context) => run(knnCase, context),
  }));
}

async function run({ similarity, threads, size }: KnnCase, { quick, cacheFolder, say }: BenchContext): Promise<BenchResult> {
  const { matrixByItem } = await powerLawData(size, cacheFolder);
  const matrix = { ...matrixByItem, values: similarity === "cosine" ? unitRows(matrixByItem) : bm25(matrixByItem) };
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  const peer = await startPeer({ folder, blasThreads: 1 }, say);
  try {
    for (const name of ["offsets", "indices", "values"] as const) await writeArray(path.join(folder, `weighted-${name}`), matrix[name]);
    await peer?.ask("load_weighted", { items: size.numItems, users: size.numUsers });
    let found: Neighbours | undefined;
    const ours = () =>
      secondsOf(async () => {
        found = await sparseNeighbours(matrix, { count, threads });
      });
    const theirs = peer && (() => peer.seconds("nearest_items", { count: count + 1, threads })); // the item itself takes a place there
    if (quick) await interleave(1, ours, theirs); // warm-up; a full run is long enough without
    const seconds = await interleave(3, ours, theirs);
    const result: BenchResult = {
      ours: { ...timing(seconds.ours, "s"), build: bestVariant().build },
      quality: { multiplyAdds: pairsOf(matrix) },
    };
    if (peer) {
      const theirTiming = timing(seconds.peer, "s");
      result.peer = { name: peer.name, ...theirTiming };
      result.ratio = theirTiming.median / result.ours.median;
      result.quality = {
        ...result.quality,
        sameNeighbours: await shareOfSame(found!, path.join(folder, "peer-neighbours.i32")),
        scipyProductSeconds: await peer.seconds("product"),
      };
    }
    result.ceiling = { readGBps: await readBandwidth(threads) };
    return result;
  } finally {
    peer?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Multiply-adds of our way: every pair of entries of a column once. */
function pairsOf({ numColumns, indices }: Csr): number {
  const lengths = new Float64Array(numColumns);
  for (const column of indices) lengths[column]++;
  return lengths.reduce((sum, length) => sum + (length * (length - 1)) / 2, 0);
}

function unitRows({ numRows, offsets, values }: Csr): Float32Array {
  const out = values.slice();
  for (let row = 0; row < numRows; row++) {
    const own = out.subarray(offsets[row], offsets[row + 1]);
    const norm = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    for (let e = 0; e < own.length; e++) own[e] /= norm;
  }
  return out;
}

/** implicit's bm25_weight with the constants of its BM25Recommender. */
function bm25({ numRows, numColumns, offsets, indices, values }: Csr): Float32Array {
  const [k1, b] = [1.2, 0.75];
  const holders = new Float64Array(numColumns);
  for (const column of indices) holders[column]++;
  const mean = values.reduce((sum, value) => sum + value, 0) / numRows;
  const out = values.slice();
  for (let row = 0; row < numRows; row++) {
    const own = out.subarray(offsets[row], offsets[row + 1]);
    const norm = 1 - b + (b * own.reduce((sum, value) => sum + value, 0)) / mean;
    for (let e = 0; e < own.length; e++) {
      const idf = Math.log(numRows) - Math.log1p(holders[indices[offsets[row] + e]]);
      own[e] = ((own[e] * (k1 + 1)) / (k1 * norm + own[e])) * idf;
    }
  }
  return out;
}

/** Share of the peer's neighbours, without the items themselves, that are ours too. */
async function shareOfSame({ numRows, offsets, indices }: Neighbours, file: string): Promise<number> {
  const buffer = await readFile(file);
  const theirs = new Int32Array(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) as ArrayBuffer);
  let [same, all] = [0, 0];
  for (let row = 0; row < numRows; row++) {
    const own = new Set(indices.subarray(offsets[row], offsets[row + 1]));
    const others = theirs.subarray(row * (count + 1), (row + 1) * (count + 1)).filter((item) => item >= 0 && item !== row);
    for (const item of others.subarray(0, count)) {
      all++;
      if (own.has(item)) same++;
    }
  }
  return same / all;
}
