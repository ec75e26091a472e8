/**
 * Long loops in plain TypeScript give way: `await pace()` lets timers, sockets and Ctrl-C run when 20 ms have passed,
 * and throws CancelledError once the signal is aborted. Cheap enough to call every few thousand steps.
 */
import { throwIfCancelled } from "./errors.js";

export function createPacer(signal: AbortSignal | undefined): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > 20) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    }
    throwIfCancelled(signal);
  };
}
