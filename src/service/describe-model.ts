/** A registered model in plain data: what it is, its parameters with types and defaults, how it takes in new data. */
import { z } from "zod";
import type { ModelDefinition, ParamHelp } from "../core/model.js";

export interface ParamDescription extends ParamHelp {
  name: string;
  /** Such as "integer", "auto | number" or "cg | cholesky". */
  type: string;
  /** Absent when the parameter has none. */
  default?: unknown;
}

export interface ModelDescription extends Pick<ModelDefinition, "name" | "title" | "description" | "reference" | "task"> {
  params: ParamDescription[];
  partialRefit: { how: string } | { unavailable: string };
}

export function describeModel({
  name,
  title,
  description,
  reference,
  task,
  params,
  help,
  partialRefit,
}: ModelDefinition): ModelDescription {
  const schema = z.toJSONSchema(params, { io: "input" }) as { properties?: Record<string, JsonType> };
  return {
    name,
    title,
    description,
    reference,
    task,
    params: Object.entries(schema.properties ?? {}).map(([param, type]) => ({
      name: param,
      type: typeInWords(type),
      default: type.default,
      ...help[param],
    })),
    partialRefit: "how" in partialRefit ? { how: partialRefit.how } : { unavailable: partialRefit.unavailable },
  };
}

interface JsonType {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonType[];
  default?: unknown;
}

function typeInWords({ type, enum: values, const: only, anyOf }: JsonType): string {
  if (anyOf) return anyOf.map(typeInWords).join(" | ");
  return values?.join(" | ") ?? (only === undefined ? (type ?? "any") : String(only));
}
