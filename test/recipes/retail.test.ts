/**
 * recipes/retail.yaml on made-up invoices of the original's shape, from csv and from a workbook: cleaning, both scenarios against a
 * count by hand, and the answers of its routes over HTTP.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { fastRecipe } from "../../src/service/fast.js";
import type { Recipe } from "../../src/service/recipe/recipe.js";
import { csvText, writeSheet } from "../support/event-files.js";
import { type ServedRecipe, serveRecipe } from "../support/served-recipe.js";

const CSV = "online-retail/online_retail.csv.gz";
const WORKBOOK = "online-retail/Online Retail.xlsx";
const header = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];
const stockCode = (item: number) => (item % 6 === 0 ? `85123${String.fromCharCode(65 + (item % 20))}${item}` : `${20_000 + item}`);

interface Line {
  invoice: string;
  item: string;
  customer: string;
  time: Date;
}

/** 420 invoices from June to December: customers come back to their own items, one in five invoices has no customer. */
function invoices(): Line[] {
  const random = createRandom(1);
  const lines: Line[] = [];
  for (let i = 0; i < 420; i++) {
    const time = new Date(Date.UTC(2011, 5, 1, 9, 0) + i * 10.7 * 3_600_000);
    const customer = i % 5 === 4 ? "" : `${12_346 + random.integer(30)}`;
    const taste = customer === "" ? i % 3 : Number(customer) % 3;
    const size = 3 + random.integer(6);
    for (let l = 0; l < size; l++) {
      const item = Math.floor(40 * random.uniform() ** 3) + (random.uniform() < 0.5 ? 10 * taste : 0);
      lines.push({ invoice: `${536_365 + i}`, item: stockCode(Math.min(item, 44)), customer, time });
    }
  }
  return lines;
}

const kept = invoices();
/** A return every so often, which does not count. */
const rows = kept.flatMap((line, l) => {
  const { invoice, item, customer, time } = line;
  const cells = (no: string, quantity: number) => [no, item, `THING "${item}"`, String(quantity), time, "1.25", customer, "United Kingdom"];
  return l % 40 === 7 ? [cells(invoice, 2), cells(`C${invoice}`, -2)] : [cells(invoice, 2)];
});
const asText = (value: string | Date) => (value instanceof Date ? value.toISOString().slice(0, 19).replace("T", " ") : value);
const csv = gzipSync(csvText([header, ...rows.map((row) => row.map(asText))]));

/** Share of the month's lines that a list of five for each finds; `before` are the lines in the basket already. */
function popularByHand(from: string, until: string) {
  const [start, end] = [Date.parse(from), Date.parse(until)];
  const counts = new Map<string, number>();
  for (const { item, time } of kept) if (+time < start) counts.set(item, (counts.get(item) ?? 0) + 1);
  const best = [...counts].sort((a, b) => b[1] - a[1]);
  const month = kept.filter(({ time }) => +time >= start && +time < end);
  expect(best[4][1]).toBeGreaterThan(best[5][1]); // the five are certain
  const top = best.slice(0, 5).map(([item]) => item);
  const perInvoice = new Map<string, Line[]>();
  for (const line of month) perInvoice.set(line.invoice, [...(perInvoice.get(line.invoice) ?? []), line]);
  const hits = month.filter(({ item }) => top.includes(item)).length;
  let found = 0;
  for (const lines of perInvoice.values())
    for (const [l, { item }] of lines.entries()) {
      const before = new Set(lines.slice(0, l).map((line) => line.item));
      const open = best.filter(([one]) => !before.has(one)).slice(0, 5);
      const tied = open.at(-1)![1] === (best.filter(([one]) => !before.has(one))[5]?.[1] ?? 0);
      if (open.some(([one, count]) => one === item && !(tied && count === open.at(-1)![1]))) found++;
    }
  return { precision: hits / (5 * perInvoice.size), accuracy: found / month.length, invoices: perInvoice.size, lines: month.length };
}

let served: ServedRecipe;

beforeAll(async () => {
  served = await serveRecipe("retail", { [CSV]: csv }, {}, fastRecipe);
}, 120_000);

afterAll(() => served?.close());

describe("the recipe retail", () => {
  test("drops cancelled invoices and keeps those without a customer", () => {
    const { data } = served.run.result;
    expect(data.report.rejected.map(({ reason, count }) => [reason, count])).toEqual([["cancelled invoice", rows.length - kept.length]]);
    expect(data.report.rowsKept).toBe(kept.length);
    expect(data.numUsers).toBe(30);
  });

  test("asks by invoice and by line, as a count by hand does", () => {
    const [a, b] = served.run.result.scenarios!;
    const validation = popularByHand("2011-10-09", "2011-11-09");
    const hidden = popularByHand("2011-11-09", "2012-01-01");
    const popularity = (scenario: typeof a) => scenario.models.find(({ label }) => label === "popularity")!;
    expect(popularity(a).numCases).toEqual({ validation: validation.invoices, test: hidden.invoices });
    expect(popularity(b).numCases).toEqual({ validation: validation.lines, test: hidden.lines });
    expect(popularity(a).metrics.validation!["precision@5"]).toBeCloseTo(validation.precision, 12);
    expect(popularity(b).metrics.validation!["accuracy@5"]).toBeCloseTo(validation.accuracy, 12);
    expect(popularity(a).metrics.test!["precision@5"]).toBeCloseTo(hidden.precision, 12);
    expect(popularity(b).metrics.test!["accuracy@5"]).toBeCloseTo(hidden.accuracy, 12);
    expect(a.models.length).toBeGreaterThanOrEqual(10);
    expect(b.models.map(({ label }) => label)).toEqual(expect.arrayContaining(["markov", "lstm"]));
    for (const { metrics } of [...a.models, ...b.models])
      for (const part of ["validation", "test"] as const) expect(Object.values(metrics[part]!).every(Number.isFinite)).toBe(true);
  });

  test("answers for a customer, for a guest, and after the lines of an invoice", async () => {
    interface Items {
      items: string[];
    }
    interface Next {
      items: { item: string; title: string }[];
    }
    const codes = new Set(kept.map(({ item }) => item));
    const known = await served.ask<Items>("/for?customer=12350");
    expect(known.status).toBe(200);
    expect(known.body.items).toHaveLength(5);
    expect(new Set(known.body.items).size).toBe(5);
    for (const item of known.body.items) expect(codes.has(item)).toBe(true);
    expect((await served.ask<Items>("/for")).body.items).toHaveLength(5);

    const lines = kept.filter(({ invoice }) => invoice === kept[0].invoice).map(({ item }) => item);
    const next = await served.ask<Next>("/next", { customer: "12350", lines });
    expect(next.status).toBe(200);
    expect(next.body.items).toHaveLength(5);
    for (const { item, title } of next.body.items) {
      expect(lines).not.toContain(item);
      expect(title).toBe(`THING "${item}"`);
    }
    const [first, second] = [[stockCode(1)], [stockCode(12)]];
    const following = async (basket: string[]) => (await served.ask<Next>("/next", { lines: basket })).body.items.map(({ item }) => item);
    expect(await following(first)).not.toEqual(await following(second)); // a guest's list follows the basket

    const common = await served.ask<{ items: { itemId: string; source: string }[] }>("/v1/recommendations", {
      basket: first,
      model: "markov",
      topK: 5,
    });
    expect(common.body.items.map(({ itemId }) => itemId)).toEqual(await following(first));
    expect(common.body.items[0].source).toBe("markov");
    const wrong = await served.ask<{ detail: string }>("/next", { lines: ["no such thing"] });
    expect(wrong.status).toBe(400);
    expect(JSON.stringify(wrong.body)).toMatch(/lines names an unknown item/);
  });

  test("reads the workbook as it is downloaded, with the same figures", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tastemaker-test-"));
    const file = join(folder, "sheet.xlsx");
    const typed = rows.map(([no, item, title, quantity, time, price, customer, country]) => [
      ...[/^\d+$/.test(String(no)) ? Number(no) : no, /^\d+$/.test(String(item)) ? Number(item) : item, title, Number(quantity)],
      ...[time, Number(price), customer === "" ? "" : Number(customer), country],
    ]);
    await writeSheet([header, ...typed], file);
    const popular = (recipe: Recipe) => {
      const models = recipe.models.filter(({ label }) => label === "popularity");
      const scenarios = recipe.scenarios!.map((scenario) => ({
        ...scenario,
        models: ["popularity"],
        evaluation: { ...scenario.evaluation, foldIn: [] },
      }));
      return {
        ...recipe,
        source: { ...recipe.source, file: WORKBOOK },
        models,
        scenarios,
        serve: { ...recipe.serve, model: undefined, routes: [] },
      };
    };
    const other = await serveRecipe("retail", { [WORKBOOK]: readFileSync(file) }, {}, popular);
    try {
      const figures = (run: ServedRecipe) => run.run.result.scenarios!.map(({ models }) => models[0].metrics);
      expect(figures(other)).toEqual(figures(served));
      expect(other.run.result.data.report.rejected).toMatchObject([{ reason: "cancelled invoice", count: rows.length - kept.length }]);
    } finally {
      await other.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
