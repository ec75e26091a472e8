/**
 * The routes that a recipe declares (`serve.routes`): another system's addresses, request fields and answers over the same
 * service. See docs/recipes.md; the declarations were checked when the recipe was read.
 */
import type { FastifyRequest, FastifySchemaCompiler } from "fastify";
import { z } from "zod";
import { addressOf, bodyKey, routeFields } from "../../service/recipe/route-check.js";
import type { RecommendRoute, Route, SearchRoute } from "../../service/recipe/route-schema.js";
import type { RecommendRequest, RecommendService } from "../../service/recommend-service.js";
import { fillTemplate, type TemplateScope, templateLevels } from "../../service/response-template.js";
import type { AnswerLog } from "../answer-log.js";
import { requestSchemas, responseSchema } from "../declared-schemas.js";
import { problemResponses } from "../schemas.js";
import { validatorCompiler } from "../validation.js";
import { type App, clientSignal } from "./context.js";

export interface DeclaredRoutesOptions {
  routes: readonly Route[];
  log?: AnswerLog;
  /** Throws when the server is closing. */
  checkReady: () => void;
}

const summaries = { ready: "Does it take requests?", recommend: "Recommendations", search: "Items by part of an id or property" };

const closing = { 503: "The server is closing." };
const wrong = { 400: "Something in the request is wrong.", 404: "There is no such user or model.", 500: "The server failed." };
const wrongBody = { 413: "The body is too large.", 415: "The body is not declared as JSON." };

export function declaredRoutes(app: App, service: RecommendService, { routes, log, checkReady }: DeclaredRoutesOptions): void {
  for (const same of byAddress(routes)) {
    const [{ method, path, answers }] = same;
    const schemas = same.map((route) => ({ route, ...requestSchemas(route) }));
    const responses = same.map((route) => responseSchema(route.response, templateLevels(route), "ids" in route ? route.ids : undefined));
    const compile: typeof validatorCompiler = (part) => {
      if (part.httpPart !== "body") return validatorCompiler(part);
      const byKey = new Map(schemas.map(({ route, body }) => [bodyKey(route), validatorCompiler({ ...part, schema: body! })]));
      return (input) => (byKey.get(keyIn(input, same)) ?? [...byKey.values()][0])(input);
    };
    app.route({
      method,
      url: urlOf(path),
      validatorCompiler: compile as FastifySchemaCompiler<unknown>,
      schema: {
        tags: ["recipe"],
        operationId: `${method.toLowerCase()}${path.replaceAll(/\W+/g, "_")}`,
        summary: summaries[answers],
        ...(schemas[0].params && { params: schemas[0].params }),
        ...(schemas[0].querystring && { querystring: schemas[0].querystring }),
        ...(method === "POST" && { body: oneOf(schemas.map(({ body }) => body!)) }),
        response: {
          200: oneOf(responses).meta({ description: "The answer in the shape that the recipe declares." }),
          ...problemResponses(answers === "ready" ? closing : method === "GET" ? wrong : { ...wrong, ...wrongBody }),
        },
      },
      async handler(request, reply) {
        const route = same.find((one) => bodyKey(one) === keyIn(request.body, same)) ?? same[0];
        const signal = clientSignal(reply);
        return fillTemplate(route.response, await scopeOf(route, request, signal));
      },
    });
  }

  async function scopeOf(route: Route, request: FastifyRequest, signal: AbortSignal): Promise<TemplateScope> {
    const values = { requestId: request.id };
    const given = { ...(request.params as object), ...((route.method === "GET" ? request.query : request.body) as object) } as Given;
    if (route.answers === "ready") {
      checkReady();
      return { values, entries: [] };
    }
    if (route.answers === "search") {
      const { items } = await service.searchItems(searchRequest(route, given), { signal });
      return { values, entries: items.map((item) => ({ values: { ...values, ...withId(item, route.ids) }, entries: [] })) };
    }
    const { each, inside } = route;
    const answerOne = async (one: Given, place: string): Promise<TemplateScope> => {
      const asked = recommendRequest(route, { ...(request.params as object), ...one });
      const answer = await service.recommend(asked, { signal, names: namesIn(route, place) });
      log?.write({ requestId: request.id, route: `${route.method} ${route.path}`, asked, answer });
      const outer = { ...values, modelVersion: answer.modelVersion, user: asked.user ?? null };
      return { values: outer, entries: answer.items.map((item) => ({ values: { ...outer, ...withId(item, route.ids) }, entries: [] })) };
    };
    if (each === undefined)
      return answerOne(inside === undefined ? given : (given[inside] as Given), inside === undefined ? "" : `${inside}.`);
    const entries: TemplateScope[] = [];
    for (const [i, one] of (given[each] as Given[]).entries()) entries.push(await answerOne(one, `${each}[${i}].`));
    return { values, entries };
  }
}

/** Routes of one method and path stand together: the router knows them as one. */
function byAddress(routes: readonly Route[]): Route[][] {
  const groups = new Map<string, Route[]>();
  for (const route of routes) groups.set(addressOf(route), [...(groups.get(addressOf(route)) ?? []), route]);
  return [...groups.values()];
}

type Given = Readonly<Record<string, unknown>>;

/** Which of the routes of one address a body is for. */
function keyIn(body: unknown, routes: readonly Route[]): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  return routes.map(bodyKey).find((key) => key !== undefined && Object.hasOwn(body, key));
}

/** `/v1/models/{model}:predict` as the router writes it. */
function urlOf(path: string): string {
  return path.replaceAll(":", "::").replaceAll(/\{(\w+)\}(:?)/g, (_, name, colon) => `:${name}${colon && "([^:]+)"}${colon}`);
}

function oneOf(schemas: readonly z.ZodType[]): z.ZodType {
  return schemas.length === 1 ? schemas[0] : z.union(schemas as [z.ZodType, z.ZodType]);
}

/** The values of our fields, by their own names. */
function valuesOf(route: RecommendRoute | SearchRoute, given: Given): Record<string, unknown> {
  const values = routeFields(route).map(({ field, from, default: usual }) => [field, given[from] ?? usual]);
  return { ...Object.fromEntries(values), ...route.fixed };
}

function recommendRequest(route: RecommendRoute, given: Given): RecommendRequest {
  const { history, ...rest } = valuesOf(route, given) as Omit<RecommendRequest, "history"> & { history?: string[] };
  const { unknownUser } = route;
  return { ...rest, history: history?.map((itemId) => ({ itemId })), distinctHistory: route.request.history?.distinct, unknownUser };
}

function searchRequest(route: SearchRoute, given: Given): { q?: string; limit?: number } {
  return valuesOf(route, given);
}

/** What errors call our fields: `instances[2].listened_songs`. */
function namesIn(route: RecommendRoute, place: string): Record<string, string> {
  return Object.fromEntries(routeFields(route).map(({ field, from }) => [field, `${place}${from}`]));
}

function withId<Item extends { itemId: string }>(item: Item, ids: "string" | "number"): object {
  return ids === "number" && /^(0|-?[1-9]\d{0,14})$/.test(item.itemId) ? { ...item, itemId: Number(item.itemId) } : item;
}
