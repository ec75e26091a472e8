/** The use case refit on a file to which rows are added: old ids keep their indexes, what cannot be refitted says why. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { getModel } from "../../src/models/registry.js";
import { parseRecipe, type Recipe } from "../../src/service/recipe/recipe.js";
import { refitRecipe } from "../../src/service/refit.js";
import { serveRun } from "../../src/service/run.js";
import type { RunStep } from "../../src/service/run-result.js";
import { trainRecipe } from "../../src/service/train.js";
import { openWorkspace } from "../../src/service/workspace.js";
import { readManifest } from "../../src/store/model-folder.js";
import { writeShop } from "../cli/tastemaker.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const names = ["popularity", "repeat", "als"];

function shop(days: number) {
  const folder = temporaryFolder();
  const file = writeShop(folder);
  const recipe = (models = names.map((name) => `{ name: ${name} }`)): Recipe =>
    parseRecipe(
      `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at, weight: null } }
itemProperties: { title: name }
split: { test: { by: last-days, days: ${days} } }
models: [${models.join(", ")}]`,
      { file: join(folder, "shop.yaml") },
    );
  /** New rows on top, so that first appearance gives other indexes: a new customer, a new product, and twelve later days. */
  const grow = () => {
    const [header, ...rows] = readFileSync(file, "utf8").trimEnd().split("\n");
    const later = Array.from(
      { length: 36 },
      (_, row) => `u${row % 9},p${(row * 7) % 30},2024-03-${15 + (row % 12)} 09:00:00,1,"Product ""${(row * 7) % 30}"""`,
    );
    const fresh = ['newcomer,p99,2024-03-20 10:00:00,1,"Product ""99"""', 'newcomer,p3,2024-03-21 10:00:00,1,"Product ""3"""'];
    writeFileSync(file, `${[header, ...fresh, ...later, ...rows].join("\n")}\n`);
  };
  return { recipe, grow, options: { workspace: join(folder, "work"), threads: 1 } };
}

const load = async (workspace: string, label: string) => await openWorkspace(workspace, "shop").models.load(label, { threads: 1 });

describe("refit", () => {
  test("needs a training before it", async () => {
    const { recipe, options } = shop(8);
    await expectError(refitRecipe(recipe(), options), "E_NOT_FOUND", /Nothing was trained/);
  });

  test("keeps old ids first, takes in new ones, judges by a refit where nothing of the part was known", async () => {
    const { recipe, grow, options } = shop(8);
    const before = await trainRecipe(recipe(), options);
    const old = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await load(options.workspace, name)] as const)));
    grow();
    const steps: RunStep[] = [];
    const result = await refitRecipe(recipe(), { ...options, onStep: (step) => steps.push(step) });
    expect(result.key).not.toBe(before.key);
    for (const [m, name] of names.entries()) {
      const { partialRefit } = getModel(name);
      const inPart = "how" in partialRefit;
      const { model, manifest, folder } = await load(options.workspace, name);
      const { users, items } = old[name].model;
      expect([...model.users.ids()].slice(0, users.size)).toEqual([...users.ids()]);
      expect([...model.items.ids()].slice(0, items.size)).toEqual([...items.ids()]);
      expect(model.users.indexOf("newcomer")).toBe(users.size);
      expect(model.items.indexOf("p99")).toBe(items.size);
      const refittedFrom = inPart ? before.models[m].version : undefined;
      expect({ ...result.models[m] }.refittedFrom).toBe(refittedFrom);
      expect((await readManifest(folder)).refittedFrom).toBe(refittedFrom);
      expect(manifest.version).toBe(result.models[m].version);
      expect(result.models[m].metrics.test!["ndcg@10"]).toBeGreaterThan(0);
      const told = steps.filter((step) => step.kind === "refit" && step.label === name);
      expect(told).toMatchObject(
        inPart ? [{ part: "test", how: partialRefit.how }, { how: partialRefit.how }] : [{ inFull: partialRefit.unavailable }, {}],
      );
    }
    const service = await serveRun({ result, workspace: openWorkspace(options.workspace, "shop") }, { threads: 1 });
    const { items } = await service.recommend({ user: "newcomer", topK: 40, excludeSeen: false, model: "repeat" });
    for (const { itemId, properties } of items) expect(properties?.title).toBe(`Product "${itemId.slice(1)}"`);
    expect(new Set(items.slice(0, 2).map(({ itemId }) => itemId))).toEqual(new Set(["p99", "p3"]));
    service.dispose();
    const full = await trainRecipe(recipe(), options); // of models that count anew, a refit is a training
    for (const m of [0, 1]) expect(full.models[m].metrics).toEqual(result.models[m].metrics);
  });

  test("judges by a full fit where the earlier model knows events of the part, and says so", async () => {
    const { recipe, grow, options } = shop(30);
    await trainRecipe(recipe(), options);
    grow();
    const steps: RunStep[] = [];
    await refitRecipe(recipe(), { ...options, onStep: (step) => steps.push(step) });
    expect(steps).toContainEqual({
      kind: "refit",
      label: "repeat",
      part: "test",
      inFull: expect.stringMatching(/learned from events of this part/),
    });
    expect(steps).toContainEqual({ kind: "refit", label: "repeat", part: undefined, how: expect.any(String) });
  });

  test("trains in full what is new, changed or damaged; stopped, it changes nothing", async () => {
    const { recipe, grow, options } = shop(8);
    const before = await trainRecipe(recipe(), options);
    const { folder } = await load(options.workspace, "popularity");
    const damaged = join(folder, "arrays", "popularity.npy");
    writeFileSync(damaged, readFileSync(damaged).subarray(0, -2));
    grow();
    const changed = recipe(["{ name: popularity }", "{ name: repeat, params: { count: events } }", "{ name: bias }"]);
    const steps: RunStep[] = [];
    await expectError(refitRecipe(changed, { ...options, signal: AbortSignal.abort() }), "E_CANCELLED");
    expect((await load(options.workspace, "repeat")).manifest.version).toBe(before.models[1].version);
    const result = await refitRecipe(changed, { ...options, onStep: (step) => steps.push(step) });
    const reason = (label: string) => steps.find((step) => step.kind === "refit" && step.label === label && step.part === undefined);
    expect(reason("popularity")).toMatchObject({ inFull: expect.stringMatching(/damaged.*popularity\.npy/) });
    expect(reason("repeat")).toMatchObject({ inFull: expect.stringMatching(/parameters are other/) });
    expect(reason("bias")).toMatchObject({ inFull: expect.stringMatching(/new in the recipe/) });
    expect(result.models.map(({ refittedFrom }) => refittedFrom)).toEqual([undefined, undefined, undefined]);
  });
});
