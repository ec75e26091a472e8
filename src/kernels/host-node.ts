/**
 * Node half of the kernels: reads dist/wasm from disk and starts worker_threads.
 * Modules come from `process.getBuiltinModule`, so this file holds type imports only and bundles for any target.
 */
import type { KernelHost, KernelThread, ThreadEvents } from "./host-types.js";

/** The host for Node, or undefined outside it. */
export function nodeHost(): KernelHost | undefined {
  const getBuiltinModule = globalThis.process?.getBuiltinModule;
  if (getBuiltinModule === undefined || globalThis.process.versions?.node === undefined) return undefined;
  const { readFile } = getBuiltinModule("node:fs/promises");
  const { availableParallelism, totalmem } = getBuiltinModule("node:os");
  const { Worker } = getBuiltinModule("node:worker_threads");

  return {
    name: "node",
    cores: availableParallelism(),
    memoryBytes: Math.min(totalmem(), globalThis.process.constrainedMemory?.() || Number.POSITIVE_INFINITY),
    // The sources (tests) lie two folders above dist/wasm, the compiled files one.
    readKernel: (fileName) =>
      readFile(new URL(`${import.meta.url.endsWith(".ts") ? "../../dist" : ".."}/wasm/${fileName}`, import.meta.url)),
    createThread(source: string, events: ThreadEvents): KernelThread {
      const worker = new Worker(`(${source})(require("node:worker_threads").parentPort)`, {
        eval: true,
        execArgv: [], // loaders of the parent process are of no use here
        name: "tastemaker-kernel",
      });
      worker.on("message", (message) => events.onMessage(message));
      worker.on("error", (error) => events.onFailure(error as Error));
      worker.on("exit", (code) => events.onFailure(new Error(`the thread ended with code ${code}`)));
      worker.unref();
      return {
        post: (message) => worker.postMessage(message),
        setBusy: (busy) => (busy ? worker.ref() : worker.unref()),
        terminate: () => void worker.terminate(),
      };
    },
  };
}
