/** The use cases evaluate, train and run in this process, on a small file. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { runRecipe, serveRun } from "../../src/service/run.js";
import type { RunStep } from "../../src/service/run-result.js";
import { latestRun } from "../../src/service/workspace.js";
import { writeShop } from "../cli/tastemaker.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

function shop(split: string, more = "") {
  const folder = temporaryFolder();
  writeShop(folder);
  const text = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at, weight: null } }
itemProperties: { title: name }
split: ${split}
models: [{ name: popularity }, { name: als, params: { factors: 8, iterations: 4 } }]
${more}`;
  const recipe = parseRecipe(text, { file: join(folder, "shop.yaml") });
  return { recipe, options: { workspace: join(folder, "work"), threads: 1 } };
}

describe("evaluate", () => {
  test("held-out users are asked for by what is given of them", async () => {
    const { recipe, options } = shop(
      "{ test: { by: held-out-users, testFraction: 0.4, seed: 1 } }",
      "evaluation: { metrics: [recall@10] }",
    );
    const { models, parts, champion } = await evaluateRecipe(recipe, options);
    expect(parts).toMatchObject([{ name: "test" }]);
    const recall = Object.fromEntries(models.map(({ label, metrics }) => [label, metrics.test!["recall@10"]]));
    expect(recall.als).toBeGreaterThan(recall.popularity); // the shop has three tastes
    expect(champion).toBe("als");
  });

  test.each([
    ["auto", false, /% of the events repeat/],
    ["true", true, /set by the recipe/],
  ])("excludeSeen: %s", async (wanted, excludeSeen, reason) => {
    const { recipe, options } = shop("{ test: { by: last-days, days: 10 } }", `evaluation: { excludeSeen: ${wanted} }`);
    const steps: RunStep[] = [];
    const evaluation = await evaluateRecipe(recipe, { ...options, onStep: (step) => steps.push(step) });
    expect(evaluation.excludeSeen).toBe(excludeSeen);
    expect(steps.map(({ kind }) => kind)).toEqual(["data", "parts", "model", "model"]);
    expect(steps[1]).toMatchObject({ excludeSeen, reason: expect.stringMatching(reason) });
  });

  test("is the same whatever the number of threads", async () => {
    const { recipe, options } = shop("{ test: { by: last-days, days: 10 } }");
    const [one, two] = [await evaluateRecipe(recipe, options), await evaluateRecipe(recipe, { ...options, threads: 2 })];
    expect(two.models.map(({ metrics }) => metrics)).toEqual(one.models.map(({ metrics }) => metrics));
  });

  test("stops when told to", async () => {
    const { recipe, options } = shop("{ test: { by: last-days, days: 10 } }");
    const controller = new AbortController();
    const onProgress = ({ stage }: { stage: string }) => stage.startsWith("judging") && controller.abort();
    await expectError(evaluateRecipe(recipe, { ...options, signal: controller.signal, onProgress }), "E_CANCELLED");
  });
});

describe("run", () => {
  test("without a split nothing is judged, and the first model answers", async () => {
    const { recipe, options } = shop("{}");
    const run = await runRecipe(recipe, options);
    expect(run.result).toMatchObject({ parts: [], champion: "popularity", models: [{ metrics: {} }, { metrics: {} }] });
    const service = await serveRun(run, { threads: 1 });
    const { items } = await service.recommend({ user: "u1", topK: 3, excludeSeen: false });
    expect(items[0].properties?.title).toBe(`Product "${items[0].itemId.slice(1)}"`);
    service.dispose();
  });

  test("reuses an equal run, trains again when told to, and keeps the newest versions", async () => {
    const { recipe, options } = shop("{ test: { by: last-days, days: 10 } }");
    const first = await runRecipe(recipe, options);
    expect(first.reused).toBe(false);
    const second = await runRecipe(recipe, options);
    expect(second).toMatchObject({ reused: true, result: JSON.parse(JSON.stringify(first.result)) });
    const fresh = await runRecipe(recipe, { ...options, fresh: true });
    expect(fresh.reused).toBe(false);
    expect(fresh.result.models.map(({ version }) => version)).toEqual(first.result.models.map(({ version }) => version));
    for (let seed = 1; seed <= 4; seed++) await runRecipe({ ...recipe, seed }, options);
    expect(await first.workspace.models.list("als")).toHaveLength(3);
    expect((await latestRun(options.workspace)).result.key).not.toBe(first.result.key);
    expect((await runRecipe(recipe, options)).reused).toBe(false); // its models were pruned
  });

  test.each(["", '{"key": "0', "null", '{"models": 3}', '{"models": [null]}'])("a result file with %j counts as none", async (contents) => {
    const { recipe, options } = shop("{ test: { by: last-days, days: 10 } }");
    const first = await runRecipe(recipe, options);
    const other = join(options.workspace, "other", "runs");
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, "00ff.json"), contents);
    expect((await latestRun(options.workspace)).result.key).toBe(first.result.key);
    writeFileSync(join(first.workspace.folder, "runs", `${first.result.key}.json`), contents);
    await expectError(latestRun(options.workspace), "E_NOT_FOUND", /Nothing was trained yet/);
    expect((await runRecipe(recipe, options)).reused).toBe(false);
    expect((await latestRun(options.workspace)).result.key).toBe(first.result.key);
  });

  test("a damaged model is left out while others remain, refused by name, and mended by training again", async () => {
    const { recipe, options } = shop("{ test: { by: last-days, days: 10 } }");
    const run = await runRecipe(recipe, options);
    const arrays = join(run.workspace.models.root, "als", run.result.models[1].version!, "arrays");
    const file = join(arrays, readdirSync(arrays)[0]);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] ^= 16;
    writeFileSync(file, bytes);
    const skipped: string[] = [];
    expect(run.result.champion).toBe("als");
    const rest = await serveRun(run, { threads: 1, onSkipped: (label, reason) => skipped.push(`${label}: ${reason}`) });
    expect(skipped).toEqual([expect.stringMatching(/^als: .*damaged/)]);
    expect(rest.listModels().models).toMatchObject([{ name: "popularity", default: true }]);
    expect((await rest.searchItems({ limit: 1 })).items[0].properties?.title).toMatch(/Product/);
    rest.dispose();
    await expectError(serveRun(run, { threads: 1, defaultModel: "als" }), "E_MODEL_FORMAT", /damaged.*tastemaker run.*--fresh/);
    await expectError(serveRun(run, { threads: 1, only: "als" }), "E_MODEL_FORMAT", /damaged/);
    const steps: RunStep[] = [];
    const mended = await runRecipe(recipe, { ...options, onStep: (step) => steps.push(step) });
    expect(mended.reused).toBe(false);
    expect(steps[0]).toMatchObject({ kind: "again", reason: expect.stringMatching(/als.*damaged/) });
    (await serveRun(mended, { threads: 1 })).dispose();
    expect((await runRecipe(recipe, options)).reused).toBe(true);
  });
});
