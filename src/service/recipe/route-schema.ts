/**
 * HTTP routes that a recipe declares (`serve.routes`): which address answers what, where a request holds our fields, and
 * the shape of its answer. The zod schema of what is written, kept with each run for `tastemaker serve`; what a schema
 * cannot say is checked by `route-check.ts`. Described in docs/recipes.md, registered by `server/routes/declared.ts`.
 */
import { z } from "zod";

const key = z.string().regex(/^\w[\w.-]*$/, "use letters, digits, dots, hyphens and underscores");
/** `/a/{name}:verb`; dots and hyphens are allowed. */
const path = z.string().regex(/^(\/([\w.~-]+|\{\w+\})(:[A-Za-z]\w*)?)+$/, "write it like /recommendation or /v1/models/{model}:predict");

/** Where a field of ours is found: its name in the path, the query (GET) or the body (POST), alone or with more about it. */
function field<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z
    .preprocess(
      (given) => (typeof given === "string" ? { from: given } : given),
      z.strictObject({ from: key, required: z.boolean().default(false), ...shape }),
    )
    .optional();
}

const lowercase = z.boolean().default(false);
const idList = {
  lowercase,
  min: z.int().min(0).optional(),
  max: z.int().min(1).max(10_000).optional(),
  distinct: z.boolean().default(false),
};
const wholeNumber = (most: number, usual: number) => ({
  default: z.int().min(1).max(most).default(usual),
  max: z.int().min(1).max(most).default(most),
});

const common = { path, method: z.enum(["GET", "POST"]).default("GET"), ignored: z.array(key).default([]) };
const ids = z.enum(["string", "number"]).default("string");
const template = z.unknown().refine((given) => given !== undefined, "say what the answer looks like");

const readyRoute = z.strictObject({
  path,
  method: z.literal("GET", { error: "Such a route is asked by GET" }).default("GET"),
  answers: z.literal("ready"),
  response: z.unknown().default({ status: "ready" }),
});

const recommendRoute = z.strictObject({
  ...common,
  answers: z.literal("recommend"),
  each: key.optional(),
  inside: key.optional(),
  request: z.strictObject({
    user: field({ lowercase }),
    history: field(idList),
    basket: field(idList),
    include: field(idList),
    exclude: field(idList),
    topK: field(wholeNumber(1000, 10)),
    excludeSeen: field({}),
    model: field({}),
  }),
  fixed: z
    .strictObject({ topK: z.int().min(1).max(1000).optional(), excludeSeen: z.boolean().optional(), model: z.string().optional() })
    .prefault({}),
  unknownUser: z.enum(["popular", "empty", "not-found"]).default("popular"),
  ids,
  response: template,
});

const searchRoute = z.strictObject({
  ...common,
  answers: z.literal("search"),
  request: z.strictObject({ q: field({}), limit: field(wholeNumber(100, 20)) }),
  fixed: z.strictObject({ limit: z.int().min(1).max(100).optional() }).prefault({}),
  ids,
  response: template,
});

export const routeSchema = z.discriminatedUnion("answers", [readyRoute, recommendRoute, searchRoute], {
  error: ({ code }) => (code === "invalid_union" ? "A route answers ready, recommend or search" : undefined),
});

/** How lists are found: by a scan of all items, or by a graph of their vectors that may miss some. */
export const indexSchema = z.strictObject({
  connectivity: z.int().min(2).max(256).default(16),
  expansionAdd: z.int().min(1).max(10_000).default(128),
  expansionSearch: z.int().min(1).max(10_000).default(128),
  overfetch: z.number().min(1).max(100).default(4),
});

/** What the web page begins with. */
export const pageSchema = z.strictObject({ favourites: z.int().min(1).max(20) });

/** What a run keeps of the recipe's `serve` section, so that it can be served later without the recipe. */
export const servingSchema = z.object({
  model: z.string().optional(),
  index: indexSchema.optional(),
  routes: z.array(routeSchema),
  log: z.string().optional(),
  aliases: z.string().optional(),
  page: pageSchema.optional(),
});

export type Route = z.output<typeof routeSchema>;
export type RecommendRoute = z.output<typeof recommendRoute>;
export type SearchRoute = z.output<typeof searchRoute>;
export type Page = z.output<typeof pageSchema>;
export type Serving = z.output<typeof servingSchema>;

/** A field of ours as a route finds it. */
export interface RouteField {
  from: string;
  required: boolean;
  lowercase?: boolean;
  min?: number;
  max?: number;
  distinct?: boolean;
  default?: number;
}

/** Names in braces of a path. */
export function pathNames(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
}
