/** Routes of a recipe: defaults, every way of being wrong with path and line, and that a run keeps them for `tastemaker serve`. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createServer } from "../../src/server/app.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { createRecommendService } from "../../src/service/recommend.js";
import { runRecipe, serveRun } from "../../src/service/run.js";
import { latestRun } from "../../src/service/workspace.js";
import { writeShop } from "../cli/tastemaker.js";
import { shopModels } from "../server/shop.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const base = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at, weight: null } }
itemProperties: { title: name }
models: [{ name: popularity }, { name: als, params: { factors: 4, iterations: 2 } }]
serve:
  routes:
`;
const good = `    - path: /recommendation
      answers: recommend
      request:
        user: who
        topK: { from: count, default: 5 }
      response: { list: [{ id: $itemId, title: $properties.title }], version: $modelVersion }
`;
const parse = (routes: string) => parseRecipe(`${base}${routes}`, { file: "shop.yaml" });

test("a route gets its defaults", () => {
  const [route, ready] = parse(`${good}    - { path: /ready, answers: ready }\n`).serve.routes;
  expect(route).toMatchObject({
    method: "GET",
    unknownUser: "popular",
    ids: "string",
    fixed: {},
    request: { user: { from: "who", required: false, lowercase: false }, topK: { from: "count", default: 5, max: 1000 } },
  });
  expect(ready).toMatchObject({ method: "GET", response: { status: "ready" } });
});

const predict = "{ path: '/v1/models/{name}:predict', method: POST, answers: recommend, request: { model: name, history: songs }";

describe("a route that cannot be is an error that says where", () => {
  test.each<[string, string, string, RegExp]>([
    ["an unknown key", "answers:", "answer:", /shop\.yaml:7: serve\.routes\.0\.answers is missing|serve\.routes\.0/],
    [
      "an unknown kind",
      "answers: recommend",
      "answers: recomend",
      /shop\.yaml:8: serve\.routes\.0\.answers is "recomend".*ready, recommend or search/,
    ],
    [
      "an unknown field",
      "user: who",
      "usr: who",
      /shop\.yaml:10: serve\.routes\.0\.request\.usr: there is no such key\. Did you mean user/,
    ],
    ["an unknown option", "default: 5", "defalt: 5", /shop\.yaml:11: serve\.routes\.0\.request\.topK\.defalt.*Did you mean default/],
    [
      "a key of another kind",
      "request:",
      "each: a\n      unknown: 1\n      request:",
      /serve\.routes\.0\.unknown.*Did you mean unknownUser/,
    ],
    ["a number out of range", "default: 5", "default: 5000", /topK\.default is 5000/],
    ["bounds that exclude one another", "default: 5", "default: 5, max: 3", /request\.topK allows nothing/],
    ["no answer", /response.*\n/.exec(good)![0], "", /routes\.0\.response is missing.*looks like/],
    [
      "an unknown pick",
      "$modelVersion",
      "$modelVerson",
      /shop\.yaml:12: serve\.routes\.0\.response\.version is "\$modelVerson".*\$modelVersion/,
    ],
    ["an item's field outside a list", "$modelVersion", "$itemId", /response\.version is "\$itemId".*inside a list only: \[\$itemId\]/],
    ["an unknown property", "properties.title", "properties.titel", /response\.list\.0\.title is .*Did you mean title/],
    ["parts of what has none", "$modelVersion", "$modelVersion.x", /\$modelVersion has no parts/],
    ["a list of two", "$modelVersion", "[$itemId, $score]", /response\.version is a list of 2 entries.*one entry/],
    ["a list of lists", "id: $itemId", "id: [$itemId]", /response\.list\.0\.id is a list, but there is nothing here to list/],
    ["an address that is none", "/recommendation", "recommendation", /routes\.0\.path is "recommendation".*write it like/],
    ["one place for two fields", "from: count", "from: who", /request\.topK is taken from who like another field/],
    ["a field that is fixed too", "request:", "fixed: { topK: 3 }\n      request:", /fixed\.topK is asked for in `request` too/],
    [
      "an unknown model",
      "request:",
      "fixed: { model: asl }\n      request:",
      /shop\.yaml:9: serve\.routes\.0\.fixed\.model is "asl"\. Did you mean als/,
    ],
    ["a batch without a body", "request:", "each: rows\n      request:", /serve\.routes\.0\.each needs a body/],
    ["a list in a path", "user: who", "history: who", /a path cannot hold|request\.history/],
    ["a name in the path that is not used", "/recommendation", "/for/{whom}", /path names \{whom\}, which no field is taken from/],
  ])("%s", async (name, from, to, message) => {
    expect(good).toContain(from);
    const text = name === "a list in a path" ? good.replace("/recommendation", "/for/{who}") : good;
    await expectError(() => parse(text.replace(from, to)), "E_CONFIG", message);
  });

  test.each([
    "/v1/recommendations",
    "/v1/songs",
    "/v1/models/{m}",
    "/docs",
    "/docs/x",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/assets/x",
    "/{x}",
    "/favicon.ico",
  ])("%s is ours", async (path) => {
    await expectError(
      () => parse(good.replace("/recommendation", path)),
      "E_CONFIG",
      /shop\.yaml:7: serve\.routes\.0\.path is .* may answer/,
    );
  });

  test("two that answer the same request; told apart by the keys of their bodies they may stand together", async () => {
    const two = (a: string, b: string) => parse(`    - ${predict}, ${a} }\n    - ${predict}, ${b} }\n`);
    const rows = "each: instances, response: { predictions: [[$itemId]] }";
    await expectError(() => two(rows, rows), "E_CONFIG", /shop\.yaml:8: serve\.routes\.1: route 0 answers POST .*:predict already/);
    expect(two(rows, "inside: inputs, response: { outputs: [$itemId] }").serve.routes).toHaveLength(2);
    await expectError(
      () => parse(`    - ${predict}, ${rows} }\n    - ${predict.replaceAll("name", "model_name")}, ${rows} }\n`),
      "E_CONFIG",
      /shop\.yaml:8: serve\.routes\.1\.path is that of route 0 with other names.*\{name\}:predict here too/,
    );
    await expectError(() => parse("    - { path: /r, method: POST, answers: ready }\n"), "E_CONFIG", /routes\.0\.method is "POST".*by GET/);
    await expectError(() => two(rows, "each: a, inside: b, response: {}"), "E_CONFIG", /routes\.1\.inside stands beside `each`/);
    await expectError(() => two(rows, "each: a, response: { of: $user }"), "E_CONFIG", /\$user is known inside a list only/);
  });
});

test("none of the server's own routes is free to a recipe", async () => {
  const service = createRecommendService({ models: await shopModels() });
  const server = await createServer({ service });
  const { paths } = (await server.app.inject("/openapi.json")).json() as { paths: Record<string, object> };
  for (const path of [...Object.keys(paths), "/openapi.json", "/docs", "/docs/json", "/index.html"])
    await expectError(() => parse(good.replace("/recommendation", path)), "E_CONFIG", /may answer/);
  await server.close();
  service.dispose();
});

test("a run keeps them, and another wording of `serve` needs no new training", async () => {
  const folder = temporaryFolder();
  writeShop(folder);
  const recipe = (serve: string) => parseRecipe(`${base}${serve}`, { file: join(folder, "shop.yaml") });
  const options = { workspace: join(folder, "work"), threads: 1 };
  await runRecipe(recipe(`${good}  log: given.jsonl\n  model: als\n`), options);
  const run = await latestRun(options.workspace);
  const service = await serveRun(run, { threads: 1 });
  expect(service.listModels().models.find((model) => model.default)?.name).toBe("als");
  service.dispose();
  const { serving } = run.result;
  expect(serving).toEqual({ model: "als", log: "given.jsonl", routes: recipe(good).serve.routes });

  const changed = recipe(good.replace("/recommendation", "/other"));
  expect((await runRecipe(changed, options)).reused).toBe(true);
  expect((await latestRun(options.workspace)).result.serving?.routes).toEqual(changed.serve.routes);
  const none = parseRecipe(base.replace(/serve:[\s\S]*/, ""), { file: join(folder, "shop.yaml") });
  expect((await runRecipe(none, options)).reused).toBe(true);
  expect((await latestRun(options.workspace)).result.serving).toBeUndefined();
});
