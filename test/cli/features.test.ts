/** dcn from the command line: trained with feature tables, and asked which features it crosses. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { tastemaker, writeShop } from "./tastemaker.js";

test("features: a model trained with feature tables says which it crosses, in words and as a picture", async () => {
  const cwd = temporaryFolder();
  writeShop(cwd);
  const buyers = Array.from(
    { length: 40 },
    (_, user) => `u${user},${["red", "green", "blue"][user % 3]},${user % 7 === 0 ? "" : 20 + user}`,
  );
  writeFileSync(join(cwd, "buyers.csv"), `buyer,team,age\n${buyers.join("\n")}\n`);
  const recipe = {
    name: "shop",
    source: { file: "orders.csv", columns: { user: "buyer", item: "product", timestamp: "bought at" } },
    features: { users: { file: "buyers.csv", id: "buyer", columns: { team: "category", age: "number" } } },
    models: [{ name: "popularity" }, { name: "dcn", params: { dimensions: 4, deepWidth: 8, epochs: 2 } }],
  };
  writeFileSync(join(cwd, "shop.yaml"), JSON.stringify(recipe)); // JSON is YAML
  const trained = await tastemaker(["train", "shop.yaml", "--threads", "1", "--data", "."], { cwd });
  expect(trained).toMatchObject({ code: 0 });
  const found = await tastemaker(["features", "--model", "dcn", "--picture", "crosses.svg", "--json"], { cwd });
  expect(found.code).toBe(0);
  const { names, strengths, pairs } = JSON.parse(found.stdout);
  expect(names).toEqual(["user", "team", "item", "age", "age unknown"]);
  expect(strengths).toHaveLength(25);
  expect(pairs).toHaveLength(15);
  for (let place = 1; place < 15; place++) expect(pairs[place - 1].strength).toBeGreaterThanOrEqual(pairs[place].strength);
  expect(readFileSync(join(cwd, "crosses.svg"), "utf8")).toContain("age unknown × team");
  expect((await tastemaker(["features", "--model", "dcn", "--top", "3"], { cwd })).stdout.trimEnd().split("\n").length).toBeLessThanOrEqual(
    5,
  );
  expect(await tastemaker(["features", "--model", "popularity"], { cwd })).toMatchObject({
    code: 64,
    stderr: expect.stringMatching(/crosses no features/),
  });
  expect(await tastemaker(["recommend", "--all", "--model", "popularity", "--out", "lists.csv", "--top-k", "2"], { cwd })).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/Wrote [\d,]+ rows of popularity/),
  });
  expect(readFileSync(join(cwd, "lists.csv"), "utf8")).toMatch(/^user,rank,item,score,source/);
  expect(await tastemaker(["recommend", "--all"], { cwd })).toMatchObject({ code: 64, stderr: expect.stringMatching(/--out lists\.csv/) });
  expect(await tastemaker(["predict", "orders.csv", "--model", "dcn", "--out", "ratings.csv"], { cwd })).toMatchObject({
    code: 64,
    stderr: expect.stringMatching(/dcn predicts no ratings/),
  });
  expect((await tastemaker(["recommend", "--user", "u3", "--model", "dcn", "--json"], { cwd })).stdout).toContain('"source":"dcn"');
});
