/** Models side by side on a small file: intervals, paired comparison with the best, breakdowns, folds. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { compareWithBest } from "../../src/service/evaluation/compare-models.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { writeShop } from "../cli/tastemaker.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const intervals = { resamples: 200 };

function shop(split: string, evaluation = "{ metrics: [ndcg@10, recall@5, coverage@10] }") {
  const folder = temporaryFolder();
  writeShop(folder, { users: 60 });
  const text = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at, weight: null } }
split: ${split}
models: [{ name: popularity }, { name: popularity, label: twin }, { name: als, params: { factors: 8, iterations: 4 } }]
evaluation: ${evaluation}
`;
  return { recipe: parseRecipe(text, { file: join(folder, "shop.yaml") }), options: { workspace: join(folder, "work"), threads: 1 } };
}

describe("evaluate with intervals", () => {
  test("adds intervals and comparisons, and changes no figure", async () => {
    const { recipe, options } = shop("{ test: { by: leave-last-out, perUser: 3 }, validation: { by: leave-last-out, perUser: 3 } }");
    const plain = await evaluateRecipe(recipe, options);
    const full = await evaluateRecipe(recipe, { ...options, intervals, breakdown: true });
    expect(full.models.map(({ metrics }) => metrics)).toEqual(plain.models.map(({ metrics }) => metrics));
    expect(full.champion).toBe(plain.champion);
    expect(full.intervals).toEqual({ level: 0.95, resamples: 200, seed: 42 });
    for (const model of plain.models) expect(model).not.toHaveProperty("estimates");

    const best = full.models.find(({ label }) => label === full.champion)!;
    for (const part of ["validation", "test"] as const) {
      expect(best.comparison?.[part]).toBeUndefined();
      for (const { label, estimates, metrics, comparison } of full.models) {
        for (const [metric, { value, low, high }] of Object.entries(estimates![part]!)) {
          expect(value).toBe(metrics[part]![metric]);
          expect(low).toBeLessThanOrEqual(value);
          expect(high).toBeGreaterThanOrEqual(value);
        }
        if (label === full.champion) continue;
        const found = comparison![part]!;
        expect(found).toMatchObject({ best: full.champion, metric: "ndcg@10" });
        expect(found.difference).toBeCloseTo(metrics[part]!["ndcg@10"] - best.metrics[part]!["ndcg@10"], 12);
        expect(found.pAdjusted).toBeGreaterThanOrEqual(found.pBootstrap);
      }
    }
    expect(best.losses?.validation ?? full.models[2].losses?.validation).toHaveLength(4);
  });

  test("equal models do not differ, and both are told apart from a third alike", async () => {
    const { recipe, options } = shop("{ test: { by: leave-last-out, perUser: 3 } }");
    const { models, champion } = await evaluateRecipe(recipe, { ...options, intervals });
    const [popularity, twin] = models;
    expect(twin.estimates).toEqual(popularity.estimates);
    if (champion === "als") expect(twin.comparison).toEqual(popularity.comparison);
    else expect(twin.comparison?.test).toMatchObject({ difference: 0, pAdjusted: 1, effectSize: 0 });
  });

  test("breaks figures down by activity, popularity and, where items may come again, repeats", async () => {
    const { recipe, options } = shop("{ test: { by: last-days, days: 15 } }");
    const { models, excludeSeen } = await evaluateRecipe(recipe, { ...options, intervals, breakdown: true });
    expect(excludeSeen).toBe(false);
    for (const { breakdown, numCases } of models) {
      const rows = breakdown!.test!;
      expect([...new Set(rows.map(({ segment }) => segment))]).toEqual(["repeat", "activity", "popularity"]);
      const activity = rows.filter(({ segment }) => segment === "activity");
      expect(activity.reduce((sum, row) => sum + row.numCases, 0)).toBe(numCases!.test);
      const large = activity.find((row) => row.numCases > 5)!;
      expect(large.metrics["ndcg@10"].low).toBeLessThanOrEqual(large.metrics["ndcg@10"].value);
      expect(large.metrics["recall@5"].low).toBeUndefined(); // intervals of the chosen metric only
    }
  });

  test("over folds the mean stays the mean of the folds, users are drawn with all their cases", async () => {
    const { recipe, options } = shop("{ test: { by: folds, folds: 3 } }");
    const { models, parts } = await evaluateRecipe(recipe, { ...options, intervals, breakdown: true });
    expect(parts[0].folds).toBe(3);
    for (const { estimates, metrics, spread, breakdown } of models) {
      const { value, low, high } = estimates!.test!["ndcg@10"];
      expect(value).toBe(metrics.test!["ndcg@10"]);
      expect(low! < value && value < high!).toBe(true);
      expect(spread?.test?.["ndcg@10"]).toBeGreaterThan(0);
      expect(estimates!.test!["coverage@10"]).toMatchObject({ value: metrics.test!["coverage@10"] });
      expect(estimates!.test!["coverage@10"]).not.toHaveProperty("low");
      expect(breakdown).toBeUndefined();
    }
    const [first, , last] = models;
    const { difference } = (first.comparison ?? last.comparison)!.test!;
    expect(Math.abs(difference)).toBeCloseTo(Math.abs(first.metrics.test!["ndcg@10"] - last.metrics.test!["ndcg@10"]), 12);
  });

  test("where less is better, the least is champion; a figure of the whole run is not compared", async () => {
    const { recipe, options } = shop("{ test: { by: leave-last-out, perUser: 3 } }", "{ metrics: [gini@10, ndcg@10] }");
    const { models, champion } = await evaluateRecipe(recipe, { ...options, intervals });
    const least = models.reduce((best, model) => (model.metrics.test!["gini@10"] < best.metrics.test!["gini@10"] ? model : best));
    expect(champion).toBe(least.label);
    for (const { comparison } of models) expect(comparison).toBeUndefined();
  });

  test("wrong settings are errors before anything is fitted", async () => {
    const { recipe, options } = shop("{ test: { by: leave-last-out, perUser: 3 } }");
    const steps: string[] = [];
    const onStep = ({ kind }: { kind: string }) => void steps.push(kind);
    await expectError(evaluateRecipe(recipe, { ...options, intervals: { level: 95 }, onStep }), "E_CONFIG", /level .* is 95/);
    expect(steps).not.toContain("model");
  });
});

describe("compareWithBest", () => {
  const options = { best: "a", metric: "ndcg@10", intervals };
  const column = (shift: number, length = 40) => ({
    values: Float64Array.from({ length }, (_, c) => shift + ((c * 7) % 11) / 50 + ((c * shift * 13) % 3) / 100),
  });

  test("corrects by Holm: the smallest p counts for all, the largest for itself", () => {
    const compared = compareWithBest(
      new Map([
        ["a", column(1)],
        ["b", column(0.99)],
        ["c", column(0.5)],
      ]),
      options,
    );
    expect([...compared.keys()]).toEqual(["b", "c"]);
    const [b, c] = [compared.get("b")!, compared.get("c")!];
    expect(c.pAdjusted).toBeCloseTo(2 * c.pBootstrap, 12);
    expect(b.pAdjusted).toBeCloseTo(Math.max(b.pBootstrap, c.pAdjusted), 12);
  });

  test("says nothing of fewer than ten users", () => {
    expect(
      compareWithBest(
        new Map([
          ["a", column(1, 9)],
          ["b", column(0, 9)],
        ]),
        options,
      ).size,
    ).toBe(0);
    const cluster = Int32Array.from({ length: 40 }, (_, c) => c % 9);
    expect(
      compareWithBest(
        new Map([
          ["a", { ...column(1), cluster }],
          ["b", { ...column(0), cluster }],
        ]),
        options,
      ).size,
    ).toBe(0);
  });
});
