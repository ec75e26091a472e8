/**
 * The search space of a model, from its definition: numbers by `help[param].range` and scale, enumerations and booleans as
 * choices, "auto" and absence as alternatives of a number. A recipe narrows it: `param: 64` fixes, `param: [32, 64]` lists,
 * `param: { min, max, scale }` gives a range. Called by service/tune/tune.ts and service/tune/auto.ts.
 */
import { z } from "zod";
import { ConfigError } from "../core/errors.js";
import type { ModelDefinition, ParamHelp } from "../core/model.js";
import { nameHint } from "../core/nearest-names.js";
import { paramNames, parseParams } from "../core/params.js";
import type { TrialParams } from "../core/trials.js";
import type { Choices, NumberRange, SearchSpace } from "./search-space.js";

/** A part of a zod schema as JSON Schema. */
interface Shape {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  anyOf?: Shape[];
}

export interface ModelSpaceOptions {
  /** Complete parameters: what stays fixed stays at these. */
  params: Readonly<Record<string, unknown>>;
  /** What a recipe says of each parameter. */
  narrowed?: Readonly<Record<string, unknown>>;
  /** Without timestamps, parameters that need them are left alone. */
  hasTimestamps: boolean;
}

/**
 * Throws ConfigError for an unknown parameter (nearest names), an empty range or list, and values the model refuses.
 * `searched` is empty when the model has nothing to tune.
 */
export function modelSpace(definition: ModelDefinition, { params, narrowed = {}, hasTimestamps }: ModelSpaceOptions): SearchSpace {
  const known = paramNames(definition.params);
  for (const param of Object.keys(narrowed)) {
    if (!known.includes(param))
      throw new ConfigError(`Model ${definition.name} has no parameter ${JSON.stringify(param)} to search.`, {
        hint: nameHint(param, known),
        details: { path: param, allowed: known },
      });
  }
  const { properties = {} } = z.toJSONSchema(definition.params, { io: "input", unrepresentable: "any" }) as {
    properties?: Record<string, Shape>;
  };
  const searched: Record<string, NumberRange | Choices> = {};
  const fixed: Record<string, unknown> = {};
  const accept = (param: string, value: unknown) => checkValue(definition, param, value);
  for (const param of known) {
    const shape = properties[param] ?? {};
    const help: ParamHelp = definition.help[param] ?? { help: "" };
    const given = narrowed[param];
    if (given === undefined) {
      const dimension = help.tune === false || (help.needs === "timestamps" && !hasTimestamps) ? undefined : fromSchema(shape, help);
      if (dimension) searched[param] = dimension;
      else if (params[param] !== undefined) fixed[param] = params[param];
    } else if (Array.isArray(given)) {
      const values = [...new Set(given)].map((value) => (value === null ? undefined : value));
      if (values.length === 0) throw empty(param, given, "The list is empty; name at least one value.");
      for (const value of values) accept(param, value);
      if (values.length > 1) searched[param] = { kind: "choice", values };
      else if (values[0] !== undefined) fixed[param] = values[0];
    } else if (typeof given === "object" && given !== null) searched[param] = rangeOf(param, given, { shape, help, accept });
    else {
      accept(param, given ?? undefined);
      if (given !== null) fixed[param] = given;
    }
  }
  return { searched, fixed };
}

/** The dimension that the definition itself describes; undefined when it describes none. */
function fromSchema(shape: Shape, { range, scale = "linear" }: ParamHelp): NumberRange | Choices | undefined {
  const parts = shape.anyOf ?? [shape];
  const absent = shape.default === undefined ? [undefined] : [];
  const literals = parts.flatMap((part) => part.enum ?? (part.const === undefined ? [] : [part.const]));
  if (parts.some(({ type }) => type === "boolean")) literals.push(false, true);
  if (parts.some(isNumber)) {
    if (!range) return undefined;
    const [low, high] = range;
    return { kind: "number", low, high, scale, whole: isWhole(parts), alternatives: [...literals, ...absent] };
  }
  const values = [...literals, ...absent];
  return values.length > 1 ? { kind: "choice", values } : undefined;
}

interface RangeContext {
  shape: Shape;
  help: ParamHelp;
  accept: (param: string, value: unknown) => void;
}

const rangeSchema = z.strictObject({ min: z.number(), max: z.number(), scale: z.enum(["linear", "log"]).optional() });

function rangeOf(param: string, given: object, { shape, help, accept }: RangeContext): NumberRange {
  const { min, max, scale = help.scale ?? "linear" } = parseParams(rangeSchema, given, `The range of ${param}`);
  const parts = shape.anyOf ?? [shape];
  if (!parts.some(isNumber)) throw empty(param, given, "The parameter is not a number; give a list of its values.");
  if (!(min < max)) throw empty(param, given, "min must be below max; to fix the parameter write its value alone.");
  if (scale === "log" && min <= 0) throw empty(param, given, "A log scale needs min above 0; or write scale: linear.");
  accept(param, min);
  accept(param, max);
  return { kind: "number", low: min, high: max, scale, whole: isWhole(parts), alternatives: [] };
}

const isNumber = ({ type }: Shape) => type === "number" || type === "integer";
const isWhole = (parts: readonly Shape[]) => parts.filter(isNumber).every(({ type }) => type === "integer");

/**
 * Makes proposals valid where a model refuses a combination of parameters that are valid one by one: resets one searched
 * parameter, then another, to its value in `start`. Undefined when no single reset helps.
 */
export function repairFor(definition: ModelDefinition, { searched }: SearchSpace, start: TrialParams) {
  const valid = (params: TrialParams) => definition.params.safeParse(params).success;
  return (params: TrialParams): TrialParams | undefined => {
    if (valid(params)) return params;
    for (const param of Object.keys(searched)) {
      const { [param]: _, ...others } = params;
      const reset = start[param] === undefined ? others : { ...others, [param]: start[param] };
      if (valid(reset)) return reset;
    }
    return undefined;
  };
}

/** Whether the parameter may have this value at all, whatever the others are. */
function checkValue({ name, params: schema }: ModelDefinition, param: string, value: unknown): void {
  if (!(schema instanceof z.ZodObject)) return;
  try {
    parseParams(z.strictObject({ [param]: schema.shape[param] as z.ZodType }), { [param]: value }, `Model ${name}`);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ConfigError(`${JSON.stringify(value)} cannot be searched for ${param}. ${cause.message}`, {
      hint: cause.hint,
      cause,
      details: { path: param, got: value },
    });
  }
}

function empty(param: string, got: unknown, hint: string): ConfigError {
  return new ConfigError(`The range of ${param} is empty or wrong: ${JSON.stringify(got)}.`, { hint, details: { path: param, got } });
}
