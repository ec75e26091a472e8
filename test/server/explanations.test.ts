/** GET and POST /v1/explanations and GET /v1/users/{id}/similar over real HTTP, against what the models themselves say. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../src/client.js";
import type { FittedModel } from "../../src/core/model.js";
import { createRecommender } from "../../src/ranking/create-recommender.js";
import type { ExplanationsResponse, Problem, SimilarUsersResponse } from "../../src/server/api-types.js";
import type { Server } from "../../src/server/app.js";
import { createRecommendService } from "../../src/service/recommend.js";
import type { LoadedModel, RecommendService } from "../../src/service/recommend-service.js";
import { itemIds, itemProperties, openShop, shopModels, userIds } from "./shop.js";

let models: LoadedModel[];
let service: RecommendService;
let server: Server;
let url: string;

beforeAll(async () => {
  const [als, ...others] = await shopModels();
  models = [
    additive(als),
    ...others,
    { ...als, name: "silent", model: createRecommender({ ...als.model, fitted: silent(als.model.fitted), threads: 1 }) },
  ];
  service = createRecommendService({ models, itemProperties });
  ({ server, url } = await openShop(service));
});
afterAll(async () => {
  await server.close();
  service.dispose();
});

/** A model whose every item of the history adds 1 / (1 + its distance in the catalogue), on a base of 0.25. */
function additive({ model, ...loaded }: LoadedModel): LoadedModel {
  const { numUsers, numItems, seen } = model;
  const historyOf: (query: Parameters<NonNullable<FittedModel["explain"]>>[0]) => number[] = ({ userIndex = -1, history }) =>
    history?.length
      ? history.map(({ itemIndex }) => itemIndex)
      : userIndex < 0
        ? []
        : [...seen.indices.subarray(seen.offsets[userIndex], seen.offsets[userIndex + 1])];
  const explain: FittedModel["explain"] = async (query, item) => {
    const shares = historyOf(query)
      .map((other) => [other, 1 / (1 + Math.abs(other - item))])
      .sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    return {
      score: shares.reduce((sum, [, share]) => sum + share, 0.25),
      base: 0.25,
      itemIndex: Int32Array.from(shares, ([other]) => other),
      contribution: Float32Array.from(shares, ([, share]) => share),
    };
  };
  const fitted: FittedModel = {
    ...{ name: "als", params: {}, numUsers, numItems, personal: true, explain },
    async scoreAll(queries, out) {
      for (const [q, query] of queries.entries())
        for (let item = 0; item < numItems; item++) out[q * numItems + item] = (await explain(query, item)).score;
    },
    userSimilarityVectors: { dimensions: 2, vectors: Float32Array.from([1, 0, 3, 4, 0, 2, 1, 1, 0, 0]) },
    state: () => ({ arrays: {} }),
  };
  return { ...loaded, model: createRecommender({ ...model, fitted, threads: 1 }) };
}

function silent(fitted: FittedModel): FittedModel {
  return { ...fitted, explain: undefined, similarUsers: undefined, userSimilarityVectors: undefined };
}

const get = async <T>(path: string) => {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: (await response.json()) as T };
};

describe("explanations", () => {
  test("name the items of the history with their shares, which add up to the score of the list", async () => {
    const list = await service.recommend({ user: "anna", topK: 3 });
    for (const { itemId, score } of list.items) {
      const { status, body } = await get<ExplanationsResponse>(`/v1/explanations?user=anna&item=${encodeURIComponent(itemId)}`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ itemId, base: 0.25, rest: 0, source: "als", modelVersion: "als-1", requestId: expect.any(String) });
      expect(body.score).toBeCloseTo(score, 5);
      expect(body.contributions.reduce((sum, { contribution }) => sum + contribution, body.base)).toBeCloseTo(score, 5);
      expect(body.contributions.map((share) => share.itemId).sort()).toEqual(["café/crème", "mug", "tea pot"]);
      expect(body.contributions[0].properties).toHaveProperty("title");
    }
  });

  test("list as many as asked for, and sum up the rest", async () => {
    const { body } = await get<ExplanationsResponse>("/v1/explanations?user=anna&item=mug-lid&limit=1");
    expect(body.contributions).toHaveLength(1);
    expect(body.base + body.contributions[0].contribution + body.rest).toBeCloseTo(body.score, 5);
    expect(body.rest).toBeGreaterThan(0);
  });

  test("take a history by POST, added to a known user's own", async () => {
    const client = createClient({ baseUrl: url });
    const unseen = await client.explain({ item: "mug", history: [{ itemId: "日本茶" }, { itemId: "plus+plus", weight: 2 }] });
    expect(unseen.contributions.map(({ itemId }) => itemId)).toEqual(["日本茶", "plus+plus"]);
    const known = await client.explain({ item: "mug", user: "anna", history: [{ itemId: "日本茶" }] });
    expect(known.contributions).toHaveLength(4);
    const { requestId: _, ...answer } = known;
    expect(answer).toEqual(await service.explain({ item: "mug", user: "anna", history: [{ itemId: "日本茶" }] }));
  });

  test.each(["nobody", "new customer"])("of the fallback for user %j are its number of events", async (user) => {
    const { body } = await get<ExplanationsResponse>(`/v1/explanations?user=${encodeURIComponent(user)}&item=mug`);
    expect(body).toMatchObject({ score: 5, base: 5, contributions: [], rest: 0, source: "popularity fallback" });
  });

  test.each<[string, number, RegExp, RegExp]>([
    ["/v1/explanations?user=anna&item=mug&model=silent", 400, /silent cannot explain/, /als, popularity, repeat/],
    ["/v1/explanations?user=anna&item=mug-lit", 404, /no item "mug-lit"/, /mug-lid/],
    ["/v1/explanations?user=anna&item=xyz", 404, /no item "xyz"/, /GET \/v1\/items\?q=/],
    ["/v1/explanations?user=anna", 400, /item/, /./],
    ["/v1/explanations?user=anna&item=mug&limit=0", 400, /limit/, /./],
    ["/v1/explanations?user=anna&item=mug&modle=als", 400, /modle/, /model/],
    ["/v1/explanations?user=anna&item=mug&model=alz", 404, /alz/, /als/],
  ])("GET %s is refused with %i", async (path, expected, detail, hint) => {
    const { status, body } = await get<Problem>(path);
    expect(status).toBe(expected);
    expect(body.detail).toMatch(detail);
    expect(body.hint).toMatch(hint);
  });
});

describe("similar users", () => {
  test("are named with their scores, by the first model that knows them", async () => {
    const { body } = await get<SimilarUsersResponse>("/v1/users/anna/similar?topK=2");
    expect(body).toEqual({
      users: [
        { userId: userIds[3], score: expect.closeTo(Math.SQRT1_2, 5) },
        { userId: userIds[1], score: expect.closeTo(0.6, 5) },
      ],
      modelVersion: "als-1",
      requestId: expect.any(String),
    });
    const client = createClient({ baseUrl: url });
    for (const id of userIds) expect((await client.similarUsers(id)).users.map(({ userId }) => userId)).not.toContain(id);
    const byPopularity = createRecommendService({ models, defaultModel: "popularity" });
    expect((await byPopularity.similarUsers("anna")).modelVersion).toBe("als-1");
  });

  test("are refused where the model knows none, and for unknown users", async () => {
    const none = await get<Problem>("/v1/users/anna/similar?model=silent");
    expect(none).toMatchObject({ status: 400, body: { code: "E_CONFIG", detail: expect.stringMatching(/no similar users/) } });
    const unknown = await get<Problem>("/v1/users/ana/similar");
    expect(unknown).toMatchObject({ status: 404, body: { code: "E_NOT_FOUND", hint: "Did you mean anna?" } });
  });
});

test("every id of the shop can be explained", async () => {
  const client = createClient({ baseUrl: url });
  for (const item of itemIds) expect((await client.explain({ user: "anna", item })).itemId).toBe(item);
});
