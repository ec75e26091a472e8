/**
 * EASE (Gram matrix, inverse, weights) beside numpy with OpenBLAS: the same pairs and λ, numpy's general inverse in float32 by turns,
 * and once in float64, whose weights and lists are the measure of ours. Floor: items³ flops at the rate of `peakFlops`, the general
 * inverse takes 2 · items³.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createArena } from "#dist/kernels/arena.js";
import { computeEase } from "#dist/kernels/ease.js";
import { bestVariant } from "#dist/kernels/loader.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { interleave, secondsOf, timing } from "./support/measure.js";
import { startPeer } from "./support/peer.js";
import { type PowerLawData, powerLawData, readFloats } from "./support/power-law.js";

const threads = 2;
const regularization = 500;

interface EaseCase {
  numUsers: number;
  numItems: number;
  numPairs: number;
  repeats: number;
}

export function cases(quick: boolean): BenchCase[] {
  const shapes: EaseCase[] = quick
    ? [{ numUsers: 3000, numItems: 1000, numPairs: 100_000, repeats: 2 }]
    : [
        { numUsers: 30_000, numItems: 4000, numPairs: 2_000_000, repeats: 3 },
        { numUsers: 138_000, numItems: 20_000, numPairs: 10_000_000, repeats: 1 },
      ];
  return shapes.map((shape) => ({
    name: `ease items=${shape.numItems / 1000}k pairs=${shape.numPairs / 1e6}M threads=${threads}`,
    run: (context) => run(shape, context),
  }));
}

async function run({ repeats, ...shape }: EaseCase, { cacheFolder, say }: BenchContext): Promise<BenchResult> {
  const { numUsers, numItems } = shape;
  const data = await powerLawData({ ...shape, seed: 42 }, cacheFolder);
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  const peer = await startPeer({ folder, blasThreads: threads }, say);
  try {
    await peer?.ask("load_ease", { data: data.folder, users: numUsers, items: numItems });
    const weights = new Float32Array(numItems * numItems);
    let gramSeconds = Number.POSITIVE_INFINITY;
    const fit = async () => {
      const start = performance.now();
      await computeEase(
        { ...data, binary: true, regularization },
        { by: "rows", bytes: weights.byteLength, take: (item, row) => weights.set(row, item * numItems) },
        {
          threads,
          onProgress: (done) => {
            if (done === 1) gramSeconds = Math.min(gramSeconds, (performance.now() - start) / 1000);
          },
        },
      );
    };
    const theirs = peer && (() => peer.seconds("fit_ease", { dtype: "float32", regularization }));
    const seconds = await interleave(repeats, () => secondsOf(fit), theirs);
    const ours = timing(seconds.ours, "s");
    const gflops = numItems ** 3 / (ours.min - gramSeconds) / 1e9;
    const peak = await peakGflops();
    const result: BenchResult = {
      ours: { ...ours, build: bestVariant().build },
      quality: { gramSeconds, inverseGflops: gflops, shareOfPeak: gflops / peak },
      ceiling: { gflops: peak },
    };
    if (!peer) return result;
    const theirTiming = timing(seconds.peer, "s");
    const float64 = await peer.ask("fit_ease", { dtype: "float64", regularization });
    return {
      ...result,
      peer: { name: `numpy float32 inverse`, ...theirTiming },
      ratio: theirTiming.median / ours.median,
      quality: { ...result.quality, peerFloat64Seconds: Number(float64.seconds), ...(await compared(data, weights)) },
    };
  } finally {
    peer?.close();
    await rm(folder, { recursive: true, force: true });
  }

  /** Ours against the peer's float64 weights, over some hundred rows and users. */
  async function compared({ matrixByUser }: PowerLawData, weights: Float32Array): Promise<Record<string, number>> {
    const step = Math.max(1, Math.floor(numItems / 300));
    await peer!.ask("ease_rows", { step });
    const rows = await readFloats(path.join(folder, "peer-weights.f32"));
    let [difference, largest] = [0, 0];
    for (let k = 0; k * numItems < rows.length; k++)
      for (let i = 0; i < numItems; i++) {
        difference = Math.max(difference, Math.abs(rows[k * numItems + i] - weights[k * step * numItems + i]));
        largest = Math.max(largest, Math.abs(rows[k * numItems + i]));
      }
    const lists = new Int32Array((await readFile(path.join(folder, "peer-lists.i32"))).buffer.slice(0));
    let [shared, users] = [0, 0];
    for (let user = 0; user < numUsers; user += step, users++) {
      const scores = new Float64Array(numItems);
      const own = matrixByUser.indices.subarray(matrixByUser.offsets[user], matrixByUser.offsets[user + 1]);
      for (const j of own) for (let i = 0; i < numItems; i++) scores[i] += weights[j * numItems + i];
      for (const j of own) scores[j] = Number.NEGATIVE_INFINITY;
      const best = new Set(lists.subarray(users * 10, users * 10 + 10));
      shared += topTen(scores).filter((item) => best.has(item)).length / 10;
    }
    return { largestDifference: difference, largestWeight: largest, sharedTop10: shared / users };
  }
}

function topTen(scores: Float64Array): number[] {
  const tenth = scores.slice().sort()[scores.length - 10];
  const items: number[] = [];
  for (let item = 0; item < scores.length && items.length < 10; item++) if (scores[item] >= tenth) items.push(item);
  return items;
}

/** GFLOP/s of multiply-adds that touch no memory, all threads together: the best of ten passes. */
async function peakGflops(): Promise<number> {
  const count = 256;
  const plan = { purpose: "Measuring the peak", hint: "Free some memory.", blocks: { sums: count * 4 }, scratchBytes: 64 };
  const arena = await createArena(plan, { threads });
  const work = { count, chunk: 4, args: [arena.pointers.sums] };
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < 10; pass++) best = Math.min(best, await secondsOf(() => arena.parallel("peakFlops", work)));
  arena.dispose();
  return (count * 2 ** 18 * 96) / best / 1e9;
}
