/** Metrics that need the categories of items, from a recipe's item properties to the figures; and metrics that a recipe cannot have. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { itemContext } from "../../src/service/recipe/recipe-metrics.js";
import { tuneRecipe } from "../../src/service/tune/tune.js";
import { writeShop } from "../cli/tastemaker.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

function shop(itemProperties: string, metrics: string) {
  const folder = temporaryFolder();
  const text = `name: shop
source: { file: ${writeShop(folder)}, columns: { user: buyer, item: product, timestamp: bought at } }
itemProperties: ${itemProperties}
split: { test: { by: last-days, days: 15 } }
models: [{ name: popularity }, { name: als, params: { factors: 8, iterations: 4 } }]
evaluation: { metrics: [${metrics}], excludeSeen: false }
`;
  return { recipe: parseRecipe(text, { file: join(folder, "shop.yaml") }), options: { workspace: join(folder, "work"), threads: 1 } };
}

describe("with itemProperties.category", () => {
  test("calibration and diversity are judged for every model, whether it has item vectors or not", async () => {
    const { recipe, options } = shop("{ category: name }", "calibration@5, diversity@5");
    const { models, champion } = await evaluateRecipe(recipe, options); // every product is a category of its own
    const [popularity, als] = models.map(({ metrics }) => metrics.test!);
    expect([popularity["diversity@5"], als["diversity@5"]]).toEqual([1, 1]);
    expect(als["calibration@5"]).toBeGreaterThan(0);
    expect(als["calibration@5"]).toBeLessThan(popularity["calibration@5"]); // als knows the tastes
    expect(champion).toBe("als");
  });

  test("a search goes by it", async () => {
    const { recipe, options } = shop("{ category: name }", "ndcg@10");
    const { direction, models } = await tuneRecipe(recipe, { ...options, metric: "calibration@5", models: ["als"], trials: 3 });
    expect(direction).toBe("minimize");
    expect(models[0].best.value).toBe(Math.min(...models[0].trials.map(({ value }) => value!)));
  });
});

test("a metric of the command line is checked before anything is read", async () => {
  const { recipe, options } = shop("{ title: name }", "ndcg@10");
  await expectError(tuneRecipe(recipe, { ...options, metric: "rmse" }), "E_CONFIG", /rmse judges predicted ratings/);
  await expectError(tuneRecipe(recipe, { ...options, metric: "calibration@5" }), "E_CONFIG", /itemProperties: \{ category/);
  expect(existsSync(options.workspace)).toBe(false);
});

test("vectors have a 1 at the category, and are made only where they are needed", () => {
  const category = ["b", null, 7, "b"];
  const { categories, itemVectors } = itemContext(["diversity@5"], { category })!;
  expect(categories).toEqual(["b", null, "7", "b"]);
  expect(itemVectors).toEqual({ dimensions: 2, vectors: Float32Array.of(1, 0, 0, 0, 0, 1, 1, 0) });
  expect(itemContext(["calibration@5"], { category })!.itemVectors).toBeUndefined();
  expect(itemContext(["ndcg@5"], { category })).toBeUndefined();
  expect(itemContext(["diversity@5"], { title: category })).toBeUndefined();
});
