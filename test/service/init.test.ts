/** `init`: what a file suggests, as a recipe that runs. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { fastRecipe } from "../../src/service/fast.js";
import { initRecipe } from "../../src/service/init/init-recipe.js";
import { readRecipe } from "../../src/service/recipe/recipe.js";
import { runRecipe } from "../../src/service/run.js";
import { writeShop } from "../cli/tastemaker.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/** Users who rate each film once, 1 to 5, mostly 4. */
function ratings(folder: string): string {
  const random = createRandom(3);
  const lines = ["userId,movieId,rating,genre"];
  for (let user = 0; user < 40; user++)
    for (let movie = 0; movie < 30; movie++)
      if (random.uniform() < 0.4) lines.push(`${user},m${movie},${[1, 2, 3, 4, 4, 4, 5, 5][random.integer(8)]},g${movie % 4}`);
  const file = join(folder, "ratings.csv");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

describe("init", () => {
  test("orders with returns and rows of nobody: cleaned, split by time, repeats may return; the recipe runs", async () => {
    const folder = temporaryFolder();
    const file = writeShop(folder);
    const text = readFileSync(file, "utf8").trimEnd();
    const copy = text.split("\n").at(-1)!;
    const odd = [copy, 'u1,p1,2024-01-05 10:00:00,-1,"back"', 'u2,p2,2024-01-06 10:00:00,-2,"back"', ',p3,2024-01-07 10:00:00,1,"x"'];
    writeFileSync(file, `${[text, ...odd].join("\n")}\n`);
    const { recipe, facts, models } = await initRecipe(file, {
      target: join(folder, "shop.yaml"),
      columns: { timestamp: "bought at", weight: "pieces" },
      threads: 1,
    });
    expect(facts).toMatchObject({ negativeWeights: 2, withoutUser: 1, copies: 1, hasTimestamps: true, numUsers: 40, lastDays: 14 });
    expect(facts.ratings).toBeUndefined();
    const made = await readRecipe(recipe);
    expect(made).toMatchObject({
      name: "orders",
      source: { file: "orders.csv", columns: { user: "buyer", item: "product", timestamp: "bought at", weight: "pieces", basket: null } },
      clean: { drop: [{ reason: "returned", where: "pieces < 0" }], keepUnknownUsers: true },
      split: { test: { by: "last-days", days: 14 } },
      evaluation: { excludeSeen: false, choose: "ndcg@10" },
    });
    expect(models).toContain("repeat");
    expect(models).not.toContain("svd");
    const written = readFileSync(recipe, "utf8");
    expect(written).toMatch(/1 row of 1,201 repeat user, item and time/);
    expect(written).toMatch(/user: buyer # who: .+/);
    expect(written).toMatch(/# - name: \w+/);
    const { result } = await runRecipe(fastRecipe(made), { workspace: join(folder, "work"), threads: 1 });
    expect(result.data.report.rejected.map(({ reason, count }) => [reason, count])).toEqual([["returned", 2]]);
    expect(result.models.length).toBe(models.length);
  });

  test("ratings without times: random parts, rating models and rmse, features of the file itself; the recipe runs", async () => {
    const folder = temporaryFolder();
    const { recipe, facts, models } = await initRecipe(ratings(folder), { target: join(folder, "films.yml"), threads: 1 });
    expect(facts).toMatchObject({ ratings: { least: 1, most: 5 }, hasTimestamps: false, repeatShare: 0, hasItemFeatures: true });
    expect(models).toEqual(expect.arrayContaining(["bias", "svd", "content"]));
    expect(models).not.toContain("markov");
    const made = await readRecipe(recipe);
    expect(made).toMatchObject({
      split: { test: { by: "random-per-user" }, validation: { by: "random-per-user" } },
      evaluation: { excludeSeen: true },
      features: { items: { columns: { category: { kind: "category", column: "genre" } } } },
    });
    expect(made.evaluation.metrics[0]).toBe("rmse");
    const { result } = await runRecipe(fastRecipe(made), { workspace: join(folder, "work"), threads: 1 });
    expect(result.models.find(({ label }) => label === "bias")!.metrics.test!.rmse).toBeGreaterThan(0);
  });

  test("columns named beforehand, odd names, and a file below the data folder", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "data"));
    const file = join(folder, "data", "a b.csv");
    writeFileSync(
      file,
      `wer: id;"was";menge #\n${Array.from({ length: 60 }, (_, e) => `u${e % 7};i${(e * 3) % 11};${e % 9 === 0 ? -1 : 1 + (e % 2)}`).join("\n")}\n`,
    );
    const columns = { user: "wer: id", item: "was", weight: "menge #" };
    const { recipe } = await initRecipe(file, {
      target: join(folder, "x.yaml"),
      dataFolder: join(folder, "data"),
      columns,
      delimiter: ";",
      threads: 1,
    });
    const made = await readRecipe(recipe);
    expect(made.name).toBe("a-b");
    expect(made.source).toMatchObject({ file: "a b.csv", delimiter: ";", columns: { user: "wer: id", item: "was", weight: "menge #" } });
    expect(made.clean.drop).toEqual([{ reason: "returned", where: '"menge #" < 0' }]);
    const { result } = await runRecipe(fastRecipe(made), { dataFolder: join(folder, "data"), workspace: join(folder, "work"), threads: 1 });
    expect(result.data.report.rejected).toMatchObject([{ reason: "returned", count: 7 }]);
  });

  test("refuses to replace a recipe, other endings, folders that are not there, and files that are no data", async () => {
    const folder = temporaryFolder();
    const file = writeShop(folder, { rows: 100 });
    const target = join(folder, "shop.yaml");
    writeFileSync(target, "mine");
    await expectError(initRecipe(file, { target, threads: 1 }), "E_CONFIG", /is there already/);
    expect(readFileSync(target, "utf8")).toBe("mine");
    await initRecipe(file, { target, force: true, threads: 1 });
    expect(readFileSync(target, "utf8")).toMatch(/^# orders\.csv: /);
    await expectError(initRecipe(file, { target: join(folder, "shop.txt") }), "E_CONFIG", /is no name of a recipe/);
    await expectError(initRecipe(file, { target: join(folder, "no", "shop.yaml") }), "E_NOT_FOUND", /There is no folder/);
    writeFileSync(join(folder, "noise.csv"), "a\n1\n2\n");
    await expectError(
      initRecipe(join(folder, "noise.csv"), { target: join(folder, "n.yaml"), threads: 1 }),
      "E_CONFIG",
      /No column could be taken/,
    );
    expect(existsSync(join(folder, "n.yaml"))).toBe(false);
  });
});
