/**
 * Ctrl-C: the first one aborts the signal, so that the work ends where nothing is broken; a second one ends the
 * process at once. npm passes on the interrupt that the terminal has sent already, so an echo within half a second
 * does not count as a second one.
 */
import { errorTable } from "../core/errors.js";

const ECHO_MS = 500;

export function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const interrupt = (): void => {
    if (!controller.signal.aborted) {
      first = performance.now();
      controller.abort();
    } else if (performance.now() - first > ECHO_MS) process.exit(errorTable.E_CANCELLED.exit);
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  return controller.signal;
}
