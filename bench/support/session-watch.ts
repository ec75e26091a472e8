/**
 * Looks into the sessions of a benchmark: the time spent in compiled graphs, and how much of it goes to matrix products, from ONNX
 * Runtime's own profile of one more run. Must be set up before the first session is made.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type RuntimeTensor, setNeuralRuntime } from "#dist/nn/runtime.js";
import { loadNodeRuntime } from "#dist/nn/runtime-node.js";

export interface GraphProfile {
  /** Share of the graph's time in matrix products. */
  gemmShare: number;
  /** Floating-point operations of the matrix products of one run, in thousand millions. */
  gflop: number;
}

export interface SessionWatch {
  /** Seconds in graphs since the last call. */
  takeSeconds(): number;
  /** Profiles the last session that ran, with its last feeds. */
  profile(threads: number): Promise<GraphProfile>;
}

interface Last {
  model: Uint8Array;
  feeds: Readonly<Record<string, RuntimeTensor>>;
}

export function watchSessions(): SessionWatch {
  let seconds = 0;
  let last: Last | undefined;
  setNeuralRuntime(async () => {
    const runtime = await loadNodeRuntime();
    return {
      ...runtime,
      async createSession(model, options) {
        const session = await runtime.createSession(model, options);
        return {
          inputNames: session.inputNames,
          outputNames: session.outputNames,
          release: () => session.release(),
          async run(feeds, fetches) {
            last = { model, feeds };
            const start = performance.now();
            const result = await session.run(feeds, fetches);
            seconds += (performance.now() - start) / 1000;
            return result;
          },
        };
      },
    };
  });
  return {
    takeSeconds() {
      const taken = seconds;
      seconds = 0;
      return taken;
    },
    async profile(threads) {
      if (!last) throw new Error("No session has run.");
      const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-profile-"));
      try {
        return readProfile(await profileOf(last, { folder, threads }));
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  };
}

const RUNS = 5;

async function profileOf({ model, feeds }: Last, { folder, threads }: { folder: string; threads: number }): Promise<Event[]> {
  const { InferenceSession } = await import("onnxruntime-node");
  const session = await InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    enableProfiling: true,
    profileFilePrefix: path.join(folder, "profile"),
  });
  for (let run = 0; run < RUNS; run++) await session.run(feeds as Parameters<typeof session.run>[0]);
  session.endProfiling();
  await session.release();
  const [file] = await readdir(folder);
  return JSON.parse(await readFile(path.join(folder, file), "utf8")) as Event[];
}

interface Event {
  cat: string;
  name: string;
  /** Microseconds. */
  dur: number;
  args?: { op_name?: string; input_type_shape?: Record<string, number[]>[]; output_type_shape?: Record<string, number[]>[] };
}

function readProfile(events: readonly Event[]): GraphProfile {
  const kernels = events.filter(({ cat, name, args }) => cat === "Node" && name.endsWith("kernel_time") && args?.op_name !== undefined);
  const products = kernels.filter(({ args }) => /Gemm|MatMul/.test(args!.op_name!));
  const time = (list: readonly Event[]) => list.reduce((sum, { dur }) => sum + dur, 0);
  let flop = 0;
  for (const { args } of products) {
    const [left] = Object.values(args!.input_type_shape![0]);
    const [out] = Object.values(args!.output_type_shape![0]);
    flop += 2 * left.reduce((product, size) => product * size, 1) * out[out.length - 1]; // 2 · (m · k) · n
  }
  return { gemmShare: time(products) / time(kernels), gflop: flop / RUNS / 1e9 };
}
