/** Splits drawn several times, and models beside a recipe's baseline. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { split, splitRepeats } from "../../src/data/splits.js";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { trainRecipe } from "../../src/service/train.js";
import { writeShop } from "../cli/tastemaker.js";
import { expectError } from "../support/errors.js";
import { tastes } from "../support/tastes.js";
import { temporaryFolder } from "../support/temporary-folder.js";

describe("splitRepeats", () => {
  const data = tastes({ numUsers: 60, numItems: 40, perUser: 8 });

  test("draws by one seed after the other, and leaves what no draw tests", () => {
    const spec = { by: "held-out-users", testFraction: 0.1, seed: 3, given: 3 } as const;
    const { draws, rest } = splitRepeats(data, spec, 4);
    for (const [d, draw] of draws.entries()) {
      const alone = split(data, { ...spec, seed: 3 + d });
      for (const side of ["train", "test", "given"] as const) expect(draw[side]!.userIndex).toEqual(alone[side]!.userIndex);
    }
    const tested = new Set(draws.flatMap(({ test }) => [...test.userIndex]));
    expect(tested.size).toBeGreaterThan(6);
    expect(new Set(rest.userIndex)).toEqual(new Set([...data.userIndex].filter((user) => !tested.has(user))));
  });

  test("fails where nothing is left", async () => {
    const wide = { by: "random", testFraction: 0.9, seed: 1 } as const;
    await expectError(() => splitRepeats(data, wide, 40), "E_DATA", /No event is in the train side of all 40 draws/);
  });
});

describe("a recipe", () => {
  const shop = (evaluation: string, test = "{ by: held-out-users, testFraction: 0.1, given: 2, seed: 5, repeats: 3 }") => {
    const folder = temporaryFolder();
    writeShop(folder);
    const text = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: null, weight: null, basket: null } }
split: { test: ${test}, validation: { by: held-out-users, testFraction: 0.3, given: 2 } }
models: [{ name: popularity }, { name: item-knn }, { name: item-knn, label: twin }]
evaluation: ${evaluation}
`;
    return {
      recipe: () => parseRecipe(text, { file: join(folder, "shop.yaml") }),
      options: { workspace: join(folder, "work"), threads: 1 },
    };
  };

  test("judges all draws, and each model beside the baseline by user", async () => {
    const { recipe, options } = shop("{ metrics: [recall@5, coverage@5], excludeSeen: true, baseline: item-knn }");
    const { parts, models } = await evaluateRecipe(recipe(), options);
    expect(parts[1]).toMatchObject({ name: "test", folds: 3, description: expect.stringContaining("seeds 5 to 7") });
    const [popularity, baseline, twin] = models;
    expect(baseline.againstBaseline).toBeUndefined();
    expect(twin.againstBaseline!.test).toMatchObject({ baseline: "item-knn", difference: 0, low: 0, high: 0, ratio: 1 });
    const against = popularity.againstBaseline!.test!;
    expect(against.difference).toBeCloseTo(popularity.metrics.test!["recall@5"] - baseline.metrics.test!["recall@5"], 10);
    expect(against.ratio).toBeCloseTo(popularity.metrics.test!["recall@5"] / baseline.metrics.test!["recall@5"], 10);
    expect(against.low).toBeLessThan(against.difference);
    expect(against.high).toBeGreaterThan(against.difference);
  });

  test("is compared with its baseline after an interruption as without one", async () => {
    const { recipe, options } = shop("{ metrics: [recall@5], excludeSeen: true, baseline: item-knn }");
    const whole = await trainRecipe(recipe(), { ...options, workspace: `${options.workspace}-whole` });
    const stop = new AbortController();
    await expectError(
      trainRecipe(recipe(), {
        ...options,
        signal: stop.signal,
        onStep: (step) => step.kind === "model" && step.result.label === "item-knn" && stop.abort(),
      }),
      "E_CANCELLED",
    );
    const kept: string[] = [];
    const resumed = await trainRecipe(recipe(), { ...options, onStep: (step) => step.kind === "kept" && kept.push(...step.judged) });
    expect(kept).toEqual(["popularity", "item-knn"]);
    expect(resumed.models.map(({ againstBaseline }) => againstBaseline)).toEqual(
      whole.models.map(({ againstBaseline }) => againstBaseline),
    );
  });

  test.each([
    ["{ metrics: [recall@5], baseline: knn }", undefined, /evaluation\.baseline is "knn".*item-knn/],
    ["{ metrics: [recall@5] }", "{ by: time-per-user, testFraction: 0.2, repeats: 3 }", /repeats is 3/],
  ])("evaluation %s, test %s is an error", async (evaluation, testPart, message) => {
    await expectError(() => shop(evaluation, testPart).recipe(), "E_CONFIG", message);
  });
});
