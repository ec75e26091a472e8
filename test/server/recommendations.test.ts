/** GET and POST /v1/recommendations and similar items over real HTTP, against what the models themselves say. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Problem, RecommendationsResponse } from "../../src/server/api-types.js";
import type { Server } from "../../src/server/app.js";
import { createRecommendService } from "../../src/service/recommend.js";
import type { LoadedModel, RecommendService } from "../../src/service/recommend-service.js";
import { itemIds, itemProperties, openShop, shopModels, userIds } from "./shop.js";

let models: LoadedModel[];
let service: RecommendService;
let server: Server;
let url: string;

beforeAll(async () => {
  models = await shopModels();
  service = createRecommendService({ models, itemProperties });
  ({ server, url } = await openShop(service));
});
afterAll(async () => {
  await server.close();
  service.dispose();
});

const get = async (path: string) => await fetch(`${url}${path}`);
const post = async (body: unknown) =>
  await fetch(`${url}/v1/recommendations`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const idsOf = async (response: Response) => ((await response.json()) as RecommendationsResponse).items.map(({ itemId }) => itemId);
const alsModel = () => models[0].model;

describe("GET /v1/recommendations", () => {
  test.each(userIds.slice(0, 4))("gives user %j what the model says, with properties", async (user) => {
    const response = await get(`/v1/recommendations?user=${encodeURIComponent(user)}&topK=5`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("application/json");
    const answer = (await response.json()) as RecommendationsResponse;
    const expected = await alsModel().recommend({ userIndex: userIds.indexOf(user) }, { topK: 5 });
    expect(answer.items.map(({ itemId }) => itemId)).toEqual(Array.from(expected.itemIndex, (i) => itemIds[i]));
    expect(answer.items.map(({ score }) => score)).toEqual(Array.from(expected.score));
    expect(answer.items.every(({ source }) => source === "als")).toBe(true);
    expect(answer.modelVersion).toBe("als-1");
    expect(answer.requestId).toBe(response.headers.get("x-request-id"));
    for (const { itemId, properties } of answer.items) {
      const price = itemProperties.price[itemIds.indexOf(itemId)];
      expect(properties?.title).toBe(itemProperties.title[itemIds.indexOf(itemId)]);
      expect(properties?.price).toBe(Number.isNaN(price) ? null : price);
    }
  });

  test.each(["nobody", "new customer", undefined])("gives user %j, of whom nothing is known, a labelled popularity list", async (user) => {
    const response = await get(`/v1/recommendations?topK=3${user ? `&user=${encodeURIComponent(user)}` : ""}`);
    const { items } = (await response.json()) as RecommendationsResponse;
    expect(items.map(({ itemId }) => itemId)).toEqual(["mug", "tea pot", "café/crème"]);
    expect(items.map(({ source }) => source)).toEqual(Array(3).fill("popularity fallback"));
  });

  test("leaves out what the user has, unless asked to keep it", async () => {
    const own = ["mug", "tea pot", "café/crème"];
    expect(await idsOf(await get("/v1/recommendations?user=anna&topK=12"))).not.toEqual(expect.arrayContaining(["mug"]));
    expect(await idsOf(await get("/v1/recommendations?user=anna&topK=12&excludeSeen=false"))).toEqual(expect.arrayContaining(own));
  });

  test("keeps what the user has where the service says that things are bought again", async () => {
    const again = createRecommendService({ models, excludeSeen: false });
    expect(again.listModels().excludeSeen).toBe(false);
    const idsFor = async (excludeSeen?: boolean) =>
      (await again.recommend({ user: "anna", topK: 12, excludeSeen })).items.map(({ itemId }) => itemId);
    expect(await idsFor()).toContain("mug");
    expect(await idsFor(true)).not.toContain("mug");
  });

  test("lets the request choose the model", async () => {
    const answer = (await (await get("/v1/recommendations?user=anna&model=popularity&topK=1")).json()) as RecommendationsResponse;
    expect(answer).toMatchObject({ modelVersion: "popularity-1", items: [{ source: "popularity" }] });
  });
});

describe("POST /v1/recommendations", () => {
  test("folds in an unseen user's history, repeated items summed", async () => {
    const response = await post({
      history: [{ itemId: "日本茶" }, { itemId: "mug", weight: 2 }, { itemId: "日本茶", weight: 3 }],
      topK: 4,
    });
    const history = [
      { itemIndex: itemIds.indexOf("日本茶"), weight: 4 },
      { itemIndex: 0, weight: 2 },
    ];
    const expected = await alsModel().recommend({ history }, { topK: 4 });
    expect(await idsOf(response)).toEqual(Array.from(expected.itemIndex, (i) => itemIds[i]));
  });

  test("adds a known user's history to the events of training", async () => {
    const answer = (await (
      await post({ user: "anna", history: [{ itemId: "🫖", weight: 2 }, { itemId: "mug" }], topK: 12 })
    ).json()) as RecommendationsResponse;
    const history = [
      { itemIndex: 0, weight: 5 },
      { itemIndex: 1, weight: 2 },
      { itemIndex: 2, weight: 1 },
      { itemIndex: 8, weight: 2 },
    ];
    const expected = await alsModel().recommend({ history }, { topK: 12 });
    expect(answer.items.map(({ itemId }) => itemId)).toEqual(Array.from(expected.itemIndex, (i) => itemIds[i]));
    expect(answer.items.map(({ score }) => score)).toEqual(Array.from(expected.score));
    for (const own of ["mug", "tea pot", "café/crème", "🫖"]) expect(answer.items.map(({ itemId }) => itemId)).not.toContain(own);
  });

  test("keeps to include and away from exclude", async () => {
    const allowed = ["日本茶", "mug-lid", "plus+plus"];
    const ids = await idsOf(await post({ user: "anna", include: allowed, exclude: ["mug-lid"] }));
    expect(ids.sort()).toEqual(["plus+plus", "日本茶"].sort());
  });

  test("answers an empty request with the labelled popularity list", async () => {
    expect(((await (await post({})).json()) as RecommendationsResponse).items[0]).toMatchObject({
      itemId: "mug",
      source: "popularity fallback",
    });
  });
});

describe("GET /v1/items/{id}/similar", () => {
  test.each(itemIds.filter((id) => id !== "unsold"))("answers for the id %j", async (id) => {
    const response = await get(`/v1/items/${encodeURIComponent(id)}/similar?topK=3`);
    expect(response.status).toBe(200);
    const expected = await alsModel().similarItems(itemIds.indexOf(id), { topK: 3 });
    expect(await idsOf(response)).toEqual(Array.from(expected.itemIndex, (i) => itemIds[i]));
  });

  test("uses the first model that knows similar items when the default one does not", async () => {
    const byPopularity = createRecommendService({ models, defaultModel: "popularity" });
    expect((await byPopularity.similarItems("mug")).modelVersion).toBe("als-1");
    await expect(byPopularity.similarItems("mug", { model: "popularity" })).rejects.toMatchObject({ code: "E_CONFIG" });
  });

  test("names the item that does not exist and ids like it", async () => {
    const response = await get("/v1/items/mug-lit/similar");
    expect(response.status).toBe(404);
    expect((await response.json()) as Problem).toMatchObject({
      code: "E_NOT_FOUND",
      detail: 'There is no item "mug-lit".',
      hint: expect.stringContaining("mug-lid"),
    });
  });
});
