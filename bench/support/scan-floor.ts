/** What bounds one search: the bytes that its first pass reads, and how long a plain loop takes to read as many. For top-k and content. */
import { commonAxis, leadingWords } from "#dist/kernels/top-k-axis.js";
import { planIndex } from "#dist/kernels/top-k-plan.js";
import { readBandwidth } from "./measure.js";

export type Scan = "f32" | "int4";

export interface ScanOptions {
  dimensions: number;
  scan: Scan;
  threads: number;
}

/** From memory, and over and over from a cache that holds them. The last thing a case does. */
export async function scanFloor(items: Float32Array, { dimensions, scan, threads }: ScanOptions): Promise<Record<string, number>> {
  const axis = commonAxis(items, dimensions);
  const leading = leadingWords(items, dimensions, axis);
  const shape = { numItems: items.length / dimensions, dimensions, quantized: "always" as const, hasAxis: axis !== undefined, leading };
  const { blocks } = planIndex(shape).arena;
  const bytes = scan === "f32" ? blocks.items : blocks.codes + blocks.figures + blocks.bounds;
  const megabytes = bytes / 1e6;
  const readGBps = await readBandwidth(threads);
  const againGBps = await readBandwidth(threads, Math.ceil(bytes / 2 ** 20));
  return { megabytes, readGBps, readMs: megabytes / readGBps, againGBps, againMs: megabytes / againGBps };
}
