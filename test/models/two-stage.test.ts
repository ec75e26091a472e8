/** Two registered models in a row: trained and saved as one, named by a recipe, served over HTTP. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fit, restoreRecommender } from "../../src/models/registry.js";
import type { RecommendationsResponse } from "../../src/server/api-types.js";
import type { Server } from "../../src/server/app.js";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { createRecommendService } from "../../src/service/recommend.js";
import type { RecommendService } from "../../src/service/recommend-service.js";
import { itemIds, openShop, shopEvents, userIds } from "../server/shop.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const data = fixture();
const options = { seed: 7, threads: 1 };
const popular = { model: "popularity" };
const knn = { model: "item-knn", params: { neighbours: 8 } };

describe("two-stage", () => {
  it("orders the retriever's candidates as the ranker does, and the others as the retriever does", async () => {
    const [staged, first, second] = [
      await fit("two-stage", data, { retriever: popular, ranker: knn, candidates: 6 }, options),
      await fit("popularity", data, {}, options),
      await fit("item-knn", data, knn.params, options),
    ];
    const { numItems } = data;
    for (const userIndex of [0, 3, 8]) {
      const retrieved = [...(await first.recommend({ userIndex }, { topK: numItems })).itemIndex];
      const ranked = await second.recommend({ userIndex }, { topK: 6, include: retrieved.slice(0, 6) });
      const { itemIndex, score, source } = await staged.recommend({ userIndex }, { topK: numItems });
      expect([...itemIndex]).toEqual([...ranked.itemIndex, ...retrieved.slice(6)]);
      expect([...score.subarray(0, 6)]).toEqual([...ranked.score]);
      expect(source).toBe("two-stage");
    }
    expect([...(await staged.recommend({ userIndex: 3 }, { topK: 6 })).itemIndex]).not.toEqual([
      ...(await first.recommend({ userIndex: 3 }, { topK: 6 })).itemIndex,
    ]);
  });

  it("mixes standard scores where the retriever has a say, and is its order when it has nearly all", async () => {
    const near = await fit("two-stage", data, { retriever: popular, ranker: knn, candidates: 8, retrieverWeight: 0.999 }, options);
    const first = await fit("popularity", data, {}, options);
    const [a, b] = [await near.recommend({ userIndex: 3 }, { topK: 3 }), await first.recommend({ userIndex: 3 }, { topK: 3 })];
    expect([...a.itemIndex]).toEqual([...b.itemIndex]);
  });

  it("gives whole rows of the same order, for models made of it", async () => {
    const { fitted } = await fit("two-stage", data, { retriever: popular, ranker: knn, candidates: 5 }, options);
    const row = new Float32Array(data.numItems);
    await fitted.scoreAll!([{ userIndex: 2 }], row);
    const staged = await fit("two-stage", data, { retriever: popular, ranker: knn, candidates: 5 }, options);
    const list = await staged.recommend({ userIndex: 2 }, { topK: data.numItems, excludeSeen: false });
    const order = [...row.keys()].sort((x, y) => row[y] - row[x] || x - y);
    expect(order).toEqual([...list.itemIndex]);
  });

  it("is saved and restored with both models, at any size of the cut", async () => {
    const params = { retriever: { model: "als", params: { factors: 4 } }, ranker: knn, candidates: 5, retrieverWeight: 0.25 };
    const model = await fit("two-stage", data, params, options);
    const saved = { ...model, params: { ...model.params }, state: structuredClone(model.fitted.state()) };
    saved.state.extra = JSON.parse(JSON.stringify(saved.state.extra));
    const again = restoreRecommender(saved);
    for (const query of [{ userIndex: 1 }, { history: [{ itemIndex: 5 }] }, {}])
      expect(await again.recommend(query, { topK: 20 })).toEqual(await model.recommend(query, { topK: 20 }));
  });

  it("refuses stages within stages, unknown models and wrong parameters of a stage", async () => {
    await expectError(fit("two-stage", data, { ranker: { model: "two-stage" } }), "E_CONFIG", /ranker/);
    await expectError(fit("two-stage", data, { retriever: { model: "alls" } }), "E_NOT_FOUND", /alls/);
    await expectError(fit("two-stage", data, { ranker: { model: "als", params: { factor: 1 } } }), "E_CONFIG", /factor/);
  });

  it("is trained and judged by a recipe that names it", async () => {
    const folder = temporaryFolder();
    const rows = Array.from(data.userIndex, (user, e) => (user < 0 ? "" : `u${user},i${data.itemIndex[e]},${data.timestamp![e]}`));
    writeFileSync(join(folder, "events.csv"), ["user,item,timestamp", ...rows.filter(Boolean)].join("\n"));
    const recipe = parseRecipe(
      `name: shop
source: { file: events.csv }
split: { test: { by: last-days, days: 20 } }
models:
  - { name: popularity }
  - name: two-stage
    params: { retriever: { model: popularity }, candidates: 10, ranker: { model: item-knn } }
evaluation: { metrics: [recall@10] }`,
      { file: join(folder, "shop.yaml") },
    );
    const { models } = await evaluateRecipe(recipe, { workspace: join(folder, "work"), threads: 1 });
    expect(models.map(({ label }) => label)).toEqual(["popularity", "two-stage"]);
    expect(models[1].metrics.test!["recall@10"]).toBeGreaterThan(0);
  });
});

describe("two-stage over HTTP", () => {
  let service: RecommendService;
  let server: Server;
  let url: string;
  const params = { retriever: popular, candidates: 3, ranker: { model: "als", params: { factors: 4, iterations: 5 } } };
  const model = () => fit("two-stage", shopEvents(), params, options);

  beforeAll(async () => {
    service = createRecommendService({ models: [{ name: "two-stage", version: "two-stage-1", model: await model() }] });
    ({ server, url } = await openShop(service));
  });
  afterAll(async () => {
    await server.close();
    service.dispose();
  });

  it("answers with the ranker's order of the retriever's candidates", async () => {
    const response = await fetch(`${url}/v1/recommendations?user=${userIds[0]}&topK=4`);
    expect(response.status).toBe(200);
    const { items } = (await response.json()) as RecommendationsResponse;
    const expected = await (await model()).recommend({ userIndex: 0 }, { topK: 4 });
    expect(items.map(({ itemId }) => itemId)).toEqual(Array.from(expected.itemIndex, (item) => itemIds[item]));
    expect(items.every(({ source }) => source === "two-stage")).toBe(true);
  });
});
