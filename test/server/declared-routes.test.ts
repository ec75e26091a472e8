/**
 * Routes that a recipe declares, over real HTTP: the shapes of the five published systems, their wrong requests, their place
 * in the OpenAPI document, and the log of what was recommended. The recipes are read as people write them.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createIdMap } from "../../src/data/id-map.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit } from "../../src/models/registry.js";
import type { Problem } from "../../src/server/api-types.js";
import { createServer, type Server } from "../../src/server/app.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { createRecommendService } from "../../src/service/recommend.js";
import type { RecommendService } from "../../src/service/recommend-service.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const recipe = `name: shapes
source: { file: orders.csv }
itemProperties: { title: name, artist: artist }
models: [{ name: item-knn }, { name: popularity }]
serve:
  log: recommendations.jsonl
  routes:
    - { path: /readiness_check, answers: ready }
    - path: /recommendation
      answers: recommend
      request:
        user: { from: user_address, required: true, lowercase: true }
        topK: { from: num_recs, default: 5, max: 50 }
      unknownUser: not-found
      response: { token_addresses: [$itemId] }
    - { path: /popular-for, answers: recommend, request: { user: who }, response: { who: $user, list: [{ id: $itemId, why: $source }] } }
    - { path: /nothing-for, answers: recommend, request: { user: who }, unknownUser: empty, response: [$itemId] }
    - path: /songs
      answers: search
      request: { q: q, limit: { from: limit, default: 3 } }
      ids: number
      response: [{ songIdx: $itemId, title: $properties.title }]
    - path: /recommend
      method: POST
      answers: recommend
      request: { history: { from: songIdxs, min: 3, max: 3, distinct: true } }
      fixed: { topK: 4, model: item-knn }
      ids: number
      response: { songs: [{ songIdx: $itemId, title: $properties.title, artist: $properties.artist, score: $score }], price: "$$0" }
    - path: /v1/models/{name}:predict
      method: POST
      answers: recommend
      each: instances
      ignored: [signature_name]
      request: { model: name, history: { from: listened_songs, min: 1 }, topK: no_recom_songs }
      ids: number
      response: { predictions: [[$itemId]] }
    - path: /v1/models/{name}:predict
      method: POST
      answers: recommend
      inside: inputs
      ignored: [signature_name]
      request: { model: name, history: { from: listened_songs, min: 1 }, topK: no_recom_songs }
      ids: number
      response: { outputs: { recom_songs_ids: [$itemId], scores: [$score] } }
    - { path: /ping, answers: ready, response: {} }
    - path: /invocations
      method: POST
      answers: recommend
      each: instances
      request: { user: user, topK: k, exclude: tried, excludeSeen: new_only }
      response: { predictions: [{ user: $user, model: $modelVersion, beers: [{ beer: $itemId, rating: $score }] }] }
`;

const holders = ["0xaa", "0xab", "0xcd", "0xef"];
const songs = Array.from({ length: 12 }, (_, song) => String(100 + song));

let service: RecommendService;
let server: Server;
let url: string;

beforeAll(async () => {
  const pairs = holders.flatMap((_, user) => songs.flatMap((_, song) => ((song * 7 + user * 5) % 4 < 2 ? [{ user, song }] : [])));
  const data = Interactions.fromArrays({
    userIndex: pairs.map(({ user }) => user),
    itemIndex: pairs.map(({ song }) => song),
    users: createIdMap(holders),
    items: createIdMap(songs),
  });
  const model = await fit("item-knn", data, {}, { threads: 1 });
  const popularity = await fit("popularity", data, {}, { threads: 1 });
  service = createRecommendService({
    models: [
      { name: "item-knn", version: "knn-1", model },
      { name: "popularity", version: "popularity-1", model: popularity },
    ],
    itemProperties: { title: songs.map((song) => `Song ${song}`), artist: songs.map((_, song) => (song === 3 ? null : "Anna")) },
  });
  const { routes } = parseRecipe(recipe, { file: "shapes.yaml" }).serve;
  server = await createServer({ service, port: 0, routes });
  ({ url } = await server.listen());
});
afterAll(async () => {
  await server.close();
  service.dispose();
});

interface Answer {
  status: number;
  body: ReturnType<typeof JSON.parse>;
}

async function get(path: string): Promise<Answer> {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: await response.json() };
}
async function post(path: string, body: unknown): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}
const listFor = async (request: Parameters<RecommendService["recommend"]>[0]) =>
  (await service.recommend(request)).items.map(({ itemId }) => itemId);

describe("tokens", () => {
  test("a holder gets a list, whatever the case of the address", async () => {
    const expected = { status: 200, body: { token_addresses: await listFor({ user: "0xab", topK: 5 }) } };
    expect(await get("/recommendation?user_address=0xab")).toEqual(expected);
    expect(await get("/recommendation?user_address=0xAB&num_recs=5")).toEqual(expected);
    expect((await get("/recommendation?user_address=0xAb&num_recs=2")).body.token_addresses).toHaveLength(2);
  });

  test.each([
    ["", 400, "user_address is missing.", "user_address"],
    ["?user_address=", 400, "user_address is empty.", "user_address"],
    ["?user_address=0xab&num_recs=none", 400, 'num_recs must be a whole number from 1 to 50, but is "none".', "num_recs"],
    ["?user_address=0xab&num_recs=51", 400, "num_recs must be a whole number from 1 to 50", "num_recs"],
    ["?user_address=0xab&num_rec=5", 400, 'There is no query parameter "num_rec".', "num_rec"],
    ["?user_address=0xab&user_address=0xcd", 400, "user_address", "user_address"],
    ["?user_address=0xac", 404, 'There is no user "0xac".', "user_address"],
  ])("GET /recommendation%s → %i", async (query, status, detail, path) => {
    const answer = await get(`/recommendation${query}`);
    expect(answer.status).toBe(status);
    expect((answer.body as Problem).detail).toContain(detail);
    expect((answer.body as Problem).errors?.[0].path).toBe(path);
  });

  test("an unknown user gets the popular list, labelled, or an empty one, where that is declared", async () => {
    const popular = await listFor({ user: "nobody" });
    expect((await get("/popular-for?who=nobody")).body).toEqual({
      who: "nobody",
      list: popular.map((id) => ({ id, why: "popularity fallback" })),
    });
    expect((await get("/popular-for")).body.who).toBeNull();
    expect(await get("/nothing-for?who=nobody")).toEqual({ status: 200, body: [] });
    expect((await get("/nothing-for?who=0xab")).body).toEqual(await listFor({ user: "0xab" }));
  });

  test("is ready, by its own address and ours", async () => {
    expect(await get("/readiness_check")).toEqual({ status: 200, body: { status: "ready" } });
    expect((await get("/readyz")).status).toBe(200);
    const wrong = await fetch(`${url}/readiness_check`, { method: "POST" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("songs and books", () => {
  test("search by part of a title", async () => {
    expect((await get("/songs?q=ong%20105")).body).toEqual([{ songIdx: 105, title: "Song 105" }]);
    expect((await get("/songs")).body).toHaveLength(3);
    expect((await get("/songs?q=nothing+of+the+kind")).body).toEqual([]);
  });

  test("three favourites, as numbers or texts, give a sorted list without them", async () => {
    const history = ["100", "103", "107"].map((itemId) => ({ itemId }));
    const expected = await service.recommend({ history, topK: 4, model: "item-knn" });
    const { status, body } = await post("/recommend", { songIdxs: [100, "103", 107] });
    expect(status).toBe(200);
    expect(body).toEqual({
      songs: expected.items.map(({ itemId, score, properties }) => ({ songIdx: Number(itemId), score, ...properties })),
      price: "$0",
    });
    const scores = body.songs.map(({ score }: { score: number }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    for (const favourite of [100, 103, 107]) expect(body.songs.map(({ songIdx }: { songIdx: number }) => songIdx)).not.toContain(favourite);
  });

  test.each<[unknown, string, string]>([
    [{ songIdxs: [100, 103] }, "songIdxs must have exactly 3 entries, but has 2.", "songIdxs"],
    [{ songIdxs: [100, 101, 102, 103] }, "songIdxs must have exactly 3 entries, but has 4.", "songIdxs"],
    [{}, "songIdxs is missing.", "songIdxs"],
    [{ songIdxs: "100" }, 'songIdxs must be a list, but is "100".', "songIdxs"],
    [{ songIdxs: [100, 103, "100"] }, 'songIdxs[2] must not repeat an earlier entry, but is "100".', "songIdxs[2]"],
    [{ songIdxs: [100, 103, 1.5] }, "songIdxs[2] must be a string, but is 1.5.", "songIdxs[2]"],
    [{ songIdxs: [100, 103, 999] }, 'songIdxs names an unknown item: "999".', "songIdxs[2]"],
    [{ songIdx: [100, 103, 104] }, 'There is no key "songIdx".', "songIdx"],
    [[100, 103, 104], "The body is not a JSON object.", ""],
  ])("POST /recommend %j is refused", async (body, detail, path) => {
    const answer = await post("/recommend", body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain(detail);
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
  });
});

describe("TensorFlow Serving", () => {
  const predict = (model: string, body: unknown) => post(`/v1/models/${model}:predict`, body);
  const numbers = async (history: string[], topK?: number, model?: string) =>
    (await listFor({ history: history.map((itemId) => ({ itemId })), topK, model })).map(Number);

  test("row form: one list for each instance, by the model of the path", async () => {
    const instances = [{ listened_songs: [100, 104], no_recom_songs: 3 }, { listened_songs: ["111"] }];
    expect(await predict("item-knn", { signature_name: "serving_default", instances })).toEqual({
      status: 200,
      body: { predictions: [await numbers(["100", "104"], 3), await numbers(["111"])] },
    });
    expect((await predict("popularity", { instances })).body.predictions[0]).toEqual(await numbers(["100", "104"], 3, "popularity"));
  });

  test("column form", async () => {
    const { status, body } = await predict("item-knn", { inputs: { listened_songs: [100, 104], no_recom_songs: 2 } });
    expect(status).toBe(200);
    expect(body.outputs.recom_songs_ids).toEqual(await numbers(["100", "104"], 2));
    expect(body.outputs.scores).toHaveLength(2);
  });

  test.each<[string, unknown, number, string]>([
    ["item-knn", { instances: [] }, 400, "instances is empty."],
    ["item-knn", {}, 400, "instances is missing."],
    ["item-knn", { instances: [{ listened_songs: [] }] }, 400, "instances[0].listened_songs is empty."],
    [
      "item-knn",
      { instances: [{ listened_songs: [100] }, { listened_songs: [100, 999] }] },
      400,
      'instances[1].listened_songs names an unknown item: "999".',
    ],
    [
      "item-knn",
      { instances: [{ listened_songs: [100], no_recom_songs: 0 }] },
      400,
      "instances[0].no_recom_songs must be at least 1, but is 0.",
    ],
    ["item-knn", { instances: [{ listened: [100] }] }, 400, 'There is no key "listened" in instances[0].'],
    ["item-knn", { inputs: { listened_songs: "100" } }, 400, 'inputs.listened_songs must be a list, but is "100".'],
    ["item-knn", { instances: Array(129).fill({ listened_songs: [100] }) }, 400, "instances must have at most 128 entries, but has 129."],
    ["item-kn", { instances: [{ listened_songs: [100] }] }, 404, 'There is no model "item-kn".'],
  ])("asking %s with what is wrong (%#)", async (model, body, status, detail) => {
    const answer = await predict(model, body);
    expect([answer.status, answer.body.detail]).toEqual([status, expect.stringContaining(detail)]);
  });

  test("leaves the rest of /v1/models alone", async () => {
    expect((await get("/v1/models")).body.models).toHaveLength(2);
    expect((await get("/v1/models/item-knn")).status).toBe(404);
  });
});

test("SageMaker: ping, and invocations with one answer for each instance", async () => {
  expect(await get("/ping")).toEqual({ status: 200, body: {} });
  const instances = [
    { user: "0xab", k: 2, tried: ["100"], new_only: false },
    { user: "nobody", k: 1 },
  ];
  const { status, body } = await post("/invocations", { instances });
  expect(status).toBe(200);
  const first = await service.recommend({ user: "0xab", topK: 2, exclude: ["100"], excludeSeen: false });
  expect(body.predictions[0]).toEqual({
    user: "0xab",
    model: "knn-1",
    beers: first.items.map(({ itemId, score }) => ({ beer: itemId, rating: score })),
  });
  expect(body.predictions[1].beers).toHaveLength(1);
  expect((await post("/invocations", { instances: [{ user: "0xab", tried: ["x"] }] })).body.detail).toBe(
    'instances[0].tried names an unknown item: "x".',
  );
});

test("the OpenAPI document lists them with their schemas", async () => {
  const { body: document } = await get("/openapi.json");
  expect(document.tags.map(({ name }: { name: string }) => name)).toContain("recipe");
  const { parameters, responses } = document.paths["/recommendation"].get;
  expect(parameters).toMatchObject([
    { name: "user_address", in: "query", required: true },
    { name: "num_recs", in: "query", schema: { type: "integer", minimum: 1, maximum: 50, default: 5 } },
  ]);
  expect(responses[200].content["application/json"].schema).toMatchObject({
    properties: { token_addresses: { type: "array", items: { type: "string" } } },
  });
  const { post: predict } = document.paths["/v1/models/{name}:predict"];
  expect(predict.parameters).toMatchObject([{ name: "name", in: "path", required: true }]);
  const bodies = predict.requestBody.content["application/json"].schema.anyOf;
  expect(bodies.map(({ properties }: { properties: object }) => Object.keys(properties))).toEqual([
    ["instances", "signature_name"],
    ["inputs", "signature_name"],
  ]);
  const favourites = document.paths["/recommend"].post.requestBody.content["application/json"].schema.properties.songIdxs;
  expect(favourites).toMatchObject({ type: "array", minItems: 3, maxItems: 3, items: { type: ["string", "integer"] } });
  const operations = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap((path) =>
    Object.values(path),
  );
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  expect(JSON.stringify(document)).not.toContain("PLACEHOLDER");
});

test("every recommendation is logged, ours too, and nothing else", async () => {
  const file = join(temporaryFolder(), "new", "log.jsonl");
  const { routes } = parseRecipe(recipe, { file: "shapes.yaml" }).serve;
  const own = await createServer({ service, routes, logFile: file });
  await own.app.inject("/recommendation?user_address=0xAB&num_recs=2");
  await own.app.inject("/recommendation?user_address=0xac");
  await own.app.inject("/songs");
  await own.app.inject({
    method: "POST",
    url: "/v1/models/item-knn:predict",
    payload: { instances: [{ listened_songs: [100] }, { listened_songs: [101] }] },
  });
  await own.app.inject({ url: "/v1/recommendations?user=0xcd&topK=1", headers: { "x-request-id": "mine" } });
  await own.close();
  const lines = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { route: "GET /recommendation", user: "0xab", modelVersion: "knn-1", items: [{ source: "item-knn" }, {}] },
    { route: "POST /v1/models/{name}:predict", history: [{ itemId: "100" }], model: "item-knn" },
    { route: "POST /v1/models/{name}:predict", history: [{ itemId: "101" }] },
    { route: "GET /v1/recommendations", user: "0xcd", requestId: "mine", items: [{}] },
  ]);
  expect(Number.isNaN(Date.parse(lines[0].time))).toBe(false);

  const again = await createServer({ service, logFile: file });
  await again.app.inject("/v1/recommendations?topK=1");
  await again.close();
  expect(readFileSync(file, "utf8").trimEnd().split("\n")).toHaveLength(5);
  await expect(createServer({ service, logFile: join(file, "inside-a-file") })).rejects.toMatchObject({ code: "E_IO" });
});
