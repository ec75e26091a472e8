/** How many threads to use when the caller does not say: the processor's, in Node and in a browser alike. */
export function defaultThreads(): number {
  const os = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.("node:os");
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}
