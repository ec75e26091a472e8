/** Protocols of recipes from file to figures: folds, official folds, leaks refused, lists of another system, policies on a log. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { evaluateImpressions } from "../../src/service/evaluation/evaluate-impressions.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { runRecipe } from "../../src/service/run.js";
import type { RunStep } from "../../src/service/run-result.js";
import { writeShop } from "../cli/tastemaker.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { popularLists } from "./popular-lists.js";

/** A shop of 1200 orders; `time: false` leaves its times out. */
function shop(split: string, { time = true, models = "[{ name: popularity }, { name: repeat }]" } = {}) {
  const folder = temporaryFolder();
  const file = writeShop(folder);
  const text = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: ${time ? "bought at" : "null"}, weight: null, basket: null } }
split: ${split}
models: ${models}
evaluation: { metrics: [ndcg@10, recall@5], excludeSeen: false }
`;
  const recipe = () => parseRecipe(text, { file: join(folder, "shop.yaml") });
  const [header, ...rows] = readFileSync(file, "utf8").trimEnd().split("\n");
  const write = (name: string, lines: readonly string[]) => {
    writeFileSync(join(folder, name), `${[header, ...lines].join("\n")}\n`);
    return join(folder, name);
  };
  return { folder, recipe, rows, write, options: { workspace: join(folder, "work"), threads: 1 } };
}

describe("kinds of splits in a recipe", () => {
  test.each([
    ["{ by: time-per-user, testFraction: 0.2 }", "the last 20 % of each user's events"],
    ["{ by: random-per-user, testFraction: 0.25, seed: 3 }", "25 % of each user's events at random (seed 3)"],
    ["{ by: leave-last-out, perUser: 2 }", "the last 2 events of each user"],
  ])("%s", async (split, description) => {
    const { recipe, options } = shop(`{ test: ${split} }`);
    const { parts, models } = await evaluateRecipe(recipe(), options);
    expect(parts).toMatchObject([{ name: "test", description }]);
    expect(parts[0].trainInteractions + parts[0].testInteractions).toBe(1200);
    for (const { metrics } of models) expect(metrics.test!["ndcg@10"]).toBeGreaterThan(0);
  });

  test.each([
    ["{ test: { by: folds } }", /split\.test\.folds is missing.*folds needs folds/],
    ["{ test: { by: folds, folds: 1 } }", /split\.test\.folds is 1/],
    ["{ test: { by: folds, folds: 3, given: 2 } }", /only folds of users have a given part/],
    ["{ test: { by: files, files: [{ train: a.csv }] } }", /files\.0\.test is missing/],
    ["{ test: { by: time-per-user } }", /testFraction is missing/],
    ["{ test: { by: leave-last-basket, days: 3 } }", /days is 3.*knows by, perUser/],
    ["{ test: { by: leave-last-bsket } }", /split\.test\.by is "leave-last-bsket"/],
  ])("%s is an error", async (split, message) => {
    await expectError(() => shop(split).recipe(), "E_CONFIG", message);
  });

  test.each([
    ["{ test: { by: folds, folds: 3 }, validation: { by: random, testFraction: 0.2 } }", /cannot stand beside a validation part/],
    ["{ validation: { by: files, files: [{ train: a.csv, test: b.csv }] } }", /validation part cannot go by files/],
  ])("%s is an error before anything is read", async (split, message) => {
    const { recipe, options } = shop(split);
    const steps: RunStep[] = [];
    await expectError(evaluateRecipe(recipe(), { ...options, onStep: (step) => steps.push(step) }), "E_CONFIG", message);
    expect(steps).toEqual([]);
  });
});

describe("folds", () => {
  test("give the mean and the standard deviation over them; a validation part may go by folds", async () => {
    const { recipe, options } = shop("{ test: { by: last-days, days: 10 }, validation: { by: folds, folds: 4, of: users, seed: 5 } }");
    const { parts, models, champion } = await evaluateRecipe(recipe(), options);
    expect(parts).toMatchObject([{ name: "validation", folds: 4 }, { name: "test" }]);
    expect(parts[1]).not.toHaveProperty("folds");
    const [popularity, repeat] = models;
    expect(champion).toBe("repeat");
    expect(repeat.metrics.validation!["ndcg@10"]).toBeGreaterThan(popularity.metrics.validation!["ndcg@10"]);
    expect(repeat.spread!.validation!["ndcg@10"]).toBeGreaterThan(0);
    expect(repeat.spread).not.toHaveProperty("test");
  });

  test("of files are read over the ids of all, and equal the split that they were written from", async () => {
    const { recipe, rows, write, options } = shop(
      "{ test: { by: files, files: [{ train: a.csv, test: b.csv }, { train: b.csv, test: a.csv }] } }",
    );
    write("a.csv", rows.slice(0, 900));
    write("b.csv", [...rows.slice(900), "newcomer,new product,2024-05-01 10:00:00,1,New"]);
    const { parts, models, leaks } = await evaluateRecipe(recipe(), options);
    expect(parts).toMatchObject([{ folds: 2, trainInteractions: 1201, testInteractions: 1201 }]);
    const found = leaks!.flatMap(({ findings }) => findings.map(({ kind, severity, count }) => [kind, severity, count]));
    expect(found).toContainEqual(["future-users", "warning", expect.any(Number)]);
    const one = shop("{ test: { by: files, files: [{ train: a.csv, test: b.csv }] } }");
    one.write("a.csv", rows.slice(0, 900));
    one.write("b.csv", rows.slice(900));
    const byFile = await evaluateRecipe(one.recipe(), one.options);
    const at = rows[900].split(",")[2];
    const byTime = await evaluateRecipe(shop(`{ test: { by: time, at: "${at}" } }`).recipe(), options);
    expect(byFile.models.map(({ metrics }) => metrics)).toEqual(byTime.models.map(({ metrics }) => metrics));
    expect(models[0].spread!.test).toBeDefined();
  });

  test("a run over files is done again when one of them changes", async () => {
    const { recipe, rows, write, options } = shop("{ test: { by: files, files: [{ train: a.csv, test: b.csv }] } }", {
      models: "[{ name: popularity }]",
    });
    write("a.csv", rows.slice(0, 900));
    write("b.csv", rows.slice(900));
    expect((await runRecipe(recipe(), options)).reused).toBe(false);
    expect((await runRecipe(recipe(), options)).reused).toBe(true);
    write("b.csv", rows.slice(950));
    expect((await runRecipe(recipe(), options)).reused).toBe(false);
  });
});

describe("a planted leak", () => {
  const planted = () => {
    const { rows, write, ...rest } = shop("{ test: { by: files, files: [{ train: a.csv, test: b.csv }] } }");
    write("a.csv", rows.slice(0, 910)); // ten rows too many
    write("b.csv", rows.slice(900));
    return rest;
  };

  test("is refused with its count and an example, before a model is fitted", async () => {
    const { recipe, options } = planted();
    const steps: RunStep[] = [];
    const error = await expectError(
      evaluateRecipe(recipe(), { ...options, onStep: (step) => steps.push(step) }),
      "E_DATA",
      /The test part leaks: 1\d of 300 test rows \(\d\.\d %\) are also in train \(same user, item and time\), such as user "u\d+".*--allow-leaks/,
    );
    expect(error.details.findings).toMatchObject([{ kind: "test-rows-in-train", severity: "error" }]);
    expect(steps.map(({ kind }) => kind)).toEqual(["data", "parts"]);
    await expectError(runRecipe(recipe(), options), "E_DATA", /leaks/);
  });

  test("may be allowed, and is then told", async () => {
    const { recipe, options } = planted();
    const steps: RunStep[] = [];
    const { models, leaks } = await evaluateRecipe(recipe(), { ...options, allowLeaks: true, onStep: (step) => steps.push(step) });
    expect(models).toHaveLength(2);
    expect(leaks![0].findings[0]).toMatchObject({ kind: "test-rows-in-train", severity: "error" });
    expect(steps.find(({ kind }) => kind === "leaks")).toMatchObject({ leaks });
  });

  test("by baskets or per user is no error where the split keeps its promise", async () => {
    const { recipe, options } = shop("{ test: { by: leave-last-out, perUser: 1 } }");
    const { leaks } = await evaluateRecipe(recipe(), options);
    expect(leaks!.flatMap(({ findings }) => findings).filter(({ severity }) => severity === "error")).toEqual([]);
    expect(leaks![0].findings.map(({ kind }) => kind)).toContain("train-after-test"); // of other users: a warning
  });
});

describe("lists of another system", () => {
  test("that repeat our model's answers get its figures; what is unknown or missing is counted", async () => {
    const { recipe, folder, options } = shop("{ test: { by: last-days, days: 10 } }", { models: "[{ name: popularity }]" });
    const { models } = await evaluateRecipe(recipe(), options);
    writeFileSync(join(folder, "peer.csv"), [...popularLists(folder), "nobody,p1,1", "u1,p999,1"].join("\n"));
    const steps: RunStep[] = [];
    const judged = await evaluateRecipe(recipe(), {
      ...options,
      lists: [{ name: "peer", file: join(folder, "peer.csv") }],
      onStep: (step) => steps.push(step),
    });
    expect(judged.lists).toMatchObject([
      {
        label: "peer",
        part: "test",
        metrics: models[0].metrics.test,
        numWithoutList: 0,
        report: { unknownUsers: { ids: 1 }, unknownItems: { rows: 1, example: "p999" } },
      },
    ]);
    expect(steps.map(({ kind }) => kind)).toEqual(["data", "parts", "list", "model"]);
    expect(judged.champion).toBe("popularity"); // lists are no model
  });

  test("a user without a list counts as 0, also among held-out users", async () => {
    const { recipe, folder, options } = shop("{ test: { by: held-out-users, testFraction: 0.3, seed: 2 } }", {
      models: "[{ name: popularity }]",
    });
    writeFileSync(
      join(folder, "peer.csv"),
      `user,item,rank\n${Array.from({ length: 30 }, (_, item) => `u0,p${item},${item + 1}`).join("\n")}\n`,
    );
    const { lists } = await evaluateRecipe(recipe(), { ...options, lists: [{ name: "peer", file: join(folder, "peer.csv") }] });
    expect(lists![0].numWithoutList).toBeGreaterThanOrEqual(lists![0].numCases - 1);
    const all = Array.from({ length: 40 }, (_, user) => Array.from({ length: 30 }, (_, item) => `u${user},p${item},${item + 1}`)).flat();
    writeFileSync(join(folder, "all.csv"), `user,item,rank\n${all.join("\n")}\n`);
    const full = await evaluateRecipe(recipe(), { ...options, lists: [{ name: "all", file: join(folder, "all.csv") }] });
    expect(full.lists![0].numWithoutList).toBe(0);
    expect(full.lists![0].metrics["recall@5"]).toBeGreaterThan(0);
  });

  test("without a fitting row, over folds, or without a part are errors", async () => {
    const { recipe, folder, options } = shop("{ test: { by: last-days, days: 10 } }");
    const file = join(folder, "peer.csv");
    writeFileSync(file, "user,item,score\nann,pen,1\n");
    const lists = [{ name: "peer", file }];
    await expectError(evaluateRecipe(recipe(), { ...options, lists }), "E_DATA", /No row of .*peer\.csv has both.*"ann" and "pen"/);
    const folds = shop("{ test: { by: folds, folds: 2 } }");
    await expectError(evaluateRecipe(folds.recipe(), { ...folds.options, lists }), "E_CONFIG", /cannot be judged over folds/);
    const none = shop("{}");
    await expectError(evaluateRecipe(none.recipe(), { ...none.options, lists }), "E_CONFIG", /only be judged on a held-out part/);
  });
});

describe("policies on a log of impressions", () => {
  test("trained models and columns are judged side by side; unknown users and items are told", async () => {
    const { recipe, folder, options } = shop("{ test: { by: last-days, days: 10 } }", { models: "[{ name: popularity }]" });
    const { result } = await runRecipe(recipe(), options);
    const file = join(folder, "log.csv");
    // Items p0 … p3 and one unknown, shown evenly; only p0 earns something.
    const rows = Array.from(
      { length: 500 },
      (_, row) => `u${row % 41},${row % 5 === 4 ? "new" : `p${row % 5}`},0.2,${row % 5 === 0 ? 1 : 0},${row % 5 === 0 ? 1 : 0}`,
    );
    writeFileSync(file, `user,item,propensity,reward,always p0\n${rows.join("\n")}\n`);
    const found = await evaluateImpressions(file, { policies: ["popularity", "always p0"], recipe: result.recipe, ...options });
    expect(found).toMatchObject({ numRows: 500, numUsers: 41, numItems: 5, logged: { value: 0.2 } });
    const [column, model] = found.policies;
    expect(column).toMatchObject({ policy: "always p0", effectiveSampleSize: 100, maxWeight: 5 });
    expect(column.estimates.map(({ estimator, value }) => [estimator, value])).toEqual([
      ["ips", 1],
      ["snips", 1],
    ]);
    expect(model.policy).toBe("popularity (best item)");
    expect(model.estimates.map(({ estimator }) => estimator)).toEqual(["ips", "snips", "dr", "dm"]);
    expect(model.warnings.join("\n")).toMatch(/does not know 1 of the 5 items[\s\S]*does not know 1 of the 41 users/);
    const soft = await evaluateImpressions(file, { policies: ["popularity"], recipe: result.recipe, temperature: 1e9, ...options });
    expect(soft.policies[0].maxWeight).toBeCloseTo(1.25, 6); // a quarter each over a fifth
    await expectError(
      evaluateImpressions(file, { policies: ["popularty"], recipe: result.recipe, ...options }),
      "E_CONFIG",
      /neither a trained model nor a column.*Did you mean popularity/,
    );
    await expectError(evaluateImpressions(file, {}), "E_CONFIG", /no column with the probabilities.*--policy COLUMN/);
    await expectError(evaluateImpressions(file, { policies: ["popularity"] }), "E_CONFIG", /no column "popularity"/);
  });
});
