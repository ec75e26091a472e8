/**
 * What the schema of `serve.routes` cannot say: that a route leaves our own addresses alone, that two do not answer the same
 * request, and that names, bounds and the template fit together. Called by `recipe.ts` before any data is read.
 */
import { ConfigError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { templateFault, templateLevels } from "../response-template.js";
import { pathNames, type RecommendRoute, type Route, type RouteField, type Serving } from "./route-schema.js";

/** First parts of addresses that the server itself answers; the page's files are the ones with a dot. */
const reserved = ["v1", "docs", "assets", "healthz", "readyz"];

interface Known {
  /** Labels of the recipe's models. */
  models: readonly string[];
  /** Names of the item properties; undefined when they are guessed from the data. */
  properties: readonly string[] | undefined;
}

/** Throws ConfigError for the first route that cannot be; `where` turns a path of the recipe into `file:line: path`. */
export function checkRoutes(routes: readonly Route[], known: Known, where: (path: readonly PropertyKey[]) => string): void {
  for (const [r, route] of routes.entries()) {
    checkRoute(route, known, (path, message, hint) => {
      const full = ["serve", "routes", r, ...path];
      throw new ConfigError(`${where(full)} ${message}.`, { hint, details: { path: full.join(".") } });
    });
    const renamed = routes.findIndex(({ path }, o) => o < r && path !== route.path && anonymous(path) === anonymous(route.path));
    if (renamed >= 0)
      throw new ConfigError(`${where(["serve", "routes", r, "path"])} is that of route ${renamed} with other names in braces.`, {
        hint: `Write ${routes[renamed].path} here too.`,
        details: { path: `serve.routes.${r}.path` },
      });
    const same = routes.findIndex((other, o) => o < r && clash(route, other));
    if (same >= 0)
      throw new ConfigError(`${where(["serve", "routes", r])}: route ${same} answers ${route.method} ${route.path} already.`, {
        hint: "Routes of one address are told apart by the keys of their bodies: give each its own `each` or `inside`.",
        details: { path: `serve.routes.${r}` },
      });
  }
}

type Fail = (path: readonly PropertyKey[], message: string, hint: string) => never;

function checkRoute(route: Route, known: Known, fail: Fail): void {
  checkPath(route, fail);
  checkFields(route, fail);
  if (route.answers === "recommend") checkRecommend(route, known, fail);
  const fault = templateFault(route.response, templateLevels(route), known.properties);
  if (fault) fail(["response", ...fault.path], fault.message, fault.hint);
}

function checkPath({ path }: Route, fail: Fail): void {
  const [, first, ...rest] = path.split("/");
  const predicts = /^\/v1\/models\/[^/]+:predict$/.test(path);
  if ((reserved.includes(first) && !predicts) || (rest.length === 0 && first.includes(".")) || first.startsWith("{"))
    fail(["path"], `is ${JSON.stringify(path)}, which the server itself may answer`, "Choose an address outside /v1, /docs and /.");
}

function checkFields(route: Route, fail: Fail): void {
  const fields = routeFields(route);
  const names = pathNames(route.path);
  const unused = names.find((name) => !fields.some(({ from }) => from === name));
  if (unused !== undefined) fail(["path"], `names {${unused}}, which no field is taken from`, "Add it to `request`.");
  const repeated = fields.find(({ from }, f) => fields.findIndex((other) => other.from === from) < f);
  if (repeated)
    fail(["request", repeated.field], `is taken from ${repeated.from} like another field`, "Each field has a place of its own.");
  for (const { field, from, min = 0, max = Infinity, default: usual = 1 } of fields) {
    if (min > max || usual > max) fail(["request", field], "allows nothing: its bounds exclude one another", "Raise max.");
    if (names.includes(from) && ["history", "basket", "include", "exclude"].includes(field))
      fail(["request", field], "is a list, which a path cannot hold", "Take it from the query or the body.");
  }
  const fixed = route.answers === "ready" ? [] : Object.keys(route.fixed);
  const twice = fixed.find((name) => fields.some(({ field }) => field === name));
  if (twice !== undefined) fail(["fixed", twice], "is asked for in `request` too", "Leave one of them out.");
}

function checkRecommend({ method, each, inside, fixed: { model } }: RecommendRoute, { models }: Known, fail: Fail): void {
  if (model !== undefined && !models.includes(model)) fail(["fixed", "model"], `is ${JSON.stringify(model)}`, nameHint(model, models));
  if (each !== undefined && inside !== undefined)
    fail(["inside"], "stands beside `each`", "A body holds either a list of requests or one request under a key.");
  if (method === "GET" && (each ?? inside) !== undefined)
    fail([each === undefined ? "inside" : "each"], "needs a body", "Write method: POST.");
}

/** The fields of ours that a route takes from requests. */
export function routeFields(route: Route): (RouteField & { field: string })[] {
  if (route.answers === "ready") return [];
  const fields = Object.entries(route.request) as [string, RouteField | undefined][];
  return fields.flatMap(([field, about]) => (about ? [{ field, ...about }] : []));
}

/** What tells the bodies of two routes of one address apart. */
export function bodyKey(route: Route): string | undefined {
  return route.answers === "recommend" ? (route.each ?? route.inside) : undefined;
}

/** What the router tells routes apart by. */
export function addressOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

/** A path, whatever the names in braces are. */
function anonymous(path: string): string {
  return path.replaceAll(/\{\w+\}/g, "{}");
}

function clash(a: Route, b: Route): boolean {
  return addressOf(a) === addressOf(b) && (bodyKey(a) ?? "") === (bodyKey(b) ?? "");
}

/** What a run keeps of a recipe's `serve` section; undefined when there is nothing to keep. */
export function servingOf({ model, index, routes, log, aliases, page }: Serving): Serving | undefined {
  const said = [model, index, log, aliases, page].some((one) => one !== undefined) || routes.length > 0;
  return said ? { model, index, routes, log, aliases, page } : undefined;
}
