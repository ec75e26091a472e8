/** Smoke runs: every step of a recipe on a sample of whole users, with fits cut short, apart from the full results. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Interactions } from "../../src/data/interactions.js";
import { eventsOfUsers, sampleUsers, withOwnIds } from "../../src/data/sample-users.js";
import { fastParams } from "../../src/models/fast-params.js";
import { listModels } from "../../src/models/registry.js";
import { fastRecipe } from "../../src/service/fast.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { renderReport } from "../../src/service/report/write-report.js";
import { runRecipe } from "../../src/service/run.js";
import { latestRun } from "../../src/service/workspace.js";
import { loadItemProperties } from "../../src/store/model-folder.js";
import { writeShop } from "../cli/tastemaker.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/** 40 users of 5 events each, and 20 anonymous baskets of 5 lines. */
function baskets() {
  const rows = Array.from({ length: 300 }, (_, e) => e);
  return Interactions.fromArrays({
    userIndex: rows.map((e) => (e < 200 ? e % 40 : -1)),
    itemIndex: rows.map((e) => (e * 7) % 90),
    timestamp: rows.map((e) => e),
    basket: rows.map((e) => Math.floor(e / 5)),
  });
}

describe("the sample", () => {
  test("has whole users and whole anonymous baskets, in the input's order, over ids of its own", () => {
    const data = baskets();
    const positions = sampleUsers(data, { events: 100, users: 10 }, 1);
    expect(positions.length).toBe(100); // groups of five
    expect([...positions]).toEqual([...positions].sort((a, b) => a - b));
    const { interactions, items } = withOwnIds(data, positions);
    const known = new Set(interactions.users.ids());
    expect(known.size).toBeGreaterThan(5);
    expect(known.size).toBeLessThan(20);
    expect(eventsOfUsers(data, interactions.users).length).toBe(5 * known.size);
    expect(interactions.userIndex.filter((user) => user < 0).length).toBe(100 - 5 * known.size);
    positions.forEach((e, s) => {
      const user = data.userIndex[e];
      if (user >= 0) expect(interactions.users.idOf(interactions.userIndex[s])).toBe(data.users.idOf(user));
      expect(items[interactions.itemIndex[s]]).toBe(data.itemIndex[e]);
      expect(interactions.items.idOf(interactions.itemIndex[s])).toBe(data.items.idOf(data.itemIndex[e]));
      expect([interactions.timestamp![s], interactions.basket![s]]).toEqual([data.timestamp![e], data.basket![e]]);
    });
  });

  test("has so many users at least, and is all where there is not more", () => {
    const data = baskets();
    expect(sampleUsers(data, { events: 10, users: 30 }, 1).length).toBe(150);
    expect(sampleUsers(data, { events: 300, users: 1 }, 1).length).toBe(300);
    expect([...sampleUsers(data, { events: 50, users: 1 }, 2)]).not.toEqual([...sampleUsers(data, { events: 50, users: 1 }, 3)]);
  });
});

describe("parameters", () => {
  test("are held down where a definition says so, in models made of models too, and never raised", () => {
    expect(fastParams("als", { factors: 64, iterations: 1 })).toMatchObject({ factors: 64, iterations: 1 });
    const stages = { retriever: { model: "bpr", params: { epochs: 200 } }, ranker: { model: "ease" } };
    expect(fastParams("two-stage", stages)).toMatchObject({
      retriever: { model: "bpr", params: { epochs: 3, factors: 128 } },
      ranker: { model: "ease" },
    });
    const blended = fastParams("blend", { rounds: 3, models: [{ model: "als", params: { iterations: 30 }, weight: 2 }] });
    expect(blended).toMatchObject({ rounds: 1, models: [{ params: { iterations: 3 }, weight: 2 }] });
  });

  test("of every model that learns in passes are held down", () => {
    const long = listModels().flatMap(({ name, help }) =>
      ["epochs", ...(name === "gf-cf" ? [] : ["iterations"])].flatMap((param) => (help[param] ? [{ name, fast: help[param].fast }] : [])),
    );
    expect(long.length).toBeGreaterThan(10);
    for (const { name, fast } of long) expect(fast, name).toBeLessThanOrEqual(3);
  });
});

test("a smoke run saves and answers under a name of its own and is marked; a full one goes before it", async () => {
  const folder = temporaryFolder();
  writeShop(folder, { users: 1500, rows: 15_000 });
  const text = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at, weight: null } }
itemProperties: { title: name }
split: { test: { by: last-days, days: 10 } }
models: [{ name: als, params: { factors: 4, iterations: 5 } }]
`;
  const recipe = parseRecipe(text, { file: join(folder, "shop.yaml") });
  const options = { workspace: join(folder, "work"), threads: 1 };
  const { result, workspace } = await runRecipe(fastRecipe(recipe), options);
  expect(result).toMatchObject({ recipe: "shop.fast", fast: true, title: "shop (fast: figures mean nothing)" });
  expect(result.data).toMatchObject({ sampled: true, report: { rowsKept: 15_000 } });
  expect(result.data.numInteractions).toBeGreaterThanOrEqual(10_000);
  expect(result.data.numInteractions).toBeLessThan(10_100);
  expect(result.models[0].params.iterations).toBe(3);
  expect(renderReport({ title: result.title, evaluation: result })).toMatch(/A smoke run.*mean nothing/);
  expect((await latestRun(options.workspace)).result.recipe).toBe("shop.fast");
  const { model, folder: files } = await workspace.models.load("als");
  const itemProperties = await loadItemProperties(files);
  for (let item = 0; item < 5; item++) expect(itemProperties?.title[item]).toBe(`Product "${model.items.idOf(item).slice(1)}"`);
  model.dispose();

  const full = await runRecipe(recipe, options);
  expect(full.result).toMatchObject({ recipe: "shop", data: { numInteractions: 15_000 } });
  expect(full.result.fast).toBeUndefined();
  await runRecipe(fastRecipe(recipe), { ...options, fresh: true }); // newer than the full one
  expect((await latestRun(options.workspace)).result.recipe).toBe("shop");
  expect((await latestRun(options.workspace, "shop.fast")).result.fast).toBe(true);
});
