/** Feature tables of a recipe, on their way from the file to every fit. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stepNotes } from "../../src/cli/step-notes.js";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { runRecipe, serveRun } from "../../src/service/run.js";
import type { RunStep } from "../../src/service/run-result.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/** Two tastes: even buyers take even products, which are red; product p21 is red, p22 blue, and nobody has bought them. */
function shop(features: string) {
  const folder = temporaryFolder();
  const rows = ["buyer,product"];
  for (let buyer = 0; buyer < 40; buyer++)
    for (let k = 0; k < 8; k++) rows.push(`b${buyer},p${(((buyer * 7 + k * 3) % 10) * 2 + (buyer % 2)) % 20}`);
  writeFileSync(join(folder, "orders.csv"), `${rows.join("\n")}\n`);
  const products = Array.from({ length: 20 }, (_, p) => `p${p},${p % 2 === 0 ? "red" : "blue"},${p}`);
  writeFileSync(join(folder, "products.csv"), `sku,colour,price\n${products.join("\n")}\np21,red,1\np22,blue,much\n`);
  const text = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, weight: null } }
features: ${features}
split: { test: { by: random, testFraction: 0.2 } }
models: [{ name: als, params: { factors: 8, iterations: 8 } }]
evaluation: { metrics: [recall@10], excludeSeen: false }`;
  const recipe = parseRecipe(text, { file: join(folder, "shop.yaml") });
  return { folder, recipe, options: { workspace: join(folder, "work"), threads: 1 } };
}

describe("feature tables", () => {
  test("give items without events a place among the recommendations, if wanted", async () => {
    const { recipe, options } = shop("{ items: { file: products.csv, id: sku, columns: { colour: category }, withoutEvents: keep } }");
    const steps: RunStep[] = [];
    const run = await runRecipe(recipe, { ...options, onStep: (step) => steps.push(step) });
    const [data] = steps;
    expect(data).toMatchObject({
      kind: "data",
      data: { numItems: 22, features: [{ whose: "items", numIds: 22, numKnown: 22, report: { rejected: [] } }] },
    });
    const service = await serveRun(run, { threads: 1 });
    try {
      const ranks = async (user: string) => {
        const { items } = await service.recommend({ user, topK: 22, excludeSeen: false });
        const place = (id: string) => items.findIndex((item) => item.itemId === id);
        return { red: place("p21"), blue: place("p22") };
      };
      const even = await ranks("b0");
      const odd = await ranks("b1");
      expect(even.red).toBeGreaterThanOrEqual(0);
      expect(even.red).toBeLessThan(even.blue);
      expect(odd.blue).toBeLessThan(odd.red);
    } finally {
      service.dispose();
    }
  });

  test("leave the catalogue as it is by default, and tell what they could not read", async () => {
    const { recipe, options } = shop("{ items: { file: products.csv, id: sku, columns: { colour: category, price: number } } }");
    const { data } = await evaluateRecipe(recipe, options);
    expect(data).toMatchObject({ numItems: 20, features: [{ numIds: 21, numKnown: 20 }] });
    const notes = stepNotes({ kind: "data", data }).join("\n");
    expect(notes).toMatch(/features of 21 items, 20 of the data's 20/);
    expect(notes).toMatch(/Rejected 1 rows: .*much/);
  });

  test("change what is trained when their file changes", async () => {
    const { folder, recipe, options } = shop("{ items: { file: products.csv, id: sku, columns: { colour: category } } }");
    const first = await runRecipe(recipe, options);
    expect((await runRecipe(recipe, options)).result.key).toBe(first.result.key);
    writeFileSync(join(folder, "products.csv"), "sku,colour\np0,green\n");
    expect((await runRecipe(recipe, options)).result.key).not.toBe(first.result.key);
  });

  test("can lie in the file of the events, and refuse what it does not have", async () => {
    const { recipe, options } = shop("{ users: { id: buyer, columns: { product: text } } }");
    expect((await evaluateRecipe(recipe, options)).data.features).toMatchObject([{ whose: "users", numKnown: 40 }]);
    const wrong = shop("{ items: { file: products.csv, id: sku, columns: { color: category } } }");
    await expectError(evaluateRecipe(wrong.recipe, wrong.options), "E_CONFIG", /colo/);
    expect(() => shop("{ items: { columns: { colour: categories } } }")).toThrow(/features\.items\.columns\.colour/);
    const missing = shop("{ items: { file: nowhere.csv, columns: { colour: category } } }");
    await expectError(evaluateRecipe(missing.recipe, missing.options), "E_NOT_FOUND", /nowhere\.csv/);
  });
});
