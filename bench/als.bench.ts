/**
 * ALS iterations (users, then items) beside implicit: the same confidence c = 1 + alpha·weight, the same initial factors, iterations
 * by turns, and one function that computes the loss of both.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createRandom } from "#dist/core/random.js";
import { type AlsProblem, createAlsSolver } from "#dist/kernels/als.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { interleave, readBandwidth, secondsOf, timing } from "./support/measure.js";
import { startPeer } from "./support/peer.js";
import { millions, type PowerLawShape, powerLawData, readFloats, scalingShapes, writeArray } from "./support/power-law.js";

const sizes = {
  full: { numUsers: 138_000, numItems: 27_000, numPairs: 18_600_000, seed: 42 },
  quick: { numUsers: 14_000, numItems: 9_000, numPairs: 1_860_000, seed: 42 },
};
const alpha = 2;
const regularization = 0.05;

interface AlsCase {
  solver: AlsProblem["solver"];
  factors: number;
  threads: number;
  size: PowerLawShape;
}

export function cases(quick: boolean): BenchCase[] {
  const size = quick ? sizes.quick : sizes.full;
  const list: AlsCase[] = [
    { solver: "cg", factors: 64, threads: 2, size },
    { solver: "cg", factors: 128, threads: 2, size },
    { solver: "cg", factors: 256, threads: 2, size },
    { solver: "cholesky", factors: 64, threads: 2, size },
    { solver: "ials++", factors: 128, threads: 2, size },
    { solver: "ials++", factors: 256, threads: 2, size },
    { solver: "cg", factors: 64, threads: 1, size },
    { solver: "cg", factors: 128, threads: 1, size },
    ...scalingShapes(quick).map((shape): AlsCase => ({ solver: "cg", factors: 64, threads: 2, size: shape })),
  ];
  return list.map((alsCase) => ({ name: nameOf(alsCase), run: (context) => run(alsCase, context) }));
}

function nameOf({ solver, factors, threads, size }: AlsCase): string {
  return `als-${solver === "cg" ? "cg3" : solver} f=${factors} threads=${threads} pairs=${millions(size.numPairs)}`;
}

/** The peer of ials++ is implicit's conjugate gradient: it has no block descent. */
async function run({ solver, factors, threads, size }: AlsCase, { quick, cacheFolder, say }: BenchContext): Promise<BenchResult> {
  const data = await powerLawData(size, cacheFolder);
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  const peer = await startPeer({ folder, blasThreads: 1 }, say);
  try {
    const problem: AlsProblem = {
      matrixByUser: data.matrixByUser,
      matrixByItem: data.matrixByItem,
      factors,
      alpha,
      unobservedWeight: 1,
      regularization,
      regularizationExponent: 0,
      solver,
      cgSteps: 3,
      userFactors: initialFactors(size.numUsers * factors, 1),
      itemFactors: initialFactors(size.numItems * factors, 2),
    };
    await writeArray(path.join(folder, "user-factors.f32"), problem.userFactors);
    await writeArray(path.join(folder, "item-factors.f32"), problem.itemFactors);
    const shape = { users: size.numUsers, items: size.numItems };
    const peerSolver = solver === "cholesky" ? "cholesky" : "cg";
    await peer?.ask("load_als", { data: data.folder, ...shape, factors, alpha, regularization, solver: peerSolver, threads });
    const als = await createAlsSolver(problem, { threads });
    const ours = () =>
      secondsOf(async () => {
        await als.sweep("users");
        await als.sweep("items");
      });
    const theirs = peer && (() => peer.seconds("iterate"));
    await interleave(1, ours, theirs); // warm-up, which counts as an iteration for both
    const seconds = await interleave(quick || factors > 128 ? 3 : 7, ours, theirs);

    const ourLoss = await als.loss();
    const build = als.build;
    als.dispose();
    const result: BenchResult = {
      ours: { ...timing(seconds.ours, "s"), build },
      quality: { loss: ourLoss, iterations: seconds.ours.length + 1 },
      ceiling: { readGBps: await readBandwidth(threads) },
    };
    if (!peer) return result;
    await peer.ask("save_factors");
    const peerLoss = await lossOf(problem, folder, threads);
    const theirTiming = timing(seconds.peer, "s");
    return {
      ...result,
      peer: { name: peer.name, ...theirTiming },
      ratio: theirTiming.median / result.ours.median,
      quality: { ...result.quality, peerLoss, relativeDifference: ourLoss / peerLoss - 1 },
    };
  } finally {
    peer?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function lossOf(problem: AlsProblem, folder: string, threads: number): Promise<number> {
  const userFactors = await readFloats(path.join(folder, "peer-user-factors.f32"));
  const itemFactors = await readFloats(path.join(folder, "peer-item-factors.f32"));
  const als = await createAlsSolver({ ...problem, userFactors, itemFactors }, { threads });
  const loss = await als.loss();
  als.dispose();
  return loss;
}

/** As implicit starts: uniform in [0, 0.01). */
function initialFactors(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  const values = new Float32Array(length);
  for (let k = 0; k < length; k++) values[k] = 0.01 * random.uniform();
  return values;
}
