/**
 * Training steps of the networks (gather rows, run forward and backward, add gradients, Adam) beside PyTorch on the CPU: the same shapes,
 * initial parameters and batches, no dropout on either side, two steps by turns, forty times. Cases named nn-epoch say what an epoch
 * costs as users, sequence length and items grow.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { trainNetwork } from "#dist/nn/train.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { timing } from "./support/measure.js";
import { buildStep, DCN_FIELDS, DCN_LAYERS, type StepShape, writeStep } from "./support/network-steps.js";
import { type Peer, startTorchPeer } from "./support/peer.js";
import { millions } from "./support/power-law.js";
import { watchSessions } from "./support/session-watch.js";

const shapes: Record<string, StepShape> = {
  "sasrec-full": { network: "sasrec", batch: 128, length: 50, numItems: 12_101, dimensions: 64, layers: 2 },
  "sasrec-sampled": { network: "sasrec", batch: 128, length: 50, numItems: 12_101, dimensions: 64, layers: 2, negatives: 512 },
  lstm: { network: "lstm", batch: 64, length: 20, numItems: 4059, dimensions: 200, layers: 2 },
  "two-tower": { network: "two-tower", batch: 1024, numItems: 12_101, dimensions: 64 },
  dcn: { network: "dcn", batch: 4096, dimensions: 32 },
};
/** A small part of the catalogue and of the batch, to see that everything runs. */
const small = (shape: StepShape): StepShape => ({
  ...shape,
  batch: Math.max(4, shape.batch / 16),
  numItems: shape.numItems && Math.ceil(shape.numItems / 10),
});

/** Each of users, length and items grows by itself. */
const growth = [
  ...[10_000, 40_000, 160_000].map((numUsers) => ({ by: "users", numUsers, length: 20, numItems: 10_000 })),
  ...[10, 20, 40, 80].map((length) => ({ by: "length", numUsers: 40_000, length, numItems: 10_000 })),
  ...[1_000, 10_000, 100_000].map((numItems) => ({ by: "items", numUsers: 40_000, length: 20, numItems })),
];

export function cases(quick: boolean): BenchCase[] {
  const list: BenchCase[] = [];
  for (const threads of [1, 2]) {
    for (const [name, full] of Object.entries(shapes)) {
      const shape = quick ? small(full) : full;
      list.push({ name: `nn-${name} ${sizesOf(shape)} threads=${threads}`, run: (context) => stepTime({ shape, threads }, context) });
    }
  }
  for (const size of growth) {
    const { by, length } = size;
    const [numUsers, numItems] = quick ? [size.numUsers / 50, size.numItems / 50] : [size.numUsers, size.numItems];
    const shape: StepShape = {
      network: "sasrec",
      batch: Math.round(1600 / length),
      length,
      numItems,
      dimensions: 64,
      layers: 2,
      negatives: 512,
    };
    const fixed = Object.entries({ users: numUsers, length, items: numItems }).filter(([name]) => name !== by);
    const grown = by === "items" ? `items=${numItems}` : `pairs=${millions(numUsers * length)}`;
    const name = `nn-epoch-by-${by} sasrec-sampled ${fixed.map(([name, value]) => `${name}=${value}`).join(" ")} threads=1 ${grown}`;
    list.push({ name, run: (context) => epochTime({ shape, steps: Math.ceil(numUsers / shape.batch) }, context) });
  }
  return list;
}

function sizesOf({ batch, length, numItems, dimensions, layers, negatives }: StepShape): string {
  const sizes = { batch, length, d: dimensions, layers, items: numItems, negatives };
  return Object.entries(sizes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

async function stepTime({ shape, threads }: { shape: StepShape; threads: number }, { quick, say }: BenchContext): Promise<BenchResult> {
  const [repeats, numBatches] = quick ? [2, 2] : [40, 2];
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  const watch = watchSessions();
  const step = await buildStep(shape, { threads, numBatches });
  const peer = await startTorchPeer({ folder, threads }, say);
  try {
    if (peer) await loadPeer(peer, { shape, threads, folder, arrays: await writeStep(folder, step) });
    const [ours, graph, theirs]: number[][] = [[], [], []];
    let peerLoss = 0;
    const losses = await epochs(step, 1 + repeats, async (epoch, seconds) => {
      const inGraph = watch.takeSeconds();
      const { seconds: peerSeconds, loss } = peer ? await peer.ask("steps", { batches: numBatches }) : { seconds: 0, loss: 0 };
      if (epoch === 1) {
        peerLoss = Number(loss); // and the warm-up of both
        return;
      }
      ours.push(seconds / numBatches);
      graph.push(inGraph / numBatches);
      theirs.push(Number(peerSeconds) / numBatches);
    });
    const { gemmShare, gflop } = await watch.profile(threads);
    const [own, inGraph] = [timing(ours, "ms"), timing(graph, "ms")];
    const result: BenchResult = {
      ours: { ...own, build: "onnxruntime" },
      quality: {
        examplesPerSecond: step.examples / (own.median / 1000),
        graphShare: inGraph.median / own.median,
        gemmShareOfGraph: gemmShare,
        gflopPerStep: gflop,
        gflops: gflop / (own.median / 1000),
        gemmGflops: gflop / ((gemmShare * inGraph.median) / 1000),
        loss: losses[0],
      },
    };
    if (!peer) return result;
    const peerTiming = timing(theirs, "ms");
    return {
      ...result,
      peer: { name: peer.name, ...peerTiming },
      ratio: peerTiming.median / own.median,
      quality: {
        ...result.quality,
        ratioOfTurns: timing(
          theirs.map((seconds, turn) => seconds / ours[turn]),
          "s",
        ).median,
        peerLoss,
        relativeDifference: losses[0] / peerLoss - 1,
      },
    };
  } finally {
    peer?.close();
    await step.release();
    await rm(folder, { recursive: true, force: true });
  }
}

const loadPeer = (peer: Peer, { shape, threads, folder, arrays }: { shape: StepShape; threads: number; folder: string; arrays: unknown }) =>
  peer.ask("load", { ...shape, threads, folder, arrays, fields: DCN_FIELDS.length, cross: DCN_LAYERS.cross, deep: DCN_LAYERS.deep.length });

/** Seconds of an epoch: the steps that so many users take, timed on some of them where they are many. */
async function epochTime({ shape, steps }: { shape: StepShape; steps: number }, { quick }: BenchContext): Promise<BenchResult> {
  const timed = Math.min(steps, quick ? 3 : 40);
  const step = await buildStep(shape, { threads: 1, numBatches: timed });
  const seconds: number[] = [];
  const losses = await epochs(step, 4, async (epoch, took) => {
    if (epoch > 1) seconds.push((took / timed) * steps);
  });
  await step.release();
  return { ours: { ...timing(seconds, "s"), build: "onnxruntime" }, quality: { steps, timedSteps: timed, loss: losses[0] } };
}

/** Trains by the real loop; `after` is told the seconds of each epoch, and what it does is not timed. Mean losses of the epochs. */
async function epochs(
  { parameters, tables, batches, run }: Awaited<ReturnType<typeof buildStep>>,
  count: number,
  after: (epoch: number, seconds: number) => Promise<void>,
): Promise<number[]> {
  let started = 0;
  const { losses } = await trainNetwork(
    {
      stage: "bench",
      network: { parameters, tables },
      epochs: count,
      optimizer: { name: "adam" },
      schedule: { rate: 1e-3 },
      stepsPerEpoch: batches.length,
      *batches() {
        started = performance.now();
        yield* batches;
      },
      step: run,
    },
    { seed: 1, checkpoint: { save: (epoch) => after(epoch, (performance.now() - started) / 1000) } },
  );
  return losses;
}
