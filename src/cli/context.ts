/**
 * What every command works with: where to write (data to stdout, progress and notes to stderr), the signal of Ctrl-C,
 * and the options that all commands have.
 */
import type { Command } from "commander";
import type { Progress } from "../core/model.js";
import { createProgressLine } from "./progress-line.js";

export interface CommonOptions {
  json?: boolean;
  debug?: boolean;
}

export interface CliContext {
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
  /** One line of data, to stdout. */
  print(text: string): void;
  /** One line for the person, to stderr; the progress line makes room for it. */
  note(text: string): void;
  onProgress(progress: Progress): void;
  /** Ends the progress line. */
  quiet(): void;
}

export function createContext(signal: AbortSignal): CliContext {
  const progress = createProgressLine(process.stderr);
  return {
    signal,
    print: (text) => {
      progress.clear();
      process.stdout.write(`${text}\n`);
    },
    note: (text) => {
      progress.clear();
      process.stderr.write(`${text}\n`);
    },
    onProgress: (step) => progress.show(step),
    quiet: () => progress.clear(),
  };
}

/** Adds the options that every command has. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--json", "print JSON for machines on stdout (progress and notes stay on stderr)")
    .option("--debug", "show the stack of an error");
}

/** The examples at the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}
