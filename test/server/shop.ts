/**
 * A small shop for the server's tests: ids with every awkward character, unequal weights, repeated pairs,
 * a user without events and an item that nobody bought.
 */
import { createIdMap } from "../../src/data/id-map.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit } from "../../src/models/registry.js";
import { createServer, type Server } from "../../src/server/app.js";
import { createRecommendService } from "../../src/service/recommend.js";
import type { LoadedModel, RecommendService } from "../../src/service/recommend-service.js";

export const itemIds = [
  "mug",
  "tea pot",
  "café/crème",
  'quote"d',
  "line\nbreak",
  "50%25 off",
  "日本茶",
  "mug-lid",
  "🫖",
  "unsold",
  "a?b&c=d#e",
  "plus+plus",
];
export const userIds = ["anna", "björn/2", "17850", 'Zoë "Z"\n2', "new customer"];

const events: [user: number, item: number, weight: number][] = [
  [0, 0, 1],
  [0, 1, 2],
  [0, 2, 1],
  [0, 0, 3],
  [1, 0, 1],
  [1, 3, 1],
  [1, 4, 5],
  [1, 1, 1],
  [2, 5, 1],
  [2, 6, 2],
  [2, 0, 1],
  [2, 7, 1],
  [3, 8, 1],
  [3, 2, 1],
  [3, 10, 1],
  [3, 11, 2],
  [3, 0, 1],
];

export const itemProperties = {
  title: [
    "Mug, blue",
    "Tea pot",
    "Café crème",
    "Quoted",
    "Broken line",
    "Half price",
    "Sencha",
    "Lid for MUG",
    "Teapot emoji",
    "Ladder",
    "Query",
    "Plus",
  ],
  category: ["Kitchen", "Kitchen", "Food", null, "Food", null, "Food", "Kitchen", "Kitchen", "Tools", null, null],
  price: [4.5, 19, 2.2, null, 1, 0.5, 7, 1.5, Number.NaN, 60, 1, 1],
};

export function shopEvents(): Interactions {
  return Interactions.fromArrays({
    userIndex: events.map(([user]) => user),
    itemIndex: events.map(([, item]) => item),
    weight: events.map(([, , weight]) => weight),
    users: createIdMap(userIds),
    items: createIdMap(itemIds),
  });
}

/** Models fitted on the shop; `als` is the default. */
export async function shopModels(): Promise<LoadedModel[]> {
  const data = shopEvents();
  const als = await fit("als", data, { factors: 4, iterations: 5 }, { threads: 1 });
  const popularity = await fit("popularity", data, {}, { threads: 1 });
  const repeat = await fit("repeat", data, {}, { threads: 1 });
  return [
    { name: "als", version: "als-1", model: als, metrics: { "ndcg@10": 0.25 }, createdAt: "2026-01-02T03:04:05.000Z" },
    { name: "popularity", version: "popularity-1", model: popularity },
    { name: "repeat", version: "repeat-1", model: repeat },
  ];
}

export async function shopService(): Promise<RecommendService> {
  return createRecommendService({ models: await shopModels(), itemProperties });
}

/** A server over the shop on any free port. */
export async function openShop(service: RecommendService): Promise<{ server: Server; url: string }> {
  const server = await createServer({ service, port: 0 });
  return { server, ...(await server.listen()) };
}
