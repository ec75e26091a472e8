/** Tells the person of saved models that cannot be loaded, while the others answer; for the commands that load all models of a run. */
import type { CliContext } from "./context.js";

export function skippedNote(context: CliContext): (label: string, reason: string) => void {
  return (label, reason) => context.note(`Warning: ${label} is left out, the other models answer. ${reason}`);
}
