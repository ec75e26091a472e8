/**
 * What a kernel thread does: instantiate the module on an arena's memory when it first meets the arena,
 * then take chunks off the arena's atomic counter until none are left.
 * The function is turned into text and evaluated in the thread, so it uses nothing from outside itself.
 */

export interface RunMessage {
  arena: number;
  /** Present in the first message about an arena. */
  setup?: { module: WebAssembly.Module; memory: WebAssembly.Memory };
  kernel: string;
  /** Index of the counter in the memory seen as int32. */
  counter: number;
  count: number;
  chunk: number;
  scratchPointer: number;
  args: readonly number[];
}

export interface DropMessage {
  drop: number;
}

export interface ThreadAnswer {
  error?: string;
}

interface Port {
  onmessage: ((event: { data: RunMessage | DropMessage }) => void) | null;
  postMessage(message: ThreadAnswer): void;
}

type Kernel = (begin: number, end: number, scratchPointer: number, ...args: number[]) => void;

function workerMain(port: Port): void {
  const arenas = new Map<number, { kernels: Record<string, Kernel>; integers: Int32Array }>();
  port.onmessage = ({ data }) => {
    if ("drop" in data) {
      arenas.delete(data.drop);
      return;
    }
    const answer: ThreadAnswer = {};
    try {
      if (data.setup !== undefined) {
        const { module, memory } = data.setup;
        const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Record<string, Kernel>;
        arenas.set(data.arena, { kernels, integers: new Int32Array(memory.buffer) });
      }
      const { kernels, integers } = arenas.get(data.arena)!;
      const kernel = kernels[data.kernel];
      for (;;) {
        const begin = Atomics.add(integers, data.counter, data.chunk);
        if (begin >= data.count) break;
        kernel(begin, Math.min(begin + data.chunk, data.count), data.scratchPointer, ...data.args);
      }
    } catch (error) {
      answer.error = String(error);
    }
    port.postMessage(answer);
  };
}

/** Source text of the thread's function; the inner `__name` serves compilers that keep function names by calling it. */
export const workerSource = `(port) => { const __name = (value) => value; (${workerMain.toString()})(port); }`;
