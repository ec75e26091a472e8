/**
 * Timing for benchmarks: interleaved repeats, min, median and spread, and the read bandwidth that bounds memory-bound kernels.
 */
import { createArena } from "#dist/kernels/arena.js";
import type { Timing } from "./bench-case.js";

/** Runs ours and the peer's by turns `repeats` times; each returns its own seconds. */
export async function interleave(
  repeats: number,
  ours: () => Promise<number>,
  peer: (() => Promise<number>) | undefined,
): Promise<{ ours: number[]; peer: number[] }> {
  const seconds = { ours: [] as number[], peer: [] as number[] };
  for (let repeat = 0; repeat < repeats; repeat++) {
    seconds.ours.push(await ours());
    if (peer) seconds.peer.push(await peer());
  }
  return seconds;
}

export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

export function timing(seconds: readonly number[], unit: "s" | "ms"): Timing {
  const sorted = seconds.map((value) => (unit === "ms" ? value * 1000 : value)).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
  return { min: sorted[0], median, spread: (sorted[sorted.length - 1] - sorted[0]) / median, unit };
}

let notedPeak: number | undefined;

/** The work is done: what checks and probes take from here on does not count as the case's memory. */
export function notePeak(): void {
  notedPeak ??= process.resourceUsage().maxRSS / 1024;
}

/** Largest resident memory of this process in MiB, until `notePeak` if it was called. */
export function peakMiB(): number {
  return notedPeak ?? process.resourceUsage().maxRSS / 1024;
}

/** GB/s at which the kernels' memory can be read: the best of ten passes over so many MiB (512: more than caches hold). The last thing a case does. */
export async function readBandwidth(threads: number, count = 512): Promise<number> {
  const blockBytes = 2 ** 20;
  notePeak();
  const arena = await createArena(
    {
      purpose: "Measuring read bandwidth",
      hint: "Free some memory.",
      blocks: { data: count * blockBytes, sums: count * 4 },
      scratchBytes: 64,
    },
    { threads },
  );
  arena.float32("data", (count * blockBytes) / 4).fill(1);
  const work = { count, chunk: 4, args: [arena.pointers.data, blockBytes, arena.pointers.sums] };
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < 10; pass++) best = Math.min(best, await secondsOf(() => arena.parallel("readBandwidth", work)));
  arena.dispose();
  return (count * blockBytes) / best / 1e9;
}
