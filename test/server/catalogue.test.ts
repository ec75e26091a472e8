/** Searching items and users and listing models over HTTP, and the search below on a table too large for one slice. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CancelledError } from "../../src/core/errors.js";
import { numberedIds } from "../../src/data/id-map.js";
import { knowsSimilar } from "../../src/ranking/similar.js";
import type { ItemsResponse, ModelsResponse, UserItemsResponse, UsersResponse } from "../../src/server/api-types.js";
import type { Server } from "../../src/server/app.js";
import { createRecommendService } from "../../src/service/recommend.js";
import type { RecommendService } from "../../src/service/recommend-service.js";
import { nearestIds, searchTable } from "../../src/service/search.js";
import { itemIds, openShop, shopModels, shopService, userIds } from "./shop.js";

let service: RecommendService;
let server: Server;
let url: string;

beforeAll(async () => {
  service = await shopService();
  ({ server, url } = await openShop(service));
});
afterAll(async () => {
  await server.close();
  service.dispose();
});

const itemsFor = async (query: string) => ((await (await fetch(`${url}/v1/items${query}`)).json()) as ItemsResponse).items;
const usersFor = async (query: string) => ((await (await fetch(`${url}/v1/users${query}`)).json()) as UsersResponse).users;

describe("GET /v1/items", () => {
  test("lists the more popular first, with their properties", async () => {
    const items = await itemsFor("");
    expect(items).toHaveLength(itemIds.length);
    expect(items[0]).toEqual({ itemId: "mug", properties: { title: "Mug, blue", category: "Kitchen", price: 4.5 } });
    expect(items.slice(1, 3).map(({ itemId }) => itemId)).toEqual(["tea pot", "café/crème"]);
    expect(items.at(-1)).toMatchObject({ itemId: "unsold" });
  });

  test.each([
    ["?q=mug", ["mug", "mug-lid"]],
    ["?q=MUG-LID", ["mug-lid"]],
    ["?q=tea", ["tea pot", "🫖"]],
    ["?q=%E8%8C%B6", ["日本茶"]],
    ["?q=break", ["line\nbreak"]],
    ["?q=food&limit=2", ["café/crème", "line\nbreak"]],
    ["?q=50%2525", ["50%25 off"]],
    ["?q=nothing+like+it", []],
  ])("%s", async (query, expected) => {
    expect((await itemsFor(query)).map(({ itemId }) => itemId)).toEqual(expected);
  });
});

describe("GET /v1/users", () => {
  test("lists those with training events first, and how many items each has", async () => {
    const users = await usersFor("");
    expect(users.map(({ userId }) => userId)).toEqual(userIds);
    expect(users.map(({ itemsSeen }) => itemsSeen)).toEqual([3, 4, 4, 5, 0]);
  });

  test.each([
    ["?limit=2", ["anna", "björn/2"]],
    ["?q=N", ["anna", "björn/2", "new customer"]],
    ["?q=178", ["17850"]],
    ["?q=%22z%22%0A", ['Zoë "Z"\n2']],
  ])("%s", async (query, expected) => {
    expect((await usersFor(query)).map(({ userId }) => userId)).toEqual(expected);
  });
});

describe("GET /v1/users/{id}/items", () => {
  test("lists what a user has, largest weight first", async () => {
    const response = await fetch(`${url}/v1/users/${encodeURIComponent("björn/2")}/items?limit=2`);
    const { items } = (await response.json()) as UserItemsResponse;
    expect(items).toEqual([
      { itemId: "line\nbreak", weight: 5, properties: { title: "Broken line", category: "Food", price: 1 } },
      { itemId: "mug", weight: 1, properties: { title: "Mug, blue", category: "Kitchen", price: 4.5 } },
    ]);
    expect(await (await fetch(`${url}/v1/users/anna/items`)).json()).toMatchObject({ items: [{ itemId: "mug", weight: 4 }, {}, {}] });
  });

  test("knows nothing of an unknown user, but ids like it", async () => {
    const response = await fetch(`${url}/v1/users/ana/items`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "E_NOT_FOUND", hint: "Did you mean anna?" });
  });
});

test("GET /v1/models names all models, their metrics and the default one", async () => {
  const [als] = await shopModels();
  const { models } = (await (await fetch(`${url}/v1/models`)).json()) as ModelsResponse;
  expect(models[0]).toEqual({
    name: "als",
    version: "als-1",
    default: true,
    similarItems: true,
    similarUsers: knowsSimilar(als.model.fitted, "user"),
    explanations: als.model.fitted.explain !== undefined,
    ratings: false,
    numUsers: userIds.length,
    numItems: itemIds.length,
    metrics: { "ndcg@10": 0.25 },
    createdAt: "2026-01-02T03:04:05.000Z",
  });
  expect(models.slice(1)).toMatchObject([
    { name: "popularity", default: false, similarItems: false, similarUsers: false, explanations: true, ratings: false, metrics: {} },
    { name: "repeat", default: false, similarItems: false },
  ]);
});

describe("a service that cannot be made", () => {
  test("without models, with two of one name, an unknown default, or properties of another length", async () => {
    const models = await shopModels();
    expect(() => createRecommendService({ models: [] })).toThrow(/no model/);
    expect(() => createRecommendService({ models: [models[0], models[0]] })).toThrow(/same name/);
    expect(() => createRecommendService({ models, defaultModel: "repeet" })).toThrow(
      expect.objectContaining({ hint: "Did you mean repeat?" }),
    );
    expect(() => createRecommendService({ models, itemProperties: { title: ["a"] } })).toThrow(/title has 1 values/);
  });
});

describe("search over many ids", () => {
  const ids = numberedIds(1_000_000);

  test("finds the exact id, then openings, then the rest", async () => {
    expect(await searchTable({ ids: numberedIds(2000) }, "77", { limit: 13 })).toEqual([
      77, 770, 771, 772, 773, 774, 775, 776, 777, 778, 779, 177, 277,
    ]);
    expect(await searchTable({ ids }, "77777", { limit: 3 })).toEqual([77777, 177777, 277777]); // enough, so it reads no further
    expect(await searchTable({ ids }, "999999", { limit: 10 })).toEqual([999999]);
  });

  test("gives way to other work, and stops when it is cancelled", async () => {
    const controller = new AbortController();
    const running = searchTable({ ids }, "no such id", { limit: 1, signal: controller.signal });
    setImmediate(() => controller.abort()); // would come too late if the search held the thread
    await expect(running).rejects.toThrow(CancelledError);
  });

  test("suggests ids that open alike", async () => {
    expect(await nearestIds(ids, "12345x")).toContain("12345");
    expect(await nearestIds(ids, "x".repeat(4000))).toEqual([]);
  });
});
