/**
 * Checks parameters against a strict zod object and turns its issues into one ConfigError
 * that names the parameter, what was got, and the nearest known name.
 */
import { z } from "zod";
import { ConfigError } from "./errors.js";
import { nameHint } from "./nearest-names.js";

/** The parameters with defaults filled in. `what` opens the message, e.g. "model als". */
export function parseParams<Params>(schema: z.ZodType<Params>, given: unknown, what: string): Params {
  const result = schema.safeParse(given ?? {});
  if (result.success) return result.data;
  const { issues } = result.error;
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]; // a misspelt key before what it makes missing
  if (issue.code === "unrecognized_keys") {
    const name = issue.keys[0];
    throw new ConfigError(`${what} has no parameter ${JSON.stringify(name)}.`, {
      hint: nameHint(name, paramNames(schema)),
      details: { path: [...issue.path, name].join("."), allowed: paramNames(schema) },
    });
  }
  const path = issue.path.join(".");
  const got = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], given);
  throw new ConfigError(`${what}: parameter ${path || "object"} is ${JSON.stringify(got)}.`, {
    hint: `${issue.message}.`,
    details: { path, got },
  });
}

/** Names of the parameters of a strict zod object. */
export function paramNames(schema: z.ZodType): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
