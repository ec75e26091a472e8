/** The HTML report of real runs: its numbers, its charts, and that nothing in it can be injected or asks for anything outside. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { parseRecipe } from "../../src/service/recipe/recipe.js";
import { linearAxis } from "../../src/service/report/axis.js";
import { dotChart, xyChart } from "../../src/service/report/charts.js";
import { html } from "../../src/service/report/html.js";
import { renderReport, writeReport } from "../../src/service/report/write-report.js";
import { tuneRecipe } from "../../src/service/tune/tune.js";
import { writeShop } from "../cli/tastemaker.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const HOSTILE = `<script>alert("1")</script>'&`;

function shop() {
  const folder = temporaryFolder();
  const file = writeShop(folder);
  writeFileSync(file, `${readFileSync(file, "utf8")}u1,p1,2024-03-01 10:00:00,<b>-5</b>,x\n`);
  const text = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at, weight: pieces } }
split: { test: { by: leave-last-out, perUser: 3 } }
models: [{ name: popularity }, { name: als, params: { factors: 4, iterations: 6 } }]
`;
  return {
    folder,
    recipe: parseRecipe(text, { file: join(folder, "shop.yaml") }),
    options: { workspace: join(folder, "work"), threads: 1 },
  };
}

async function judged() {
  const { recipe, options, folder } = shop();
  return {
    folder,
    recipe,
    options,
    evaluation: await evaluateRecipe(recipe, { ...options, intervals: { resamples: 200 }, breakdown: true }),
  };
}

describe("a report", () => {
  test("has the figures, their intervals, what they rest on, and no reference to anything outside", async () => {
    const { recipe, evaluation } = await judged();
    const text = renderReport({ title: "Shop", recipe, evaluation, createdAt: new Date("2026-01-02T03:04:05Z") });
    for (const { label, estimates } of evaluation.models) {
      expect(text).toContain(label);
      for (const { value, low, high } of Object.values(estimates!.test!)) {
        expect(text).toContain(value.toFixed(4));
        expect(text).toContain(`${low!.toFixed(4)} to ${high!.toFixed(4)}`);
      }
    }
    const { sha256, rowsKept, rowsRead } = evaluation.data.report;
    expect(text).toContain(sha256);
    expect(text).toContain(`${rowsKept.toLocaleString("en")} of ${rowsRead.toLocaleString("en")} rows kept, 1 rejected`);
    expect(text).toMatch(/Made by tastemaker \d+\.\d+\.\d+ on 2026-01-02 03:04 UTC/);
    expect(text).toMatch(/Seed of every fit: 42/);
    expect(text).toMatch(/ndcg@10 against coverage@10/);
    expect(text).toMatch(/als: loss in training/);
    expect(text).toMatch(/ndcg@10 by activity of the user/);
    expect(text).not.toMatch(/https?:|\/\/\w|<script|<link|<img|url\(|@import|NaN|undefined|\[object/);
  });

  test("escapes labels, names of lists, file names and values of rejected rows", async () => {
    const { recipe, evaluation } = await judged();
    expect(renderReport({ title: "Shop", evaluation })).toContain("&lt;b&gt;-5&lt;/b&gt;");
    const [first, ...others] = evaluation.models;
    const models = [{ ...first, label: HOSTILE, params: { [HOSTILE]: HOSTILE } }, ...others];
    const report = { ...evaluation.data.report, file: HOSTILE };
    const list = {
      label: HOSTILE,
      part: "test" as const,
      metrics: first.metrics.test!,
      numCases: 3,
      numWithoutList: 0,
      numDuplicates: 0,
      seconds: 1,
    };
    const lists = [{ ...list, report: {} as never }];
    const text = renderReport({
      title: HOSTILE,
      recipe: { ...recipe, title: HOSTILE },
      evaluation: { ...evaluation, champion: HOSTILE, models, lists, data: { ...evaluation.data, report } },
    });
    expect(text).not.toMatch(/<script/i);
    expect(text.split("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;").length).toBeGreaterThan(8);
  });

  test("shows a search: its trials, what mattered, and the YAML to paste", async () => {
    const { recipe, options } = shop();
    const tuning = await tuneRecipe(recipe, { ...options, trials: 12, models: ["als"], scheduler: "asha" });
    const text = renderReport({ title: "Search", recipe, tuning });
    expect(text).toContain(tuning.models[0].best.value.toFixed(4));
    expect(text).toMatch(/als: ndcg@10 of the trials/);
    expect(text).toMatch(/The recipe with all its defaults/);
    expect(text.match(/<title>trial \d+/g)!.length).toBeGreaterThanOrEqual(tuning.models[0].complete);
    expect(text).toMatch(/share of the trials&#39; ranks/);
    expect(text).not.toMatch(/NaN|undefined|\[object/);
  });

  test("leaves out what is not there", async () => {
    const { recipe, options } = shop();
    const evaluation = await evaluateRecipe({ ...recipe, split: {} }, options);
    const text = renderReport({ title: "Nothing held out", evaluation });
    expect(text).toMatch(/<h2>Data/);
    expect(text).not.toMatch(/is best by|<figure|NaN|undefined/);
    expect(renderReport({ title: "Empty" })).toMatch(/<h1>Empty<\/h1>/);
  });

  test("is written as a whole, and a folder that is not there is an error", async () => {
    const folder = temporaryFolder();
    await writeReport(join(folder, "report.html"), { title: "One" });
    await writeReport(join(folder, "report.html"), { title: "Two" });
    expect(readFileSync(join(folder, "report.html"), "utf8")).toMatch(/^<!doctype html>[\s\S]*<h1>Two<\/h1>[\s\S]*<\/html>\n$/);
    await expectError(writeReport(join(folder, "none", "report.html"), { title: "One" }), "E_NOT_FOUND", /no folder .*none/);
  });
});

describe("charts", () => {
  test.each<[number[], string[]]>([
    [
      [0.11, 0.42],
      ["0.1", "0.2", "0.3", "0.4", "0.5"],
    ],
    [
      [100_000, 250_000],
      ["100K", "150K", "200K", "250K"],
    ],
    [
      [-1, 1],
      ["-1.0", "-0.5", "0.0", "0.5", "1.0"],
    ],
  ])("the axis of %j has round ticks", (values, ticks) => {
    expect(linearAxis(values, [0, 100]).ticks.map(({ text }) => text)).toEqual(ticks);
  });

  test.each([[[3, 3]], [[0, 0]], [[1e-7, 3e-7]], [[-4, 1e6]], [[2.0001, 2.0002]]])("the axis of %j holds its values", (values) => {
    const { at, ticks } = linearAxis(values, [0, 100]);
    for (const value of values) expect(Math.abs(at(value) - 50)).toBeLessThan(50.01);
    expect(new Set(ticks.map(({ text }) => text)).size).toBe(ticks.length);
  });

  test("figures that are no numbers are left out, not drawn", () => {
    const dots = [
      { series: 0, value: Number.NaN, title: "none" },
      { series: 1, value: 0.5, low: null, high: null, title: "half" },
    ];
    const chart = dotChart([{ label: "a", dots }], { title: "t" }).markup;
    expect(chart.match(/<circle/g)).toHaveLength(1);
    const xy = xyChart({ title: "t", x: "x", y: "y", dots: [{ series: 0, x: 1, y: Number.NaN, title: "" }], lines: [] }).markup;
    expect(xy).not.toMatch(/<circle|NaN/);
  });

  test("templates escape text and keep markup", () => {
    expect(html`<p title="${'"'}">${["<", html`<b>${"&"}</b>`].map((part) => html`${part}`)}${undefined}${0}</p>`.markup).toBe(
      `<p title="&quot;">&lt;<b>&amp;</b>0</p>`,
    );
  });
});
