/**
 * The process-wide pool of kernel threads. A job is handed to as many idle threads as it wants, and more join as they come free;
 * chunks are taken from the job's atomic counter, so the number of threads never changes a result.
 * Idle threads do not keep the process alive. Called by `arena.ts`; the main thread only sends and receives messages.
 */
import { KernelError } from "../core/errors.js";
import { kernelHost } from "./host.js";
import type { KernelHost, KernelThread } from "./host-types.js";
import { type DropMessage, type RunMessage, type ThreadAnswer, workerSource } from "./worker-main.js";

export interface PoolArena {
  readonly id: number;
  readonly bytes: number;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

export interface Job {
  arena: PoolArena;
  message: Omit<RunMessage, "arena" | "setup" | "scratchPointer">;
  /** One per thread that may take part. */
  scratchPointers: readonly number[];
}

interface RunningJob extends Job {
  joined: number;
  active: number;
  exhausted: boolean;
  failure?: KernelError;
  settle: { resolve: () => void; reject: (error: KernelError) => void };
}

interface PoolThread {
  thread: KernelThread;
  arenas: Set<number>;
  job?: RunningJob;
  /** Memory of disposed arenas stays with a thread until it collects garbage, which an idle one never does. */
  droppedBytes: number;
  droppedArenas: number;
  retiring: boolean;
}

/** A thread is replaced once it may hold this much memory of disposed arenas. */
const maxDroppedBytes = 128 * 2 ** 20;
const maxDroppedArenas = 64;

const threads = new Set<PoolThread>();
const queue: RunningJob[] = [];
let maxThreads = 0;

/** Resolves when all chunks are done; rejects with KernelError when a thread failed. */
export function runJob(job: Job): Promise<void> {
  const host = kernelHost();
  maxThreads = Math.max(maxThreads, host.cores, job.scratchPointers.length);
  return new Promise((resolve, reject) => {
    queue.push({ ...job, joined: 0, active: 0, exhausted: false, settle: { resolve, reject } });
    dispatch(host);
  });
}

/** Lets all threads forget an arena. Safe while one of them still works on it: the message waits its turn. */
export function dropArena({ id, bytes }: { id: number; bytes: number }): void {
  for (const entry of threads) {
    if (!entry.arenas.delete(id)) continue;
    entry.thread.post({ drop: id } satisfies DropMessage);
    entry.droppedBytes += bytes;
    entry.droppedArenas++;
    entry.retiring = entry.droppedBytes > maxDroppedBytes || entry.droppedArenas > maxDroppedArenas;
    if (entry.retiring && entry.job === undefined) retire(entry);
  }
}

function dispatch(host: KernelHost): void {
  for (const job of [...queue]) {
    while (!job.exhausted && job.joined < job.scratchPointers.length) {
      const entry = idleThread(job.arena.id) ?? (threads.size < maxThreads ? startThread(host) : undefined);
      if (entry === undefined) return;
      assign(job, entry);
    }
    if (job.exhausted || job.joined === job.scratchPointers.length) queue.splice(queue.indexOf(job), 1);
  }
}

/** An idle thread, one that knows the arena if possible. */
function idleThread(arena: number): PoolThread | undefined {
  let found: PoolThread | undefined;
  for (const entry of threads) {
    if (entry.job !== undefined) continue;
    if (entry.arenas.has(arena)) return entry;
    found ??= entry;
  }
  return found;
}

function startThread(host: KernelHost): PoolThread {
  const thread = host.createThread!(workerSource, {
    onMessage: (message) => finish(entry, (message as ThreadAnswer).error),
    onFailure: (error) => {
      threads.delete(entry);
      if (entry.job !== undefined) finish(entry, error.message);
    },
  });
  const entry: PoolThread = { thread, arenas: new Set(), droppedBytes: 0, droppedArenas: 0, retiring: false };
  threads.add(entry);
  return entry;
}

function assign(job: RunningJob, entry: PoolThread): void {
  const { id, module, memory } = job.arena;
  const setup = entry.arenas.has(id) ? undefined : { module, memory };
  entry.arenas.add(id);
  entry.job = job;
  entry.thread.setBusy(true);
  entry.thread.post({ ...job.message, arena: id, setup, scratchPointer: job.scratchPointers[job.joined] } satisfies RunMessage);
  job.joined++;
  job.active++;
}

function finish(entry: PoolThread, error: string | undefined): void {
  const job = entry.job!;
  entry.job = undefined;
  if (threads.has(entry)) {
    entry.thread.setBusy(false);
    if (entry.retiring) retire(entry);
  }
  job.active--;
  job.exhausted = true; // a thread answers only when no chunk is left
  if (error !== undefined) {
    const { counter, count, kernel } = job.message;
    Atomics.store(new Int32Array(job.arena.memory.buffer), counter, count); // the others stop after their present chunk
    job.failure ??= kernelFailure(kernel, error);
  }
  dispatch(kernelHost());
  if (job.active > 0) return;
  if (job.failure) job.settle.reject(job.failure);
  else job.settle.resolve();
}

/** The error of a kernel that trapped. */
export function kernelFailure(kernel: string, cause: unknown): KernelError {
  return new KernelError(`The kernel ${kernel} failed: ${String(cause)}.`, {
    hint: "This is a fault in Tastemaker; please report it.",
    cause,
  });
}

function retire(entry: PoolThread): void {
  threads.delete(entry);
  entry.thread.terminate();
}
