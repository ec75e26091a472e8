/**
 * Similar songs among a million, 90 features each, given three: by the exact scan and by 4-bit codes that prove their list, one thread;
 * from a saved model to its first answer, in a process of its own; and by the approximate index, with its recall.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Query } from "#dist/core/model.js";
import { createRandom } from "#dist/core/random.js";
import { distinctIdMap } from "#dist/data/id-map.js";
import { Interactions } from "#dist/data/interactions.js";
import { bestVariant } from "#dist/kernels/loader.js";
import { createTopKIndex } from "#dist/kernels/top-k.js";
import { fit } from "#dist/models/registry.js";
import type { Recommender } from "#dist/ranking/recommender.js";
import { openApproximateIndex } from "#dist/service/approximate-index.js";
import { indexSchema } from "#dist/service/recipe/route-schema.js";
import { saveModel } from "#dist/store/model-folder.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { interleave, notePeak, secondsOf, timing } from "./support/measure.js";
import { startPeer } from "./support/peer.js";
import { writeArray } from "./support/power-law.js";
import { type Scan, scanFloor } from "./support/scan-floor.js";
import { numFeatures, type SongKind, songFeatures } from "./support/song-features.js";

const topK = 10;
const build = () => bestVariant().build;
const name = (count: number) => (count >= 1e6 ? `${count / 1e6}M` : `${count / 1000}k`);

export function cases(quick: boolean): BenchCase[] {
  const songs = quick ? 100_000 : 1_000_000;
  const few = quick ? 20_000 : 200_000;
  const size = `songs=${name(songs)} features=${numFeatures}`;
  const scans = (["songs", "isotropic", "raw"] as const).flatMap((kind) =>
    (["f32", "int4"] as const).map((scan) => ({
      name: `content ${scan} ${size}${kind === "songs" ? "" : ` kind=${kind}`} threads=1`,
      run: (context: BenchContext) => oneScan({ kind, songs, scan }, context),
    })),
  );
  return [
    ...scans,
    { name: `content load ${size} threads=1`, run: (context) => fromDisk(songs, context) },
    { name: `content approximate songs=${name(few)} features=${numFeatures}`, run: (context) => byGraph(few, context) },
  ];
}

async function modelOf(kind: SongKind, songs: number): Promise<Recommender> {
  const ids = Array.from({ length: songs }, (_, song) => `SO${String(song).padStart(16, "A")}`); // as long as the real ones
  const catalogue = Interactions.fromArrays({ userIndex: [], itemIndex: [], numUsers: 0, items: distinctIdMap(ids) });
  const itemFeatures = {
    numRows: songs,
    columns: { timbre: { kind: "vector" as const, dimensions: numFeatures, values: songFeatures(kind, songs) } },
  };
  return fit("content", catalogue, { standardize: false }, { itemFeatures, threads: 1 });
}

/** Three songs that someone listened to, again and again others. */
function listeners(songs: number, count: number): Query[] {
  const random = createRandom(3);
  return Array.from({ length: count }, () => ({ history: Array.from({ length: 3 }, () => ({ itemIndex: random.integer(songs) })) }));
}

async function oneScan(
  { kind, songs, scan }: { kind: SongKind; songs: number; scan: Scan },
  { quick, say }: BenchContext,
): Promise<BenchResult> {
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  const peer = kind === "songs" ? await startPeer({ folder, blasThreads: 1 }, say) : undefined;
  try {
    const { fitted } = await modelOf(kind, songs);
    const { dimensions, itemVectors, encode } = fitted.vectors!;
    const questions = listeners(songs, quick ? 10 : 40);
    const queries = new Float32Array(questions.length * dimensions);
    await encode(questions, queries);
    const queryOf = (q: number) => queries.subarray(q * dimensions, (q + 1) * dimensions);
    const excludedOf = (q: number) => {
      const indices = Int32Array.from(new Set(questions[q].history!.map(({ itemIndex }) => itemIndex))).sort();
      return { offsets: Int32Array.of(0, indices.length), indices };
    };
    if (peer) {
      await writeArray(path.join(folder, "items.f32"), itemVectors);
      await writeArray(path.join(folder, "query.f32"), queryOf(0));
      await peer.ask("load_items", { items: songs, dimensions });
    }
    const shape = { numItems: songs, dimensions, threads: 1 };
    const index = await createTopKIndex(itemVectors, { ...shape, quantized: scan === "f32" ? "never" : "auto" });
    const search = (q: number) => index.search(queryOf(q), { topK, excluded: excludedOf(q) });
    const runs = 20; // the best of a few in a row, on both sides: a search is short against a change of process
    const ours = async () => {
      let best = Number.POSITIVE_INFINITY;
      for (let run = 0; run < runs; run++) best = Math.min(best, await secondsOf(() => search(0)));
      return best;
    };
    const theirs = peer && (() => peer.seconds("search", { top_k: topK, repeats: runs }));
    await interleave(1, ours, theirs);
    const seconds = await interleave(quick ? 3 : 9, ours, theirs);
    const before = { ...index.counts };
    const each: number[] = [];
    const lists: Awaited<ReturnType<typeof search>>[] = [];
    for (const q of questions.keys()) {
      const start = performance.now();
      lists.push(await search(q));
      each.push((performance.now() - start) / 1000);
    }
    const proven = (index.counts.int4 - before.int4) / questions.length;
    notePeak();
    index.dispose();
    const exact = await createTopKIndex(itemVectors, { ...shape, quantized: "never" });
    let same = 0;
    for (const q of questions.keys()) {
      const list = await exact.search(queryOf(q), { topK, excluded: excludedOf(q) });
      same += list.itemIndex.every((item, k) => item === lists[q].itemIndex[k] && list.score[k] === lists[q].score[k]) ? 1 : 0;
    }
    exact.dispose();
    const timed = { ...timing(seconds.ours, "ms"), build: build() };
    const many = { medianMsOfManyQuestions: timing(each, "ms").median };
    const result: BenchResult = {
      ours: timed,
      quality: scan === "f32" ? many : { ...many, proven, sameBitsAsFloat32: same / questions.length },
      ceiling: await scanFloor(itemVectors, { dimensions, scan, threads: 1 }),
    };
    if (!peer) return result;
    const theirTiming = timing(seconds.peer, "ms");
    return { ...result, peer: { name: "numpy", ...theirTiming }, ratio: theirTiming.median / timed.median };
  } finally {
    peer?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** From the start of a process to the first answer of a saved model, which is verified on the way. */
async function fromDisk(songs: number, { quick, cacheFolder, say }: BenchContext): Promise<BenchResult> {
  const folder = path.join(cacheFolder, `content-${songs}`);
  if (!existsSync(folder)) {
    say(`content: saving a model of ${name(songs)} songs once`);
    const model = await modelOf("songs", songs);
    await saveModel(model, folder);
    model.dispose();
  }
  const seconds: number[] = [];
  const parts: Record<string, number>[] = [];
  for (let run = 0; run <= (quick ? 1 : 5); run++) {
    const start = performance.now();
    const told = await firstAnswer(folder);
    if (run > 0) seconds.push((performance.now() - start) / 1000); // the first brings the files into the system's cache
    parts.push(told);
  }
  const last = parts[parts.length - 1];
  return { ours: { ...timing(seconds, "s"), build: build() }, quality: last };
}

function firstAnswer(folder: string): Promise<Record<string, number>> {
  const script = fileURLToPath(new URL("support/first-answer.js", import.meta.url));
  const child = spawn(process.execPath, [script, folder], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`The process that loads ended with ${code}.`))));
  });
}

/** Ours is the graph; beside it the exact scan of the same model. */
async function byGraph(songs: number, { say }: BenchContext): Promise<BenchResult> {
  const model = await modelOf("songs", songs);
  say("content: building the graph");
  const report = await openApproximateIndex(model, indexSchema.parse({}));
  const questions = listeners(songs, 200);
  const each: number[] = [];
  for (const question of questions) each.push(await secondsOf(() => model.recommend(question, { topK })));
  notePeak();
  model.dispose();
  const { recall, worst, buildSeconds = 0, exactMilliseconds } = report;
  return {
    ours: { ...timing(each, "ms"), build: build() },
    quality: { recall, worstRecall: worst, buildSeconds, exactMs: exactMilliseconds },
  };
}
