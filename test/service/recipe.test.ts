/** Recipes: defaults, overrides, and for each way of being wrong the path, line and nearest name. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Interactions } from "../../src/data/interactions.js";
import { parseRecipe, readRecipe, recipeForFile, resolveSourceFile, shippedRecipe } from "../../src/service/recipe/recipe.js";
import { resolveSplit } from "../../src/service/recipe/recipe-split.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const good = `name: shop
source:
  file: orders.csv
  columns: { user: buyer }
split:
  test: { by: time, at: 2011-11-09 }
models:
  - name: popularity
  - name: als
    params: { factors: 8 }
`;

const parse = (text: string) => parseRecipe(text, { file: "shop.yaml" });

describe("a recipe", () => {
  test("gets every default, and models their full parameters", () => {
    const recipe = parse(good);
    expect(recipe.models.map(({ label }) => label)).toEqual(["popularity", "als"]);
    expect(recipe.models[1].params).toMatchObject({ factors: 8, iterations: 15 });
    expect(recipe.evaluation).toMatchObject({ excludeSeen: "auto", choose: recipe.evaluation.metrics[0] });
    expect(recipe.serve).toEqual({ host: "127.0.0.1", port: 8080, routes: [] });
    expect(recipe.split.test?.at).toBe(Date.UTC(2011, 10, 9));
    expect(recipe.seed).toBe(42);
  });

  test.each(["demo", "retail", "own-file", "tokens"])("recipes/%s.yaml is valid", async (name) => {
    expect((await readRecipe(shippedRecipe(name))).name).toBe(name);
  });

  test.each<[string, string, string, RegExp]>([
    ["an unknown key", "source:", "sauce:", /shop\.yaml:2: sauce: there is no such key\. Did you mean source/],
    ["an unknown key inside", "{ user: buyer }", "{ usr: buyer }", /shop\.yaml:4: source\.columns\.usr.*Did you mean user/],
    ["an unknown key of a split", "at: 2011", "form: 2011", /split\.test\.form: there is no such key/],
    [
      "a key of another split",
      "by: time, at: 2011-11-09",
      "by: random, days: 3",
      /split\.test\.testFraction is missing.*random needs testFraction/,
    ],
    ["a key too many", "at: 2011-11-09", "at: 2011-11-09, perUser: 1", /split\.test\.perUser.*knows by, at/],
    ["a bad date", "2011-11-09", "soon", /shop\.yaml:6: split\.test\.at is "soon".*2011-11-09/],
    ["an unknown model", "name: als", "name: asl", /shop\.yaml:9: models\.1: There is no model "asl"\. Did you mean als/],
    ["an unknown parameter", "factors: 8", "factor: 8", /models\.1: Model als has no parameter "factor"\. Did you mean factors/],
    ["a parameter out of range", "factors: 8", "factors: 0", /models\.1: Model als: parameter factors is 0/],
    ["a repeated label", "name: als\n    params: { factors: 8 }", "name: popularity", /two models are labelled popularity/],
    ["no models", /models:[\s\S]*/.exec(good)![0], "models: []\n", /models/],
    ["no source", "  file: orders.csv\n", "", /either a file, a generator, a query or a catalogue/],
    ["a missing name", "name: shop\n", "", /name is missing/],
    ["a name that is no folder", "name: shop", "name: ../shop", /name is "\.\.\/shop".*letters/],
    ["broken YAML", "columns: {", "columns: {{", /no valid YAML/],
    ["text", good, "just text", /just text/],
    ["an empty file", good, "", /is missing/],
  ])("%s is an error that says where", async (_, from, to, message) => {
    expect(good).toContain(from);
    await expectError(() => parse(good.replace(from, to)), "E_CONFIG", message);
  });

  test.each<[string, RegExp]>([
    ["evaluation: { metrics: [ndcg@10, recal@5] }", /evaluation\.metrics\.1: There is no metric "recal".*recall/],
    ["evaluation: { metrics: [ndcg] }", /no list length/],
    [
      "evaluation: { metrics: [ndcg@10, rmse] }",
      /shop\.yaml:\d+: evaluation\.metrics\.1: The metric rmse judges predicted ratings.*ndcg@10/,
    ],
    ["evaluation: { metrics: [mae], choose: mae }", /evaluation\.metrics\.0: The metric mae judges predicted ratings/],
    ["tune: { metric: log-loss }", /tune\.metric: The metric log-loss judges predicted ratings/],
    ["evaluation: { metrics: [calibration@5] }", /calibration@5 needs the category.*itemProperties: \{ category: COLUMN \}/],
    ["tune: { metric: calibration@5 }\nitemProperties: { title: name }", /tune\.metric: The metric calibration@5 needs the category/],
    ["evaluation: { metrics: [ndcg@10], choose: ndcg@5 }", /evaluation\.choose is "ndcg@5"\. Did you mean ndcg@10/],
    ["evaluation: { excludeSeen: maybe }", /evaluation\.excludeSeen is "maybe"/],
    ["evaluation: { baseline: asl }", /evaluation\.baseline is "asl"\. Did you mean als/],
    ["serve: { aliases: isbn }\nitemProperties: { isbns: isbns }", /serve\.aliases is "isbn"\. Did you mean isbns/],
    ["serve: { page: { favourites: 0 } }", /serve\.page\.favourites is 0/],
    ["serve: { port: 70000 }", /serve\.port is 70000/],
    ["serve: { model: alx }", /serve\.model is "alx"\. Did you mean als/],
    ["clean: { drop: [{ where: 'a < 0' }] }", /clean\.drop\.0\.reason is missing/],
    ["seed: -1", /seed is -1/],
  ])("%s is an error", async (line, message) => {
    await expectError(() => parse(`${good}${line}\n`), "E_CONFIG", message);
  });

  test("the command line stands above it, and its words are checked like the recipe's", async () => {
    const recipe = parseRecipe(good, {
      file: "shop.yaml",
      overrides: { columns: { item: "sku" }, port: 9000, delimiter: ";", keepUnknownUsers: true },
    });
    expect(recipe.source).toMatchObject({ columns: { user: "buyer", item: "sku" }, delimiter: ";" });
    expect(recipe.serve).toMatchObject({ port: 9000, host: "127.0.0.1" });
    expect(recipe.clean.keepUnknownUsers).toBe(true);
    await expectError(() => parseRecipe(good, { file: "shop.yaml", overrides: { port: 70_000 } }), "E_CONFIG", /serve\.port/);
    await expectError(
      () => parseRecipe(good, { file: "shop.yaml", overrides: { format: "csvv" } }),
      "E_CONFIG",
      /source\.format is "csvv"/,
    );
  });

  test("a data file gets a recipe of its own, named after it", async () => {
    const recipe = await recipeForFile("some/My orders (2024).csv.gz", { columns: { user: "who" } });
    expect(recipe.name).toBe("My-orders-2024");
    expect(recipe.source.file).toMatch(/My orders \(2024\)\.csv\.gz$/);
    expect(recipe.source.columns).toEqual({ user: "who" });
    expect(recipe.split.test?.by).toBe("auto");
  });

  test("its file is looked for in the data folder, then beside the recipe, then here", async () => {
    const root = temporaryFolder();
    for (const folder of ["data", "recipes"]) mkdirSync(join(root, folder));
    const places = { recipeFolder: join(root, "recipes"), dataFolder: join(root, "data") };
    await expectError(() => resolveSourceFile("a.csv", places), "E_NOT_FOUND", /data.*recipes.*--data/);
    writeFileSync(join(root, "recipes", "a.csv"), "");
    expect(resolveSourceFile("a.csv", places)).toBe(join(root, "recipes", "a.csv"));
    writeFileSync(join(root, "data", "a.csv"), "");
    expect(resolveSourceFile("a.csv", places)).toBe(join(root, "data", "a.csv"));
    expect(resolveSourceFile(join(root, "recipes", "a.csv"), places)).toBe(join(root, "recipes", "a.csv"));
  });
});

test("an automatic split goes by time where there is one", () => {
  const split = { by: "auto", testFraction: 0.25 } as const;
  const timed = Interactions.fromArrays({ userIndex: [0, 0], itemIndex: [0, 1], timestamp: [0, 1] });
  expect(resolveSplit(split, timed)).toEqual({
    spec: { by: "time", testFraction: 0.25 },
    description: "the last 25 % of the events by time",
  });
  const untimed = Interactions.fromArrays({ userIndex: [0], itemIndex: [0] });
  expect(resolveSplit(split, untimed).spec).toEqual({ by: "random", testFraction: 0.25, seed: 42 });
  const atOnce = Interactions.fromArrays({ userIndex: [0, 0], itemIndex: [0, 1], timestamp: [7, 7] });
  expect(resolveSplit(split, atOnce)).toEqual({
    spec: { by: "random", testFraction: 0.25, seed: 42 },
    description: "25 % of the events at random (seed 42), as all have the same time",
  });
});
