#!/usr/bin/env node
/**
 * The command `tastemaker`: runs one verb, prints an error as its sentence and hint (the stack with `--debug`), and
 * exits with the code of the error table.
 */
import { CommanderError } from "commander";
import { errorTable, TastemakerError } from "../core/errors.js";
import { createContext } from "./context.js";
import { onInterrupt } from "./interrupt.js";
import { createProgram } from "./program.js";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // the reader of a pipe has had enough
  throw error;
});

const context = createContext(onInterrupt());
const status = await main();
await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
process.exit(status); // worker threads need no farewell

async function main(): Promise<number> {
  try {
    await createProgram(context).parseAsync(process.argv);
    return 0;
  } catch (error) {
    context.quiet();
    return report(error);
  }
}

/** Tells the person and returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : errorTable.E_CONFIG.exit; // commander has printed it
  const known = error instanceof TastemakerError;
  context.note(`error: ${error instanceof Error ? error.message : String(error)}`);
  const hint = known ? error.hint : "This is a fault of tastemaker itself; run again with --debug and report what it prints.";
  if (hint) context.note(`hint: ${hint}`);
  if (process.argv.includes("--debug")) context.note(stackOf(error));
  return known ? errorTable[error.code].exit : errorTable.E_TRAINING.exit;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? (error.stack ?? error.message) : `${error.stack}\ncaused by: ${stackOf(error.cause)}`;
}
