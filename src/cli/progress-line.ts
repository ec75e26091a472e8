/**
 * Progress on stderr: one line that is written over on a terminal; elsewhere a plain line for each new stage and then
 * every few seconds, so that logs stay readable.
 */
import type { Progress } from "../core/model.js";

const TERMINAL_MS = 80;
const LOG_MS = 5000;

export interface ProgressLine {
  show(progress: Progress): void;
  /** Removes the line from a terminal, so that other text can be written. */
  clear(): void;
}

export function createProgressLine(stream: NodeJS.WriteStream): ProgressLine {
  const terminal = stream.isTTY === true;
  let stage = "";
  let shownAt = 0;
  let onScreen = false;
  return {
    show(progress) {
      const now = performance.now();
      const newStage = progress.stage !== stage;
      const finished = progress.done >= progress.total;
      if (!newStage && now - shownAt < (terminal ? TERMINAL_MS : LOG_MS) && !(terminal && finished)) return;
      stage = progress.stage;
      shownAt = now;
      const text = describe(progress);
      if (terminal) stream.write(`\r\x1b[2K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
      else stream.write(`${text}\n`);
      onScreen = terminal;
    },
    clear() {
      if (onScreen) stream.write("\r\x1b[2K");
      onScreen = false;
    },
  };
}

function describe({ stage, done, total, loss, note }: Progress): string {
  const percent = total > 0 ? Math.min(100, Math.floor((100 * done) / total)) : 0;
  const count = total > 1 ? ` ${percent} % (${done.toLocaleString("en")} of ${total.toLocaleString("en")})` : " …";
  return `${stage}${count}${loss === undefined ? "" : `, loss ${loss.toPrecision(6)}`}${note ? `; ${note}` : ""}`;
}
