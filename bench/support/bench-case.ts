/**
 * What a benchmark file exports and what a case reports. `scripts/bench.mjs` lists the cases of bench/<thing>.bench.ts
 * and runs each in a fresh process.
 */

export interface BenchContext {
  /** Small data and few repeats: shows that the benchmark works, its figures mean little. */
  quick: boolean;
  /** Folder for generated data, kept between runs. */
  cacheFolder: string;
  /** Prints to stderr. */
  say(text: string): void;
}

/** Seconds or milliseconds of repeated, interleaved runs. */
export interface Timing {
  min: number;
  median: number;
  /** (largest − smallest) / median. */
  spread: number;
  unit: "s" | "ms";
}

/** What a case returns; the harness adds its memory. */
export interface BenchResult {
  ours: Timing & { build: string };
  peer?: Timing & { name: string };
  /** Peer's median over ours: above 1 we are faster. */
  ratio?: number;
  quality?: Record<string, number | string>;
  ceiling?: Record<string, number>;
}

/** Largest resident memory of the case's process, data included, and of the peer's. Added to every result by scripts/bench.mjs. */
export interface BenchMemory {
  peakMiB: number;
  peerPeakMiB?: number;
}

export interface BenchCase {
  /** Fixed: results are compared over time by it. */
  name: string;
  run(context: BenchContext): Promise<BenchResult>;
}

export interface BenchModule {
  cases(quick: boolean): BenchCase[];
}
