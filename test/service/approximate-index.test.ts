/** The approximate index: its lists beside the exact ones, what it may not return, where it is kept, and what is said without its package. */
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { indexNote } from "../../src/cli/index-note.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit } from "../../src/models/registry.js";
import { openApproximateIndex } from "../../src/service/approximate-index.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { indexSchema } from "../../src/service/recipe/route-schema.js";
import { runRecipe, serveRun } from "../../src/service/run.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const hasPackage = (() => {
  try {
    createRequire(import.meta.url)("usearch");
    return true;
  } catch {
    return false; // no binary for this system, or not installed
  }
})();
const items = 1500;
const dimensions = 12;
const usual = indexSchema.parse({});

async function contentModel() {
  const random = createRandom(5);
  const centres = Array.from({ length: 20 * dimensions }, () => random.normal());
  const values = Float32Array.from(
    { length: items * dimensions },
    (_, k) => centres[(Math.floor(k / dimensions) % 20) * dimensions + (k % dimensions)] + random.normal(),
  );
  const data = Interactions.fromArrays({ userIndex: [], itemIndex: [], numUsers: 0, numItems: items });
  return fit("content", data, {}, { threads: 1, itemFeatures: { numRows: items, columns: { v: { kind: "vector", dimensions, values } } } });
}

describe.skipIf(!hasPackage)("an approximate index (skipped where usearch has no binary)", () => {
  test("gives nearly the exact lists with their exact scores, never what is left out, and is read again from its file", async () => {
    const model = await contentModel();
    const query = { history: [{ itemIndex: 7 }, { itemIndex: 8 }] };
    const exact = await model.recommend(query, { topK: 20, exclude: [27] });
    const file = join(temporaryFolder(), "indexes", "content.usearch");
    const report = await openApproximateIndex(model, usual, { file });
    expect(report).toMatchObject({ items, topK: 10, questions: 100, buildSeconds: expect.any(Number) });
    expect(report.recall).toBeGreaterThan(0.98);
    expect(report.recall).toBeLessThanOrEqual(1);
    expect(indexNote("content", report)).toMatch(/1,500 items, built in .*recall@10 (0\.9|1\.0).*exact/);
    const found = await model.recommend(query, { topK: 20, exclude: [27] });
    const both = [...found.itemIndex].filter((item) => exact.itemIndex.includes(item));
    expect(both.length).toBeGreaterThanOrEqual(19);
    for (const item of both) expect(found.score[found.itemIndex.indexOf(item)]).toBeCloseTo(exact.score[exact.itemIndex.indexOf(item)], 6);
    for (const item of [7, 8, 27]) expect(found.itemIndex).not.toContain(item);
    expect([...found.score]).toEqual([...found.score].sort((a, b) => b - a));

    const { mtimeMs } = statSync(file);
    const again = await openApproximateIndex(await contentModel(), usual, { file });
    expect([again.buildSeconds, again.recall]).toEqual([undefined, report.recall]);
    writeFileSync(file, "no index");
    expect((await openApproximateIndex(await contentModel(), usual, { file })).buildSeconds).toBeGreaterThan(0);
    expect(statSync(file).mtimeMs).toBeGreaterThanOrEqual(mtimeMs);
    model.dispose();
  });

  test("leaves given candidates, batches and lists as long as the catalogue to the exact scan", async () => {
    const model = await contentModel();
    const query = { history: [{ itemIndex: 3 }] };
    const include = Array.from({ length: 40 }, (_, k) => k * 37);
    const asked = async () => [
      await model.recommend(query, { topK: 5, include }),
      await model.recommend(query, { topK: items }),
      await model.recommendBatch(
        Array.from({ length: 30 }, (_, k) => ({ history: [{ itemIndex: k }] })),
        { topK: 5 },
      ),
    ];
    const exact = await asked();
    await openApproximateIndex(model, { ...usual, expansionSearch: 1, overfetch: 1 });
    expect(await asked()).toEqual(exact);
    model.dispose();
  });

  test("is what a recipe serves by where it says so, and is kept beside the models", async () => {
    const folder = temporaryFolder();
    const random = createRandom(2);
    const rows = Array.from({ length: 300 }, (_, item) => [`i${item}`, random.normal(), random.normal(), random.normal()].join(","));
    writeFileSync(join(folder, "items.csv"), `id,a,b,c\n${rows.join("\n")}\n`);
    const recipe = parseRecipe(
      "name: x\nsource: { catalogue: true }\nfeatures: { items: { file: items.csv, columns: { a: number, b: number, c: number } } }\nmodels: [{ name: content }]\nserve: { index: { overfetch: 6 } }",
      { file: join(folder, "x.yaml") },
    );
    const run = await runRecipe(recipe, { workspace: join(folder, "work"), threads: 1 });
    const reports: [string, number | undefined][] = [];
    for (let start = 0; start < 2; start++) {
      const service = await serveRun(run, {
        threads: 1,
        approximate: true,
        onIndex: (label, report) => reports.push([label, report?.buildSeconds]),
      });
      expect((await service.recommend({ history: [{ itemId: "i7" }], topK: 3 })).items.length).toBe(3);
      service.dispose();
    }
    expect(reports).toEqual([
      ["content", expect.any(Number)],
      ["content", undefined],
    ]);
    expect(readdirSync(join(folder, "work", "x", "indexes", "content")).length).toBe(2); // with its checksum;
  });

  test("stops when aborted", async () => {
    await expectError(openApproximateIndex(await contentModel(), usual, { signal: AbortSignal.abort() }), "E_CANCELLED");
  });
});

describe("without what it needs", () => {
  test("says the command that adds the package", async () => {
    const load = () => Promise.reject(Object.assign(new Error("Cannot find package 'usearch'"), { code: "ERR_MODULE_NOT_FOUND" }));
    await expectError(
      openApproximateIndex(await contentModel(), usual, { load }),
      "E_CONFIG",
      /npm install usearch@2\.16\.9 --ignore-scripts/,
    );
  });

  test("a model without vectors says so", async () => {
    const data = Interactions.fromArrays({ userIndex: [0, 1], itemIndex: [0, 1] });
    const model = await fit("item-knn", data, {}, { threads: 1 });
    expect(() => model.setApproximateIndex({ search: () => new Int32Array(0), overfetch: 1 })).toThrow(/no vectors of items/);
  });

  test("a recipe names it rightly", () => {
    const recipe = (index: string) => () =>
      parseRecipe(`name: x\nsource: { file: a.csv }\nmodels: [{ name: content }]\nserve: { index: ${index} }`, { file: "x.yaml" }).serve
        .index;
    expect(recipe("exact")()).toBeUndefined();
    expect(recipe("approximate")()).toEqual(usual);
    expect(recipe("{ overfetch: 8 }")()).toEqual({ ...usual, overfetch: 8 });
    expect(recipe("fast")).toThrow(/x\.yaml:4: serve\.index is "fast"/);
    expect(recipe("{ overfetch: 0 }")).toThrow(/serve\.index/);
  });
});
