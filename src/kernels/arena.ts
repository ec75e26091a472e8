/**
 * One WebAssembly memory with named blocks, sized up front, and the kernels running on it. Every kernel has the shape
 * (begin, end, scratchPointer, ...args); `parallel` hands out chunks of [0, count) through an atomic counter.
 * With shared memory all work happens in threads (also with `threads: 1`), else on the calling thread in slices of a few ms.
 * Called by the bindings (als.ts, top-k.ts).
 */
import { CancelledError, KernelError, throwIfCancelled } from "../core/errors.js";
import { bestVariant, type KernelBuild, loadKernels } from "./loader.js";
import { dropArena, kernelFailure, runJob } from "./thread-pool.js";

export interface ArenaOptions {
  /** Threads that may work at once; 1 or more. Ignored without shared memory. */
  threads: number;
  /** Default: `relaxed` where the engine accepts it. */
  build?: KernelBuild;
  /** Default: true where the environment has threads. */
  shared?: boolean;
}

export interface ArenaPlan<Name extends string> {
  /** What the memory is for, as the subject of a sentence: "ALS with 64 factors for 1,000 users". */
  purpose: string;
  /** How to need less. */
  hint: string;
  /** Bytes of each block. */
  blocks: Record<Name, number>;
  /** Working memory of each thread, in bytes. */
  scratchBytes: number;
}

export interface ParallelWork {
  count: number;
  /** Units per call of the kernel; an abort takes effect between calls. */
  chunk: number;
  args: readonly number[];
}

export interface Arena<Name extends string> {
  readonly build: KernelBuild;
  readonly shared: boolean;
  readonly threads: number;
  /** Byte offset of each block; 64-byte aligned, with 64 zero bytes behind it. */
  readonly pointers: Readonly<Record<Name, number>>;
  /** Views into a block, from its start; `length` in elements. */
  float32(name: Name, length: number): Float32Array;
  float64(name: Name, length: number): Float64Array;
  int32(name: Name, length: number): Int32Array;
  /** Copies into a block from its start, in slices, leaving the event loop time between them. */
  copyIn(name: Name, source: Float32Array | Int32Array): Promise<void>;
  /** Runs the kernel over [0, count). Throws CancelledError when the signal is aborted or the arena disposed; it may be used again then. */
  parallel(kernel: string, work: ParallelWork, signal?: AbortSignal): Promise<void>;
  /** Runs the kernel over [0, count) at once on the calling thread: for less than about a millisecond of work. */
  runHere(kernel: string, work: Pick<ParallelWork, "count" | "args">): void;
  /** Runs tasks one after the other; whatever uses the arena's blocks goes through it. */
  exclusive<Result>(task: () => Promise<Result>): Promise<Result>;
  /** Frees the memory. Work in progress ends with CancelledError. */
  dispose(): void;
}

interface Live {
  memory: WebAssembly.Memory;
  kernels: Record<string, Kernel>;
  counter: Int32Array;
}

type Kernel = (begin: number, end: number, scratchPointer: number, ...args: number[]) => void;

const pageBytes = 65536;
/** memory32 addresses 4 GiB; the last page stays unused so that no end pointer wraps to 0. */
const maxBytes = 65535 * pageBytes;
/** The counter stands at the start of the memory, alone in its cache line. */
const headerBytes = 1024;
const counterIndex = 16;
const sliceMs = 6;
const copySliceBytes = 4 * 2 ** 20;

let nextArenaId = 1;
const forgotten = new FinalizationRegistry<{ id: number; bytes: number }>(dropArena);

/** Lays out the blocks, takes the memory and loads the kernels. Throws KernelError, naming the size needed, when it cannot be had. */
export async function createArena<Name extends string>(plan: ArenaPlan<Name>, options: ArenaOptions): Promise<Arena<Name>> {
  const best = bestVariant();
  const build = options.build ?? best.build;
  const shared = options.shared ?? best.shared;
  const threads = shared ? Math.max(1, Math.floor(options.threads) || 1) : 1;
  const { pointers, scratchPointers, bytes } = layOut(plan, threads);
  const module = await loadKernels({ build, shared });
  const memory = takeMemory(plan, bytes, shared);
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const id = nextArenaId++;
  /** Undefined once disposed: nothing else may hold the memory. */
  let live: Live | undefined = { memory, kernels: exports as unknown as Live["kernels"], counter: new Int32Array(memory.buffer) };
  let last: Promise<unknown> = Promise.resolve();

  const use = (): Live => {
    if (live === undefined) throw new CancelledError(`${plan.purpose}: its memory has been freed.`, { hint: "Create it again." });
    return live;
  };
  const inThreads = async (kernel: string, { count, chunk, args }: ParallelWork, signal?: AbortSignal) => {
    const { memory, counter } = use();
    const onAbort = () => Atomics.store(counter, counterIndex, count);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      Atomics.store(counter, counterIndex, 0);
      await runJob({
        arena: { id, bytes, module, memory },
        message: { kernel, counter: counterIndex, count, chunk, args },
        scratchPointers,
      });
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (live === undefined) dropArena({ id, bytes }); // a thread may have met the arena after its disposal
    }
  };
  const callHere = (kernel: string, begin: number, end: number, args: readonly number[]) => {
    try {
      use().kernels[kernel](begin, end, scratchPointers[0], ...args);
    } catch (cause) {
      throw cause instanceof CancelledError ? cause : kernelFailure(kernel, cause);
    }
  };
  const inSlices = async (kernel: string, { count, chunk, args }: ParallelWork, signal?: AbortSignal) => {
    let sliceEnd = performance.now() + sliceMs;
    for (let begin = 0; begin < count; begin += chunk) {
      callHere(kernel, begin, Math.min(begin + chunk, count), args);
      if (performance.now() < sliceEnd) continue;
      await yieldToEventLoop();
      if (signal?.aborted || live === undefined) return;
      sliceEnd = performance.now() + sliceMs;
    }
  };

  const arena: Arena<Name> = {
    build,
    shared,
    threads,
    pointers,
    float32: (name, length) => new Float32Array(use().memory.buffer, pointers[name], length),
    float64: (name, length) => new Float64Array(use().memory.buffer, pointers[name], length),
    int32: (name, length) => new Int32Array(use().memory.buffer, pointers[name], length),
    async copyIn(name, source) {
      const from = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
      const to = new Uint8Array(use().memory.buffer, pointers[name], source.byteLength);
      for (let at = 0; at < from.length; at += copySliceBytes) {
        to.set(from.subarray(at, at + copySliceBytes), at);
        if (at + copySliceBytes < from.length) await yieldToEventLoop();
      }
    },
    async parallel(kernel, work, signal) {
      use();
      throwIfCancelled(signal);
      if (work.count > 0) await (shared ? inThreads : inSlices)(kernel, work, signal);
      throwIfCancelled(signal);
      use();
    },
    runHere(kernel, { count, args }) {
      if (count > 0) callHere(kernel, 0, count, args);
    },
    exclusive(task) {
      const result = last.then(task);
      last = result.catch(() => {});
      return result;
    },
    dispose() {
      if (live === undefined) return;
      Atomics.store(live.counter, counterIndex, 2 ** 30); // beyond any count: threads stop after their present chunk
      live = undefined;
      forgotten.unregister(arena);
      dropArena({ id, bytes });
    },
  };
  forgotten.register(arena, { id, bytes }, arena);
  return arena;
}

function layOut<Name extends string>(plan: ArenaPlan<Name>, threads: number) {
  let end = headerBytes;
  const take = (bytes: number) => {
    const start = end;
    end += Math.ceil(bytes / 64) * 64 + 64;
    return start;
  };
  const names = Object.keys(plan.blocks) as Name[];
  const pointers = Object.fromEntries(names.map((name) => [name, take(plan.blocks[name])])) as Record<Name, number>;
  const scratchPointers = Array.from({ length: threads }, () => take(plan.scratchBytes));
  if (!(end <= maxBytes)) throw tooLarge(plan, end);
  return { pointers, scratchPointers, bytes: end };
}

function takeMemory(plan: ArenaPlan<string>, bytes: number, shared: boolean): WebAssembly.Memory {
  const pages = Math.ceil(bytes / pageBytes);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    throw new KernelError(`${plan.purpose} needs ${formatBytes(bytes)} of memory, which the system did not give.`, {
      hint: `${plan.hint} Or free memory on this machine.`,
      cause,
      details: { bytes },
    });
  }
}

function tooLarge(plan: ArenaPlan<string>, bytes: number): KernelError {
  return new KernelError(`${plan.purpose} needs ${formatBytes(bytes)} of kernel memory, but WebAssembly memory ends at 4 GiB.`, {
    hint: plan.hint,
    details: { bytes, limit: maxBytes },
  });
}

function formatBytes(bytes: number): string {
  return bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** Resolves after pending events have had their turn; setTimeout would wait 4 ms in browsers. */
function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
