/** Metrics of predicted ratings in recipes: beside lists, on held-out and on training events, and as what a search goes by. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { runRecipe, serveRun } from "../../src/service/run.js";
import { tuneRecipe } from "../../src/service/tune/tune.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/** 80 users of two tastes rate 12 items; ten more rate a single one. */
function ratings(extra = "") {
  const folder = temporaryFolder();
  const random = createRandom(5);
  const rows = ["user,item,rating"];
  for (let user = 0; user < 80; user++)
    for (let item = 0; item < 12; item++)
      if (random.uniform() < 0.6) rows.push(`u${user},i${item},${item % 2 === user % 2 ? 4 + random.uniform() : 1 + random.uniform()}`);
  for (let user = 80; user < 90; user++) rows.push(`u${user},i0,3`);
  writeFileSync(join(folder, "ratings.csv"), `${rows.join("\n")}\n`);
  const text = `name: rated
source: { file: ratings.csv, columns: { user: user, item: item, weight: rating } }
split: { test: { by: random, testFraction: 0.2 } }
models:
  - { name: bias, label: zero, params: { terms: none } }
  - { name: bias, label: mean, params: { terms: mean } }
  - { name: bias, label: item-mean, params: { terms: item, itemShrinkage: 0 } }
  - name: popularity
  - { name: als, params: { factors: 2, target: value, unobservedWeight: 0, regularization: 0.1 } }
evaluation: { metrics: [recall@5, rmse, train-rmse], choose: rmse }
${extra}`;
  return {
    text,
    folder,
    recipe: parseRecipe(text, { file: join(folder, "rated.yaml") }),
    options: { workspace: join(folder, "work"), threads: 1 },
  };
}

describe("rmse in a recipe", () => {
  test("judges the models that predict ratings, beside lists; the best by it is champion", async () => {
    const { recipe, options } = ratings();
    const run = await runRecipe(recipe, options);
    const figures = Object.fromEntries(run.result.models.map(({ label, metrics }) => [label, metrics.test!]));
    expect(Object.keys(figures.als)).toEqual(["recall@5", "rmse", "train-rmse"]);
    expect(Object.keys(figures.popularity)).toEqual(["recall@5"]);
    expect(figures.zero.rmse).toBeGreaterThan(3);
    expect(figures.mean.rmse).toBeCloseTo(1.53, 0); // ratings are about 1.5 and 4.5
    expect(figures["item-mean"]["train-rmse"]).toBeLessThan(figures.mean["train-rmse"]);
    expect(figures.als.rmse).toBeLessThan(0.8);
    expect(figures.als["train-rmse"]).toBeLessThan(figures.als.rmse);
    expect(run.result.champion).toBe("als");
    const service = await serveRun(run, { threads: 1 });
    expect((await service.recommend({ user: "u0", topK: 2 })).items[0].source).toBe("als");
    service.dispose();
  });

  test("has intervals over users, comparisons and folds", async () => {
    const { text, folder, options } = ratings();
    const recipe = parseRecipe(text.replace("{ by: random, testFraction: 0.2 }", "{ by: folds, folds: 3 }"), {
      file: join(folder, "r.yaml"),
    });
    const { models, parts } = await evaluateRecipe(recipe, { ...options, intervals: { resamples: 200 } });
    const [zero, , , popularity, als] = models;
    expect(als.estimates!.test!.rmse.numCases).toBe(parts[0].testInteractions);
    expect(als.estimates!.test!.rmse.high).toBeGreaterThan(als.metrics.test!.rmse);
    expect(als.spread!.test!.rmse).toBeGreaterThan(0);
    expect(zero.comparison!.test!.difference).toBeGreaterThan(0);
    expect(popularity.comparison).toBeUndefined();
  });

  test("is what a search goes by, on a validation part", async () => {
    const { recipe, options } = ratings("tune: { metric: rmse, trials: 4, space: { als: { regularization: [0.1, 1000], factors: [2] } } }");
    const { models, skipped, numCases, testInteractions } = await tuneRecipe(recipe, options);
    const als = models.find(({ label }) => label === "als")!;
    expect(als.best.params.regularization).toBe(0.1);
    expect(skipped).toContainEqual({ label: "popularity", reason: "it predicts no ratings" });
    expect(numCases).toBe(testInteractions);
  });

  test("judges held-out users by what is shown of them", async () => {
    const { text, folder, options } = ratings();
    const split = "{ by: held-out-users, testFraction: 0.3, givenFraction: 0.6 }";
    const recipe = parseRecipe(text.replace("{ by: random, testFraction: 0.2 }", split), { file: join(folder, "r.yaml") });
    const { models } = await evaluateRecipe(recipe, options);
    expect(models.at(-1)!.metrics.test!.rmse).toBeLessThan(0.9); // als folds their tastes in
  });

  test("needs a model that predicts, and the error on training events chooses nothing", async () => {
    const { text, folder } = ratings();
    const parse = (from: string | RegExp, to: string) => () => parseRecipe(text.replace(from, to), { file: join(folder, "rated.yaml") });
    await expectError(
      parse(/models:[\s\S]*?evaluation/, "models: [{ name: als }]\nevaluation"),
      "E_CONFIG",
      /rmse judges predicted ratings/,
    );
    await expectError(parse("choose: rmse", "choose: train-rmse"), "E_CONFIG", /chosen by train-rmse/);
    await expectError(parse("choose: rmse }", "choose: rmse }\ntune: { metric: train-rmse }"), "E_CONFIG", /tune\.metric.*train-rmse/);
  });
});

test("onlyKnownUsers asks only for users with something to learn from", async () => {
  const { text, folder, recipe, options } = ratings();
  const known = parseRecipe(text.replace("choose: rmse", "choose: rmse, onlyKnownUsers: true"), { file: join(folder, "rated.yaml") });
  const cases = async (one: typeof recipe) => (await evaluateRecipe(one, options)).models[3].numCases!.test!;
  expect(await cases(known)).toBeLessThan(await cases(recipe));
});
