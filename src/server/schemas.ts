/**
 * zod schemas of all requests and answers: they validate, type the handlers and make the OpenAPI document.
 * Objects are strict, so that a misspelt key is an error with the nearest name (`validation.ts`).
 */
import { z } from "zod";
import { MAX_WEIGHT } from "../core/interactions.js";
import type {
  ExplanationsRequest,
  ExplanationsResponse,
  HealthResponse,
  ItemsResponse,
  ModelsResponse,
  PageResponse,
  Problem,
  RecommendationsRequest,
  RecommendationsResponse,
  SimilarUsersResponse,
  UserItemsResponse,
  UsersResponse,
} from "./api-types.js";

const id = z.string().min(1);

/** A whole number in a query string. */
export function wholeNumber(description: string, { most, fallback }: { most: number; fallback: number }) {
  return z
    .string()
    .transform((text, context) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
      if (value >= 1 && value <= most) return value;
      context.addIssue({ code: "custom", message: `must be a whole number from 1 to ${most}` });
      return z.NEVER;
    })
    .optional()
    .meta({ type: "integer", minimum: 1, maximum: most, default: fallback, description });
}

/** true or false in a query string. */
export function trueOrFalse(description: string) {
  return z
    .string()
    .transform((text, context) => {
      if (text === "true" || text === "false") return text === "true";
      context.addIssue({ code: "custom", message: "must be true or false" });
      return z.NEVER;
    })
    .optional()
    .meta({ type: "boolean", default: true, description });
}

const topKText = wholeNumber("Length of the list.", { most: 1000, fallback: 10 });
const limitText = wholeNumber("Most entries returned.", { most: 100, fallback: 20 });
const modelText = id.optional().meta({ description: "Name of a model of /v1/models. Default: the default model." });
const searchText = z.string().max(200).optional();

const history = z
  .array(z.strictObject({ itemId: id, weight: z.number().nonnegative().max(MAX_WEIGHT).optional().meta({ default: 1 }) }))
  .max(10_000)
  .optional()
  .meta({ description: "Events since training, or those of an unseen user; events of the same item are summed." });

export const recommendationsQuery = z.strictObject({
  user: id.optional().meta({ description: 'A user\'s id. One the model does not know gets a list whose source is "popularity fallback".' }),
  topK: topKText,
  excludeSeen: trueOrFalse("Leave out what the user already has. Default: `excludeSeen` of /v1/models."),
  model: modelText,
});

export const recommendationsBody = z.strictObject({
  user: id.optional().meta({ description: "A user's id; with a history, the user's own events are added to it." }),
  history,
  basket: z
    .array(id)
    .max(1000)
    .optional()
    .meta({ description: "Items of the basket in progress, in order: models that know baskets go by it. They are not recommended again." }),
  topK: z.int().min(1).max(1000).optional().meta({ default: 10, description: "Length of the list." }),
  excludeSeen: z.boolean().optional().meta({ description: "Leave out what the user already has. Default: `excludeSeen` of /v1/models." }),
  include: z.array(id).min(1).optional().meta({ description: "Only these items may appear." }),
  exclude: z.array(id).optional().meta({ description: "These items never appear." }),
  model: modelText,
}) satisfies z.ZodType<RecommendationsRequest>;

const explainedItem = id.meta({ description: "The id of the item asked about." });
const contributions = "Most contributions listed.";

export const explanationsQuery = z.strictObject({
  item: explainedItem,
  user: id.optional().meta({ description: 'A user\'s id. For one the model does not know, the source is "popularity fallback".' }),
  limit: wholeNumber(contributions, { most: 100, fallback: 10 }),
  model: modelText,
});

export const explanationsBody = z.strictObject({
  item: explainedItem,
  user: id.optional().meta({ description: "A user's id; with a history, the user's own events are added to it." }),
  history,
  limit: z.int().min(1).max(100).optional().meta({ default: 10, description: contributions }),
  model: modelText,
}) satisfies z.ZodType<ExplanationsRequest>;

export const itemParams = z.strictObject({ id: id.meta({ description: "The item's id, URL-encoded." }) });
export const similarQuery = z.strictObject({ topK: topKText, model: modelText });
export const itemsQuery = z.strictObject({
  q: searchText.meta({ description: "Part of an id or of a text property, in any case." }),
  limit: limitText,
});
export const usersQuery = z.strictObject({ q: searchText.meta({ description: "Part of an id, in any case." }), limit: limitText });
export const userParams = z.strictObject({ id: id.meta({ description: "The user's id, URL-encoded." }) });
export const userItemsQuery = z.strictObject({ limit: limitText });
export const noQuery = z.strictObject({});

const properties = z.record(z.string(), z.union([z.string(), z.number(), z.null()])).optional();

export const recommendationsResponse = z
  .object({
    items: z.array(
      z.object({
        itemId: z.string(),
        score: z.number(),
        source: z.string().meta({ description: 'Model name, or "popularity fallback".' }),
        properties,
      }),
    ),
    modelVersion: z.string(),
    requestId: z.string(),
  })
  .meta({ description: "Best first." }) satisfies z.ZodType<RecommendationsResponse>;

export const similarUsersResponse = z
  .object({
    users: z.array(z.object({ userId: z.string(), score: z.number() })),
    modelVersion: z.string(),
    requestId: z.string(),
  })
  .meta({ description: "Most similar first." }) satisfies z.ZodType<SimilarUsersResponse>;

export const explanationsResponse = z
  .object({
    itemId: z.string(),
    score: z.number().meta({ description: "base + the sum of the contributions + rest." }),
    base: z.number().meta({ description: "What does not come from the asker's history: popularity, biases." }),
    contributions: z
      .array(z.object({ itemId: z.string(), contribution: z.number(), properties }))
      .meta({ description: "What items of the asker's history add to the score, largest first." }),
    rest: z.number().meta({ description: "Of the items of the history that are not listed." }),
    source: z.string().meta({ description: 'Model name, or "popularity fallback".' }),
    modelVersion: z.string(),
    requestId: z.string(),
  })
  .meta({ description: "Where the score comes from." }) satisfies z.ZodType<ExplanationsResponse>;

export const itemsResponse = z
  .object({ items: z.array(z.object({ itemId: z.string(), properties })) })
  .meta({ description: "The matching items." }) satisfies z.ZodType<ItemsResponse>;

export const usersResponse = z
  .object({
    users: z.array(
      z.object({ userId: z.string(), itemsSeen: z.int().nonnegative().meta({ description: "Distinct items of the user in training." }) }),
    ),
  })
  .meta({ description: "The matching users." }) satisfies z.ZodType<UsersResponse>;

export const userItemsResponse = z
  .object({
    items: z.array(
      z.object({ itemId: z.string(), weight: z.number().meta({ description: "Summed over the user's events." }), properties }),
    ),
  })
  .meta({ description: "Largest weight first." }) satisfies z.ZodType<UserItemsResponse>;

export const modelsResponse = z
  .object({
    models: z.array(
      z.object({
        name: z.string(),
        version: z.string(),
        default: z.boolean(),
        similarItems: z.boolean(),
        similarUsers: z.boolean(),
        explanations: z.boolean(),
        ratings: z.boolean().meta({ description: "Its scores are predicted ratings." }),
        numUsers: z.int().nonnegative(),
        numItems: z.int().nonnegative(),
        metrics: z.record(z.string(), z.number()),
        createdAt: z.string().optional(),
      }),
    ),
    excludeSeen: z.boolean(),
  })
  .meta({ description: "All loaded models." }) satisfies z.ZodType<ModelsResponse>;

export const pageResponse = z
  .object({ title: z.string(), favourites: z.int().min(1).nullable() })
  .meta({ description: "What is served, and how many favourites the page asks for first." }) satisfies z.ZodType<PageResponse>;

export const healthResponse = z
  .object({ status: z.enum(["ok", "ready"]) })
  .meta({ description: "Yes." }) satisfies z.ZodType<HealthResponse>;

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
  hint: z.string().optional(),
  code: z.string(),
  requestId: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
}) satisfies z.ZodType<Problem>;

/** The documented problem answers of a route, for its `response` schema. */
export function problemResponses(texts: Record<number, string>) {
  return Object.fromEntries(
    Object.entries(texts).map(([status, description]) => [
      status,
      { description, content: { "application/problem+json": { schema: problem } } },
    ]),
  );
}
