/** Errors that name their place in a recipe (`file:line: path`). Called by recipe.ts and scenarios.ts. */
import { ConfigError, NotFoundError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";

/** Turns a path of a recipe into `file:line: path`. */
export type Where = (path: readonly PropertyKey[]) => string;

/** Puts the place in front of an error of `work`. */
export function located<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof NotFoundError)) throw error;
    throw new ConfigError(`${where}: ${error.message}`, { hint: error.hint, cause: error, details: error.details });
  }
}

/** Throws ConfigError with the nearest name for a value that is none of the allowed ones. */
export function oneOf(value: string, allowed: readonly string[], where: string): void {
  if (!allowed.includes(value))
    throw new ConfigError(`${where} is ${JSON.stringify(value)}.`, { hint: nameHint(value, allowed), details: { got: value, allowed } });
}
