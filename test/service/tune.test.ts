/** What tune and auto decide before and after searching: the part they judge on, the recipe they write, the champion. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { challengeInWords, chooseChampion } from "../../src/service/evaluation/choose-champion.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { tuningPart } from "../../src/service/tune/tune-part.js";
import { modelsYaml, writeTunedRecipe } from "../../src/service/tune/tuned-recipe.js";
import { expectError } from "../support/errors.js";
import { DAY, fixture } from "../support/fixture.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const text = (rest: string) => `name: shop
source: { file: orders.csv }
models:
  - name: popularity # the baseline
  - { name: als, label: small, params: { factors: 8, solver: cholesky } }
${rest}
`;
const recipe = (rest: string) => parseRecipe(text(rest), { file: "shop.yaml" });

describe("the tune section of a recipe", () => {
  test.each<[string, RegExp]>([
    ["tune: { space: { small: { factors: { min: 8, max: 8 } } } }", /shop\.yaml:6: tune\.space\.small: The range of factors is empty/],
    ["tune: { space: { small: { factor: [2, 4] } } }", /no parameter "factor" to search.*Did you mean factors/],
    ["tune: { space: { als: { factors: 8 } } }", /there is no model "als"/],
    ["tune: { trails: 5 }", /tune\.trails: there is no such key.*Did you mean trials/],
    ["tune: { trials: 0 }", /tune\.trials is 0/],
    ["tune: { seconds: 0 }", /tune\.seconds is 0/],
    ["tune: { metric: recal@10 }", /tune\.metric: .*"recal".*Did you mean recall/],
    ["tune: { models: [smal] }", /tune\.models\.0 is "smal".*Did you mean small/],
    ["tune: { sampler: bayes }", /tune\.sampler is "bayes"/],
  ])("%s is refused", async (rest, message) => {
    await expectError(() => recipe(rest), "E_CONFIG", message);
  });
});

describe("the validation part", () => {
  const data = { interactions: fixture({ events: 1200 }) };
  const part = (rest: string) => tuningPart(recipe(rest), data, { metric: "ndcg@10", excludeSeen: false, allowLeaks: true });

  test.each<[string, RegExp]>([
    ["split: { test: { by: leave-last-out, perUser: 2 }, validation: { by: random, testFraction: 0.3 } }", /30 % of the events at random/],
    ["split: { test: { by: leave-last-out, perUser: 2 } }", /the last 2 events of each user/],
    ["split: { test: { by: last-days, days: 40 } }", /the last 40 days/],
    ["split: { test: { by: folds, folds: 4 } }", /25 % of the events at random/],
    ["split: { test: { by: folds, folds: 4, of: users } }", /25 % of the users/],
    ["split: { validation: { by: folds, folds: 3 } }", /the first of 3 folds/],
    ["", /the last 20 % of the events by time/],
  ])("of %s", (rest, description) => {
    const { description: got, cases, trainInteractions, testInteractions } = part(rest);
    expect(got).toMatch(description);
    expect(cases.length).toBeGreaterThan(0);
    expect(trainInteractions).toBeGreaterThan(testInteractions);
  });

  test("never holds what the test part holds, and comes before it in time", () => {
    const times = data.interactions.timestamp!;
    const at = times.reduce((a, b) => Math.max(a, b)) - 100 * DAY;
    const { train, test: held, split } = part(`split: { test: { by: time, at: ${new Date(at).toISOString().slice(0, 10)} } }`);
    const last = (of: { timestamp: Float64Array | undefined }) => of.timestamp!.reduce((a, b) => Math.max(a, b));
    expect(last(train)).toBeLessThan(held.timestamp!.reduce((a, b) => Math.min(a, b)));
    expect(last(held)).toBeLessThan(at);
    expect(split).toEqual({ by: "time", testFraction: expect.closeTo(0.167, 2) });
  });

  test("that leaks is refused", async () => {
    const folds = recipe("split: { validation: { by: folds, folds: 3 } }");
    await expectError(
      () => tuningPart(folds, data, { metric: "ndcg@10", excludeSeen: false }),
      "E_DATA",
      /The validation part leaks: .*also in train/,
    );
  });

  test("with nothing to judge it is an error that names it", async () => {
    const far = "split: { validation: { by: time, at: 2040-01-01 } }";
    await expectError(() => part(far), "E_DATA", /No validation part can be held out for tuning: .*no events in test/);
  });
});

describe("a tuned recipe", () => {
  const tuned = [
    {
      label: "small",
      searched: ["factors", "regularization"],
      best: { params: { factors: 32, regularization: "auto", solver: "cholesky", cgSteps: 3 } },
    },
  ];

  test("names what was searched and what is not the default, to paste", () => {
    expect(modelsYaml(recipe(""), tuned)).toBe(
      "models:\n  - name: popularity\n  - name: als\n    label: small\n    params:\n      factors: 32\n      regularization: auto\n      solver: cholesky\n",
    );
  });

  test("keeps the comments of the original, and is a recipe", async () => {
    const folder = temporaryFolder();
    const [original, target] = [join(folder, "shop.yaml"), join(folder, "shop.tuned.yaml")];
    writeFileSync(original, text("seed: 7 # lucky"));
    await writeTunedRecipe(recipe(""), tuned, { target, original });
    const written = readFileSync(target, "utf8");
    expect(written).toMatch(/# the baseline[\s\S]*# lucky/);
    expect(parseRecipe(written, { file: target }).models[1].params).toMatchObject({ factors: 32, solver: "cholesky", cgSteps: 3 });
  });
});

describe("the champion", () => {
  const random = createRandom(4);
  const noise = Float64Array.from({ length: 400 }, () => 0.3 * random.normal());
  const contender = (label: string, shift: number, own = 0) => {
    const values = noise.map((value) => value + shift + own * random.normal());
    return { label, values, mean: values.reduce((a, b) => a + b, 0) / values.length };
  };
  const options = { direction: "maximize", seed: 1 } as const;

  test("a more complex model must be significantly better", () => {
    const simple = contender("simple", 0.2);
    const slightly = contender("slightly", 0.201, 0.2);
    const clearly = contender("clearly", 0.3, 0.2);
    expect(chooseChampion([simple, slightly], options).champion).toBe("simple");
    const { champion, challenges } = chooseChampion([simple, slightly, clearly], options);
    expect(champion).toBe("clearly");
    expect(challenges.map(({ challenger, champion: against, won }) => [challenger, against, won])).toEqual([
      ["slightly", "simple", false],
      ["clearly", "simple", true],
    ]);
    expect(challenges[1].pAdjusted).toBeCloseTo(2 * challenges[1].pBootstrap, 10);
  });

  test("where less is better, the smaller one wins", () => {
    const models = [contender("simple", 0.3), contender("complex", 0.2)];
    expect(chooseChampion(models, { direction: "minimize", seed: 1 }).champion).toBe("complex");
    expect(chooseChampion(models, options).champion).toBe("simple");
  });

  test("with a handful of questions the simplest is taken", () => {
    const few = [contender("simple", 0), contender("complex", 9)].map((one) => ({ ...one, values: one.values.slice(0, 9) }));
    expect(chooseChampion(few, options)).toEqual({ champion: "simple", challenges: [] });
  });

  test("says so in words with numbers", () => {
    const models = [contender("simple", 0.2), contender("complex", 0.3)];
    const { challenges } = chooseChampion(models, options);
    const means = new Map(models.map(({ label, mean }) => [label, mean]));
    const words = challengeInWords(challenges[0], { metric: "ndcg@10", direction: "maximize", means, questions: 400 });
    expect(words).toMatch(
      /^complex reaches ndcg@10 0\.\d{4}, simple 0\.\d{4}: significantly better \(difference 0\.1000, .*p < 0\.001 on 400 questions\)\.$/,
    );
  });
});
