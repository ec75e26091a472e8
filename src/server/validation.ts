/**
 * Validates requests against their zod schemas and says what is wrong in plain words: one ConfigError with every
 * wrong place in `details.errors`, and the nearest name for a misspelt key. Called by Fastify for each request.
 */
import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { ConfigError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";

interface Fault {
  path: string;
  message: string;
  hint: string | undefined;
}

type Issue = z.core.$ZodIssue;

const places: Record<string, string> = { querystring: "query parameter", body: "key", params: "path parameter", headers: "header" };

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const place = places[httpPart ?? "body"];
  return (input) => {
    const result = schema.safeParse(input);
    if (result.success) return { value: result.data };
    const misspelt = (issue: Issue) => issue.code === "unrecognized_keys";
    const issues = [...result.error.issues].sort((a, b) => Number(misspelt(b)) - Number(misspelt(a))); // before what they make missing
    const faults = issues.flatMap((issue) => faultsOf(issue, { schema, input, place }));
    const more = faults.length > 1 ? ` There ${faults.length === 2 ? "is one more fault" : `are ${faults.length - 1} more faults`}.` : "";
    return {
      error: new ConfigError(`${faults[0].message}.${more}`, {
        hint: faults[0].hint,
        details: { errors: faults.slice(0, 20).map(({ path, message }) => ({ path, message: `${message}.` })) },
      }),
    };
  };
};

function faultsOf(issue: Issue, { schema, input, place }: { schema: z.ZodType; input: unknown; place: string }): Fault[] {
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => ({
      path: path === "" ? key : `${path}.${key}`,
      message: `There is no ${place} ${JSON.stringify(key)}${path && ` in ${path}`}`,
      hint: nameHint(key, known),
    }));
  }
  const got = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], input);
  if (path === "") {
    const example = keysAt(schema, []).includes("history")
      ? '{"history": [{"itemId": "…"}], "topK": 10}'
      : `{"${keysAt(schema, [])[0]}": …}`;
    const hint = `Send a JSON object, such as ${example}, with content-type: application/json.`;
    return [{ path, message: got === null || got === undefined ? "The body is empty" : "The body is not a JSON object", hint }];
  }
  if (place === places.querystring && Array.isArray(got))
    return [{ path, message: `${path} is given ${got.length} times`, hint: "Give it once." }];
  return [{ path, message: `${path} ${problemOf(issue, got)}`, hint: hintOf(issue, got) }];
}

function problemOf(issue: Issue, got: unknown): string {
  if (got === undefined) return "is missing";
  const shown = typeof got === "object" && got !== null ? (Array.isArray(got) ? "a list" : "an object") : shorten(JSON.stringify(got));
  if (issue.code === "invalid_type")
    return `must be ${issue.expected === "int" ? "a whole number" : article(issue.expected)}, but is ${shown}`;
  if (issue.code === "too_small" || issue.code === "too_big") {
    const few = issue.code === "too_small";
    const bound = Number(few ? issue.minimum : issue.maximum);
    if (issue.origin === "string" || issue.origin === "array") {
      if (few && bound === 1) return "is empty";
      if (issue.origin === "array") {
        const needed = issue.exact ? `must have exactly ${bound} entries` : `must have at ${few ? "least" : "most"} ${bound} entries`;
        return `${needed}, but has ${(got as unknown[]).length}`;
      }
      return `is too ${few ? "short" : "long"}: ${few ? "at least" : "at most"} ${bound} characters are allowed`;
    }
    return `must be at ${few ? "least" : "most"} ${bound}, but is ${shown}`;
  }
  if (issue.code === "custom") return `${issue.message}, but is ${shown}`;
  return `is wrong: ${issue.message}`;
}

function hintOf(issue: Issue, got: unknown): string | undefined {
  if (issue.code === "invalid_type" && issue.expected === "string" && typeof got === "number") return `Ids are strings: write "${got}".`;
  return "The document at /docs says what is allowed.";
}

function article(type: string): string {
  const names: Record<string, string> = { array: "a list", object: "an object", boolean: "true or false", number: "a number" };
  return names[type] ?? `a ${type}`;
}

/** `history[2].itemId`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, at) => (typeof key === "number" ? `[${key}]` : `${at > 0 ? "." : ""}${String(key)}`)).join("");
}

/** The keys that the object at `path` of the schema knows. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  const inner = () => {
    for (;;) {
      const def = (at as { def: { innerType?: unknown } }).def;
      if (def.innerType === undefined) return at as { shape?: Record<string, unknown>; element?: unknown };
      at = def.innerType;
    }
  };
  for (const key of path) {
    const { shape, element } = inner();
    at = typeof key === "number" ? element : shape?.[String(key)];
    if (at === undefined) return [];
  }
  return Object.keys(inner().shape ?? {});
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
