/**
 * The zod schemas of a route that a recipe declares: they validate its requests, turn their values into ours (numbers as ids,
 * lower case), and describe request and answer in the OpenAPI document. Used by `routes/declared.ts`.
 */
import { z } from "zod";
import { routeFields } from "../service/recipe/route-check.js";
import { pathNames, type Route, type RouteField } from "../service/recipe/route-schema.js";
import { pickedName, type TemplateLevels } from "../service/response-template.js";
import { trueOrFalse, wholeNumber } from "./schemas.js";

/** Most requests in one body of a route with `each`. */
const mostInstances = 128;

const descriptions: Record<string, string> = {
  user: "A user's id.",
  history: "Ids of the items that the list is made from.",
  basket: "Ids of the items in the basket, in order.",
  include: "Only these items may appear.",
  exclude: "These items never appear.",
  topK: "Length of the list.",
  excludeSeen: "Leave out what the user already has.",
  model: "Name of a model of /v1/models.",
  q: "Part of an id or of a text property, in any case.",
  limit: "Most entries returned.",
};

/** Schemas by part of the request; each is absent where the route takes nothing from there. */
export function requestSchemas(route: Route): { params?: z.ZodType; querystring?: z.ZodType; body?: z.ZodType } {
  if (route.answers === "ready") return {};
  const inPath = pathNames(route.path);
  const fields = routeFields(route);
  const shapeOf = (wanted: typeof fields, isText: boolean) =>
    Object.fromEntries(wanted.map((field) => [field.from, fieldSchema(field, isText)]));
  const ofPath = fields.filter(({ from }) => inPath.includes(from));
  const others = fields.filter(({ from }) => !inPath.includes(from));
  const ignored = Object.fromEntries(route.ignored.map((key) => [key, z.unknown().optional().meta({ description: "Not used." })]));
  const params =
    ofPath.length === 0
      ? undefined
      : z.strictObject(
          shapeOf(
            ofPath.map((field) => ({ ...field, required: true })),
            true,
          ),
        );
  if (route.method === "GET") return { params, querystring: z.strictObject({ ...shapeOf(others, true), ...ignored }) };
  const given = shapeOf(others, false);
  if (route.answers === "recommend" && route.each !== undefined)
    return { params, body: z.strictObject({ [route.each]: z.array(z.strictObject(given)).min(1).max(mostInstances), ...ignored }) };
  if (route.answers === "recommend" && route.inside !== undefined)
    return { params, body: z.strictObject({ [route.inside]: z.strictObject(given), ...ignored }) };
  return { params, body: z.strictObject({ ...given, ...ignored }) };
}

/** Query strings hold text alone; a list there is a parameter given several times. */
function fieldSchema({ field, ...about }: RouteField & { field: string }, isText: boolean): z.ZodType {
  const description = descriptions[field];
  const { required, max, default: usual = 10 } = about;
  const optional = (schema: z.ZodType) => (required ? schema : schema.optional()).meta({ description });
  switch (field) {
    case "topK":
    case "limit": {
      const most = max ?? 1000;
      if (isText && !required) return wholeNumber(description, { most, fallback: usual });
      if (isText) return wholeNumber(description, { most, fallback: usual }).unwrap();
      return required
        ? z.int().min(1).max(most).meta({ description })
        : z.int().min(1).max(most).optional().meta({ description, default: usual });
    }
    case "excludeSeen":
      return isText ? trueOrFalse(description) : optional(z.boolean());
    case "history":
    case "basket":
    case "include":
    case "exclude":
      return (required || (about.min ?? 0) > 0 ? listSchema(about, isText) : listSchema(about, isText).optional()).meta({ description });
    case "q":
      return optional(z.string().max(200));
    default:
      return optional(idSchema(about.lowercase));
  }
}

/** A string, or a whole number that stands for its digits. */
function idSchema(lowercase = false): z.ZodType {
  const id = z.string().min(1);
  return z
    .preprocess((given) => (Number.isSafeInteger(given) ? String(given) : given), lowercase ? id.toLowerCase() : id)
    .meta({ type: ["string", "integer"] });
}

function listSchema({ lowercase, min = 0, max = 10_000, distinct }: Omit<RouteField, "from">, isText: boolean): z.ZodType {
  const sized = z.array(idSchema(lowercase));
  const list = (min === max ? sized.length(min) : sized.min(min).max(max)).superRefine((ids, context) => {
    const repeated = distinct ? (ids as string[]).findIndex((id, place) => ids.indexOf(id) < place) : -1;
    if (repeated >= 0) context.addIssue({ code: "custom", path: [repeated], message: "must not repeat an earlier entry" });
  });
  return isText ? z.preprocess((given) => (typeof given === "string" ? [given] : given), list) : list;
}

const property = z.union([z.string(), z.number(), z.null()]);

/** The answer's schema, from the shape of its template. */
export function responseSchema(template: unknown, levels: TemplateLevels, ids: "string" | "number" = "string"): z.ZodType {
  if (Array.isArray(template)) return z.array(responseSchema(template[0], levels.slice(1), ids));
  if (typeof template === "object" && template !== null)
    return z.strictObject(Object.fromEntries(Object.entries(template).map(([key, value]) => [key, responseSchema(value, levels, ids)])));
  switch (pickedName(template)) {
    case undefined:
      return typeof template === "string" ? z.string() : z.literal(template as number | boolean | null);
    case "itemId":
      return ids === "number" ? z.union([z.int(), z.string()]) : z.string();
    case "score":
      return z.number();
    case "properties":
      return z.record(z.string(), property).nullable();
    case "user":
      return z.string().nullable();
    case "source":
    case "modelVersion":
    case "requestId":
      return z.string();
    default:
      return property;
  }
}
