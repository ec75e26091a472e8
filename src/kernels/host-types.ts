/** What kernels need from their surroundings: the bytes of a compiled module and, where there are any, threads. */

/** A thread that runs the source text of `worker-main.ts`. */
export interface KernelThread {
  post(message: unknown): void;
  /** While busy the thread keeps the process alive; while idle it does not. */
  setBusy(busy: boolean): void;
  terminate(): void;
}

export interface ThreadEvents {
  onMessage(message: unknown): void;
  /** The thread is gone and will send nothing more. */
  onFailure(error: Error): void;
}

export interface KernelHost {
  readonly name: "node" | "browser";
  /** Absent where shared memory or threads cannot be had: kernels then run on the calling thread, in slices. */
  readonly createThread?: (source: string, events: ThreadEvents) => KernelThread;
  /** Number of cores. */
  readonly cores: number;
  /** Bytes of memory that this process may hope for: the machine's or its container's; in browsers what they tell, or 4 GiB. */
  readonly memoryBytes: number;
  /** Bytes of `dist/wasm/<fileName>`. */
  readKernel(fileName: string): Promise<BufferSource>;
}
