/** Several scenarios in one recipe: questions by user, basket and line, over the same fits. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Interactions } from "../../src/data/interactions.js";
import { basketCases, lineCases } from "../../src/evaluation/basket-cases.js";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { partCases } from "../../src/service/evaluation/part-cases.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { withScenario } from "../../src/service/recipe/scenarios.js";
import { renderReport } from "../../src/service/report/write-report.js";
import { runRecipe, serveRun } from "../../src/service/run.js";
import { tuneRecipe } from "../../src/service/tune/tune.js";
import { writeShop } from "../cli/tastemaker.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

/** Two interleaved baskets of users 0 and 1, an anonymous one, and an event without a basket. */
const test2 = Interactions.fromArrays({
  userIndex: [0, 1, 0, -1, -1, 1, 0],
  itemIndex: [3, 1, 3, 2, 0, 4, 2],
  basket: [7, 9, 7, 4, 4, 9, -1],
  timestamp: [10, 20, 10, 30, 30, 20, 40],
  numUsers: 3,
  numItems: 5,
});
const train = Interactions.fromArrays({ userIndex: [0, 0, 1], itemIndex: [3, 0, 4], numUsers: 3, numItems: 5 });

describe("questions", () => {
  test("by basket: one each, in order of the first line; repeated lines are relevant repeatedly", () => {
    const cases = basketCases(test2);
    expect(cases.map(({ query, relevant }) => [query.userIndex, Array.from(relevant)])).toEqual([
      [0, [3, 3]],
      [1, [1, 4]],
      [-1, [2, 0]],
      [0, [2]],
    ]);
    const [first, second, anonymous, last] = cases.map(({ cluster }) => cluster);
    expect(last).toBe(first); // of one user
    expect(new Set([first, second, anonymous]).size).toBe(3);
  });

  test("by line: only the lines before are known, and the basket's time", () => {
    const cases = lineCases(train, test2);
    expect(cases.map(({ query: { userIndex, basket, timestamp }, relevant }) => [userIndex, basket, timestamp, relevant[0]])).toEqual([
      [0, [], 10, 3],
      [0, [3], 10, 3],
      [1, [], 20, 1],
      [1, [1], 20, 4],
      [-1, [], 30, 2],
      [-1, [2], 30, 0],
      [0, [], 40, 2],
    ]);
    const [, second] = lineCases(train, test2, { foldIn: true });
    expect(second.query.history?.map(({ itemIndex }) => itemIndex)).toEqual([0, 3, 3]);
  });

  test("what users had before, and users that training did not know, are left out where that is asked for", () => {
    const part = { train, test: test2 };
    const unseen = partCases(part, { excludeSeen: true, questions: "basket" });
    expect(unseen.map(({ relevant }) => Array.from(relevant))).toEqual([[], [1], [2, 0], [2]]);
    const known = partCases(part, { excludeSeen: false, onlyKnownUsers: true, questions: "line" });
    expect(known.every(({ query }) => (query.userIndex ?? -1) >= 0)).toBe(true);
    expect(known.length).toBe(5);
  });

  test("need baskets", () => {
    expect(() => basketCases(train)).toThrow(/need events with baskets/);
  });
});

const scenarios = `evaluation: { excludeSeen: false, metrics: [precision@5] }
scenarios:
  - { name: order, title: five for each order, models: [popularity, als], evaluation: { questions: basket } }
  - name: line
    models: [popularity, als, markov]
    evaluation: { questions: line, metrics: [accuracy@5, mrr@5], foldIn: [als] }
`;

function shop(more = scenarios) {
  const folder = temporaryFolder();
  writeShop(folder, { rows: 600 });
  const text = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at, weight: null, basket: bought at } }
split: { validation: { by: last-days, days: 10 }, test: { by: last-days, days: 10 } }
models: [{ name: popularity }, { name: als, params: { factors: 4, iterations: 3 } }, { name: markov }]
${more}`;
  return { recipe: () => parseRecipe(text, { file: join(folder, "shop.yaml") }), options: { workspace: join(folder, "work"), threads: 1 } };
}

describe("a recipe with scenarios", () => {
  test("judges each model in those that name it, as if they were recipes of their own", async () => {
    const { recipe, options } = shop();
    const all = await evaluateRecipe(recipe(), { ...options, intervals: { resamples: 50 }, breakdown: true });
    const { scenarios: [order, line] = [] } = all;
    expect([order, line].map(({ name, models }) => [name, ...models.map(({ label }) => label)])).toEqual([
      ["order", "popularity", "als"],
      ["line", "popularity", "als", "markov"],
    ]);
    expect(order).toMatchObject({ title: "five for each order", chosenBy: "precision@5", metrics: ["precision@5"], excludeSeen: false });
    expect(line).toMatchObject({ chosenBy: "accuracy@5", metrics: ["accuracy@5", "mrr@5"] });
    expect(line.models[0].numCases!.test).toBeGreaterThanOrEqual(order.models[0].numCases!.test!);
    for (const name of ["order", "line"]) {
      const alone = await evaluateRecipe(withScenario(recipe(), name), { ...options, intervals: { resamples: 50 }, breakdown: true });
      expect(alone.scenarios).toBeUndefined();
      const same = all.scenarios!.find((one) => one.name === name)!;
      const figures = ({ label, metrics, estimates, comparison, breakdown }: (typeof alone.models)[number]) => ({
        label,
        metrics,
        estimates,
        comparison,
        breakdown,
      });
      expect(alone.models.map(figures)).toEqual(same.models.map(figures));
      expect(alone.champion).toBe(same.champion);
    }
    expect(all.champion).toBe(order.champion);
    expect(all.models.map(({ label, scenario }) => [label, scenario])).toEqual([
      ["popularity", "order"],
      ["als", "order"],
      ["markov", "line"],
    ]);
    const page = renderReport({ title: "Shop", recipe: recipe(), evaluation: all });
    expect(page).toMatch(/order: five for each order[\s\S]*precision@5[\s\S]*<h2>line<\/h2>[\s\S]*accuracy@5/);
  });

  test("is run as one: every model is saved once and answers, the first scenario's champion by default", async () => {
    const { recipe, options } = shop();
    const run = await runRecipe(recipe(), options);
    expect(run.result.models.map(({ version }) => typeof version)).toEqual(["string", "string", "string"]);
    expect(run.result.scenarios?.length).toBe(2);
    const service = await serveRun(run, { threads: 1 });
    expect(service.listModels().models.find((model) => model.default)?.name).toBe(run.result.champion);
    service.dispose();
    expect((await runRecipe(recipe(), options)).reused).toBe(true);
  });

  test("is tuned by one of them", async () => {
    const { recipe, options } = shop();
    const tuned = await tuneRecipe(recipe(), { ...options, scenario: "line", models: ["als"], trials: 2 });
    expect(tuned).toMatchObject({ metric: "accuracy@5", models: [{ label: "als", complete: 2 }] });
    expect((await tuneRecipe(recipe(), { ...options, models: ["als"], trials: 2 })).metric).toBe("precision@5");
    await expectError(tuneRecipe(recipe(), { ...options, scenario: "lines" }), "E_CONFIG", /no scenario "lines"[\s\S]*/);
  });

  test.each([
    ["evaluation: { question: line }", /evaluation\.question: there is no such key.*|questions/],
    ["evaluation: { questions: lines }", /evaluation\.questions is "lines"/],
    ["evaluation: { questions: basket, foldIn: [als] }", /evaluation\.foldIn: only questions about lines/],
    ["evaluation: { questions: line, foldIn: [asl] }", /evaluation\.foldIn\.0 is "asl"/],
    ["scenarios: [{ name: A }, { name: A }]", /scenarios\.1\.name: two scenarios are called A/],
    ["scenarios: [{ name: A, models: [asl] }]", /scenarios\.0\.models\.0 is "asl"/],
    ["scenarios: [{ name: A, evaluation: { metrics: [precison@5] } }]", /scenarios\.0\.evaluation\.metrics\.0: .*precison/],
    ["scenarios: [{ name: A, evaluation: { choose: mrr@5 } }]", /scenarios\.0\.evaluation\.choose is "mrr@5"/],
    ["scenarios: [{ name: A, evaluation: { metric: [mrr@5] } }]", /scenarios\.0\.evaluation\.metric: there is no such key/],
  ])("%s is refused with its place", (more, message) => {
    expect(() => shop(more).recipe()).toThrow(message);
  });
});
