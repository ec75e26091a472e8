/**
 * Exact top-10 of one query over a million vectors, beside numpy: the plain float32 scan, and the 4-bit first pass that proves its list
 * by an error bound, on vectors of several shapes. Checked against float64 and, bit for bit, against the float32 scan.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { bestVariant } from "#dist/kernels/loader.js";
import { createTopKIndex, type TopKIndex } from "#dist/kernels/top-k.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { interleave, notePeak, secondsOf, timing } from "./support/measure.js";
import { startPeer } from "./support/peer.js";
import { writeArray } from "./support/power-law.js";
import { type Scan, scanFloor } from "./support/scan-floor.js";
import { makeVectors, type VectorShape } from "./support/vectors.js";

const topK = 10;
const dimensions = 90;
const shapes: VectorShape[] = ["uniform", "normal", "decaying", "popularity", "clustered", "heavy"];

export function cases(quick: boolean): BenchCase[] {
  const numItems = quick ? 100_000 : 1_000_000;
  const size = `items=${quick ? "100k" : "1M"} dimensions=${dimensions} queries=1`;
  const both = [1, 2].flatMap((threads) => [
    { scan: "f32" as const, shape: "uniform" as const, threads },
    { scan: "int4" as const, shape: "uniform" as const, threads },
  ]);
  const others = shapes.slice(1).map((shape) => ({ scan: "int4" as const, shape, threads: 1 }));
  return [...both, ...others].map(({ scan, shape, threads }) => ({
    name: `top-10 ${scan} ${size}${shape === "uniform" ? "" : ` shape=${shape}`} threads=${threads}`,
    run: (context) => oneQuery({ numItems, scan, shape, threads }, context),
  }));
}

interface OneQuery {
  numItems: number;
  scan: Scan;
  shape: VectorShape;
  threads: number;
}

async function oneQuery({ numItems, scan, shape, threads }: OneQuery, { quick, say }: BenchContext): Promise<BenchResult> {
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  const peer = shape === "uniform" ? await startPeer({ folder, blasThreads: threads }, say) : undefined;
  try {
    const numQueries = quick ? 10 : 40;
    const { items, queries } = makeVectors(shape, { numItems, numQueries, dimensions });
    const query = queries.subarray(0, dimensions);
    await writeArray(path.join(folder, "items.f32"), items);
    await writeArray(path.join(folder, "query.f32"), query);
    await peer?.ask("load_items", { items: numItems, dimensions });
    const index = await createTopKIndex(items, { numItems, dimensions, threads, quantized: scan === "f32" ? "never" : "auto" });
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
    notePeak();
    const result: BenchResult = {
      ours: { ...timing(seconds.ours, "ms"), build: bestVariant().build },
      quality: await judge(index, { items, queries, scan, threads }),
      ceiling: await scanFloor(items, { dimensions, scan, threads }),
    };
    index.dispose();
    if (!peer) return result;
    const theirItems = (await peer.ask("search", { top_k: topK, repeats: 1 })).items as number[];
    const theirTiming = timing(seconds.peer, "ms");
    return {
      ...result,
      peer: { name: "numpy", ...theirTiming },
      ratio: theirTiming.median / result.ours.median,
      quality: { ...result.quality, sameItems: theirItems.filter((item) => itemIndex.includes(item)).length },
    };
  } finally {
    peer?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Many different queries: their median time, how many lists the quantised pass proved, and whether they are right. */
async function judge(
  index: TopKIndex,
  { items, queries, scan, threads }: { items: Float32Array; queries: Float32Array; scan: Scan; threads: number },
): Promise<Record<string, number>> {
  const numItems = items.length / dimensions;
  const numQueries = queries.length / dimensions;
  const before = { ...index.counts };
  const seconds: number[] = [];
  const lists: { itemIndex: Int32Array; score: Float32Array }[] = [];
  for (let q = 0; q < numQueries; q++) {
    const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
    seconds.push(
      await secondsOf(async () => {
        lists.push(await index.search(query, { topK }));
      }),
    );
  }
  const proven = (index.counts.int4 - before.int4) / numQueries;
  const checked = Math.min(numQueries, 5);
  let right = 0;
  for (let q = 0; q < checked; q++) right += equalsFloat64(items, queries.subarray(q * dimensions, (q + 1) * dimensions), lists[q]) ? 1 : 0;
  const figures: Record<string, number> = { medianMsOfManyQueries: timing(seconds, "ms").median, equalToFloat64: right / checked };
  if (scan === "f32") return figures;
  const exact = await createTopKIndex(items, { numItems, dimensions, threads, quantized: "never" });
  let same = 0;
  for (let q = 0; q < numQueries; q++) {
    const list = await exact.search(queries.subarray(q * dimensions, (q + 1) * dimensions), { topK });
    same += list.itemIndex.every((item, k) => item === lists[q].itemIndex[k] && list.score[k] === lists[q].score[k]) ? 1 : 0;
  }
  exact.dispose();
  return { ...figures, proven, sameBitsAsFloat32: same / numQueries };
}

/** The same set of items, up to scores within 1e-6 of the largest. */
function equalsFloat64(items: Float32Array, query: Float32Array, { itemIndex }: { itemIndex: Int32Array }): boolean {
  const scores = new Float64Array(items.length / dimensions);
  for (let item = 0; item < scores.length; item++) {
    let sum = 0;
    for (let d = 0; d < dimensions; d++) sum += items[item * dimensions + d] * query[d];
    scores[item] = sum;
  }
  const best = scores.slice().sort().subarray(-topK);
  const slack = 1e-6 * Math.max(Math.abs(best[0]), Math.abs(best[topK - 1]));
  return new Set(itemIndex).size === topK && itemIndex.every((item) => scores[item] >= best[0] - slack);
}
