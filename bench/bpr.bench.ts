/**
 * BPR epochs beside implicit's: the same pairs (power law, with planted tastes; one pair in 50 held out), initial factors, learning rate
 * and λ, epochs by turns, and one function that judges both on the held-out pairs. implicit draws negatives by popularity and pairs with
 * replacement; `uniform` is our default. The quality cases set strata beside a single block, where negatives come from all items.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createRankingSgd, type RankingSgd, type RankingSgdOptions, type RankingSgdProblem } from "#dist/kernels/ranking-sgd.js";
import { rowLength } from "#dist/kernels/ranking-sgd-layout.js";
import { initialRows, vectorsOfRows } from "#dist/models/parts/sgd-rows.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { heldOutQuality, holdOut } from "./support/held-out.js";
import { interleave, readBandwidth, secondsOf, timing } from "./support/measure.js";
import { startPeer } from "./support/peer.js";
import { millions, type PowerLawShape, powerLawData, readFloats, scalingShapes, writeArray } from "./support/power-law.js";

const sizes = {
  full: { numUsers: 138_000, numItems: 27_000, numPairs: 18_600_000, seed: 42, tastes: 20 },
  quick: { numUsers: 14_000, numItems: 9_000, numPairs: 1_860_000, seed: 42, tastes: 20 },
};
const factors = 64;
const learningRate = 0.05;
const regularization = 0.01;
const shape = { factors, userBias: false };

interface BprCase {
  negatives: RankingSgdProblem["negatives"];
  threads: number;
  size: PowerLawShape;
}

export function cases(quick: boolean): BenchCase[] {
  const size = sizes[quick ? "quick" : "full"];
  const timed: BprCase[] = [
    { negatives: "uniform", threads: 2, size },
    { negatives: "uniform", threads: 1, size },
    { negatives: "popularity", threads: 2, size },
    ...scalingShapes(quick).map((shape): BprCase => ({ negatives: "uniform", threads: 2, size: { ...shape, tastes: 20 } })),
  ];
  return [
    ...timed.map((bprCase) => ({
      name: nameOf("bpr", bprCase),
      run: (context: BenchContext) => besideImplicit(bprCase, context),
    })),
    ...(["uniform", "popularity"] as const).map((negatives) => ({
      name: nameOf("bpr-strata", { negatives, threads: 2, size }),
      run: (context: BenchContext) => besideOneBlock({ negatives, threads: 2, size }, context),
    })),
  ];
}

const nameOf = (kind: string, { negatives, threads, size }: BprCase) =>
  `${kind} f=${factors} negatives=${negatives} threads=${threads} pairs=${millions(size.numPairs)}`;

async function besideImplicit(bprCase: BprCase, context: BenchContext): Promise<BenchResult> {
  const { quick, say } = context;
  const { threads } = bprCase;
  const { problem, heldOut } = await prepare(bprCase, context);
  const { numRows: users, numColumns: items, offsets, indices } = problem.seen;
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  const peer = await startPeer({ folder, blasThreads: 1 }, say);
  try {
    await writeArray(path.join(folder, "train-offsets.i32"), offsets);
    await writeArray(path.join(folder, "train-indices.i32"), indices);
    await writeArray(path.join(folder, "user-factors.f32"), vectorsOf(problem.userRows, "user"));
    await writeArray(path.join(folder, "item-factors.f32"), vectorsOf(problem.itemRows, "item"));
    await peer?.ask("load_bpr", { users, items, factors, learning_rate: learningRate, regularization, threads });
    const sgd = await createRankingSgd(problem, { threads });
    const theirs = peer && (() => peer.seconds("bpr_epoch"));
    const ours = epochs(sgd);
    await interleave(1, ours, theirs); // warm-up, which counts as an epoch for both
    const seconds = await interleave(quick ? 3 : 7, ours, theirs);
    const { build } = sgd;
    const quality: Record<string, number> = { ...qualityOf(sgd, problem, heldOut), epochs: seconds.ours.length + 1 };
    sgd.dispose();
    const ourTiming = timing(seconds.ours, "s");
    const result = { ours: { ...ourTiming, build }, quality, ceiling: { readGBps: await readBandwidth(threads) } };
    if (!peer) return result;
    await peer.ask("save_factors");
    const [userVectors, itemVectors] = [
      await readFloats(path.join(folder, "peer-user-factors.f32")),
      await readFloats(path.join(folder, "peer-item-factors.f32")),
    ];
    const { auc, ndcg10 } = heldOutQuality({ userVectors, itemVectors, dimensions: factors + 1 }, problem.seen, heldOut);
    const theirTiming = timing(seconds.peer, "s");
    return {
      ...result,
      peer: { name: peer.name, ...theirTiming },
      ratio: theirTiming.median / ourTiming.median,
      quality: { ...quality, peerAuc: auc, peerNdcg10: ndcg10 },
    };
  } finally {
    peer?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The strata that the data get beside one block: the same epochs from the same start. */
async function besideOneBlock(bprCase: BprCase, context: BenchContext): Promise<BenchResult> {
  const { problem, heldOut } = await prepare(bprCase, context);
  const create = (options: Partial<RankingSgdOptions>) => createRankingSgd(problem, { threads: bprCase.threads, ...options });
  const [strata, oneBlock] = [await create({}), await create({ strata: { blocks: 1, parts: 1 } })];
  const seconds = await interleave(context.quick ? 10 : 20, epochs(strata), epochs(oneBlock));
  const [ours, peer] = [timing(seconds.ours, "s"), timing(seconds.peer, "s")];
  const [ourQuality, { auc: oneBlockAuc, ndcg10: oneBlockNdcg10 }] = [strata, oneBlock].map((sgd) => qualityOf(sgd, problem, heldOut));
  const { blocks, parts } = strata.strata;
  const { build } = strata;
  strata.dispose();
  oneBlock.dispose();
  return {
    ours: { ...ours, build },
    peer: { name: "ours, one block", ...peer },
    ratio: peer.median / ours.median,
    quality: { ...ourQuality, oneBlockAuc, oneBlockNdcg10, epochs: seconds.ours.length, blocks, parts },
  };
}

async function prepare({ negatives, size }: BprCase, { cacheFolder }: BenchContext) {
  const data = await powerLawData(size, cacheFolder);
  const { train: seen, heldOut } = holdOut(data.matrixByUser, 50);
  const start = { factors, optimizer: "sgd", initScale: 0.1 } as const;
  const problem: RankingSgdProblem = {
    factors,
    loss: "bpr",
    optimizer: "sgd",
    draws: 1,
    negatives,
    regularization: { user: regularization, positive: regularization, negative: regularization, bias: regularization },
    seen,
    events: seen,
    userRows: initialRows(seen.numRows, { ...start, seed: 1 }),
    itemRows: initialRows(seen.numColumns, { ...start, seed: 2 }),
  };
  return { problem, heldOut };
}

/** The next epoch, timed. */
function epochs(sgd: RankingSgd): () => Promise<number> {
  let seed = 0;
  return () => secondsOf(() => sgd.epoch({ seed: ++seed, learningRate }));
}

const vectorsOf = (rows: Float32Array, side: "user" | "item") => vectorsOfRows(rows, side, rowLength(factors, "sgd"), shape);

function qualityOf(sgd: RankingSgd, { seen }: RankingSgdProblem, heldOut: Int32Array[]): { auc: number; ndcg10: number } {
  const [userVectors, itemVectors] = [vectorsOf(sgd.userRows(), "user"), vectorsOf(sgd.itemRows(), "item")];
  return heldOutQuality({ userVectors, itemVectors, dimensions: factors + 1 }, seen, heldOut);
}
