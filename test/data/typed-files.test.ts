import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeXlsx } from "hucre/xlsx";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ReadOptions, readDataset } from "../../src/data/readers/read-dataset.js";
import { expectError } from "../support/errors.js";
import { runSql, writeSheet } from "../support/event-files.js";

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tastemaker-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const pathOf = (extension: string) => join(folder, `data-${files++}${extension}`);
const iso = (times: Float64Array | undefined) => Array.from(times!, (time) => new Date(time).toISOString());

async function csv(lines: string[], options?: ReadOptions) {
  const path = pathOf(".csv");
  writeFileSync(path, `${lines.join("\n")}\n`);
  return readDataset(path, options);
}

describe("Parquet", () => {
  const parquet = async (select: string, options?: ReadOptions) => {
    const path = pathOf(".parquet");
    await runSql(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
    return readDataset(path, options);
  };

  test("typed columns become texts, times and weights", async () => {
    const { interactions, report, itemProperties } = await parquet(
      `SELECT * FROM (VALUES
        (17850.0::DOUBLE, 7::BIGINT, TIMESTAMP '2010-12-01 08:26:00', 6::INTEGER, 2.55::DECIMAL(6,2)),
        (NULL, 8, TIMESTAMP '2010-12-01 08:27:00', 1, 3),
        ('NaN', 8, TIMESTAMP '2010-12-01 08:27:00', 1, 3),
        (17851.5, 123456789012345678, TIMESTAMP '2010-12-01 08:28:00.5', 2, NULL)) AS t(customer_id, product_id, created_at, quantity, price)`,
    );
    expect([...interactions.users.ids()]).toEqual(["17850", "17851.5"]);
    expect([...interactions.items.ids()]).toEqual(["7", "123456789012345678"]);
    expect(iso(interactions.timestamp)).toEqual(["2010-12-01T08:26:00.000Z", "2010-12-01T08:28:00.500Z"]);
    expect([...interactions.weight]).toEqual([6, 2]);
    expect(itemProperties.price).toEqual([2.55, null]);
    expect(report.rejected.map(({ reason, count, example }) => [reason, count, example.line])).toEqual([["no user", 2, 2]]);
  });

  test.each([
    ["DATE '2010-12-01'", "2010-12-01T00:00:00.000Z"],
    ["TIMESTAMPTZ '2010-12-01 08:26:00+02'", "2010-12-01T06:26:00.000Z"],
    ["TIMESTAMP_NS '2010-12-01 08:26:00.123456789'", "2010-12-01T08:26:00.123Z"],
    ["TIMESTAMP_MS '2010-12-01 08:26:00.123'", "2010-12-01T08:26:00.123Z"],
    ["1291191960::BIGINT", "2010-12-01T08:26:00.000Z"],
    ["1291191960123::BIGINT", "2010-12-01T08:26:00.123Z"],
    ["'2010-12-01T08:26:00Z'", "2010-12-01T08:26:00.000Z"],
  ])("time column of %s", async (value, expected) => {
    const { interactions } = await parquet(`SELECT 'u' AS user, 'i' AS item, ${value} AS time`);
    expect(iso(interactions.timestamp)).toEqual([expected]);
  });

  test("row order is kept over row groups and threads, long ids included", async () => {
    const path = pathOf(".parquet");
    await runSql(
      `COPY (SELECT 'customer-' || lpad((range % 5000)::VARCHAR, 12, '0') AS user, range % 77 AS item, range AS rating FROM range(300000)) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 10000)`,
    );
    const { interactions } = await readDataset(path, { threads: 3 });
    expect(interactions.numUsers).toBe(5000);
    let wrong = 0;
    for (let e = 0; e < 300_000; e++) if (interactions.weight[e] !== e || interactions.userIndex[e] !== e % 5000) wrong++;
    expect(wrong).toBe(0);
    expect(interactions.users.idOf(4999)).toBe("customer-000000004999");
  });

  test("no rows", async () => {
    await expectError(parquet("SELECT 'u' AS user, 'i' AS item WHERE false"), "E_DATA", /holds no rows/);
  });
});

describe("XLSX", () => {
  test("date and number cells, blank rows, row numbers of the sheet", async () => {
    const path = pathOf(".xlsx");
    await writeSheet(
      [
        ["CustomerID", "StockCode", "InvoiceDate", "Quantity"],
        [17850, "85123A", new Date(Date.UTC(2010, 11, 1, 8, 26)), 6],
        [],
        ["00017", 22423, new Date(Date.UTC(2011, 0, 31)), 0.5],
        [17850, null, new Date(Date.UTC(2011, 0, 31)), 1],
      ],
      path,
    );
    const { interactions, report } = await readDataset(path);
    expect([...interactions.users.ids()]).toEqual(["17850", "00017"]);
    expect([...interactions.items.ids()]).toEqual(["85123A", "22423"]);
    expect(iso(interactions.timestamp)).toEqual(["2010-12-01T08:26:00.000Z", "2011-01-31T00:00:00.000Z"]);
    expect(report.rejected).toEqual([{ reason: "no item", count: 1, example: { line: 5, value: "17850, , 2011-01-31T00:00:00.000Z, 1" } }]);
  });

  test("sheets by name and number", async () => {
    const path = pathOf(".xlsx");
    const sheet = (name: string, user: string) => ({
      name,
      rows: [
        ["user", "item"],
        [user, "i"],
      ],
    });
    writeFileSync(path, await writeXlsx({ sheets: [sheet("first", "a"), sheet("second", "b")] }));
    const userOf = async (options: ReadOptions) => (await readDataset(path, options)).interactions.users.idOf(0);
    expect([await userOf({}), await userOf({ sheet: 1 }), await userOf({ sheet: "second" })]).toEqual(["a", "b", "b"]);
    await expectError(readDataset(path, { sheet: "third" }), "E_CONFIG", /no sheet "third"/);
  });

  test("an empty sheet and a header alone", async () => {
    for (const [rows, message] of [
      [[], /is empty/],
      [[["user", "item"]], /only a header/],
    ] as const) {
      const path = pathOf(".xlsx");
      await writeSheet(rows, path);
      await expectError(readDataset(path), "E_DATA", message);
    }
  });
});

describe("JSON", () => {
  const json = async (text: string, options?: ReadOptions) => {
    const path = pathOf(".json");
    writeFileSync(path, text);
    return readDataset(path, options);
  };

  test("malformed and blank lines keep the numbering, keys may come late, numbers and booleans become text", async () => {
    const { interactions, report } = await json(
      [
        '{"user": 7, "item": true}',
        "",
        '{"user": "u2", "item": ',
        "[1]",
        '{"item": "i2"}',
        '{"user": "ü\\u0041", "item": {"id": 3}, "rating": 2.5}',
      ].join("\n"),
      { columns: { weight: "rating" }, weightDefault: 1 },
    );
    expect([...interactions.users.ids()]).toEqual(["7", "üA"]);
    expect([...interactions.items.ids()]).toEqual(["true", '{"id":3}']);
    expect([...interactions.weight]).toEqual([1, 2.5]);
    expect(report.rejected).toEqual([
      { reason: "malformed row", count: 2, example: { line: 3, value: '{"user": "u2", "item": ' } },
      { reason: "no user", count: 1, example: { line: 5, value: '{"item": "i2"}' } },
    ]);
    expect(report.rowsRead).toBe(5);
  });

  test("an array of objects, whole and cut", async () => {
    const { interactions } = await json('[{"user": "a", "item": "x"},\n {"user": "b", "item": "y"}]');
    expect([...interactions.users.ids()]).toEqual(["a", "b"]);
    await expectError(json('[{"user": "a", "item": "x"},\n {"user": "b", "it'), "E_DATA", /cannot be read|cut/);
  });

  test("lines that are no objects", async () => {
    await expectError(json("{broken\n", { format: "jsonl" }), "E_DATA", /holds no JSON objects/);
  });
});

describe("times in text", () => {
  test.each([
    ["12/1/2010 8:26", "2010-12-01T08:26:00.000Z", /ambiguous/],
    ["13/1/2010 8:26", "2010-01-13T08:26:00.000Z", /first number goes up to 13|day\/month/],
    ["1/13/2010 8:26:05", "2010-01-13T08:26:05.000Z", /month\/day/],
    ["01.12.2010", "2010-12-01T00:00:00.000Z", /ambiguous/],
    ["1/13/10 8:26 PM", "2010-01-13T20:26:00.000Z", /month\/day/],
    ["2010-12-01 08:26", "2010-12-01T08:26:00.000Z", /ISO/],
    ["2010-12-01T08:26:00.250+01:30", "2010-12-01T06:56:00.250Z", /ISO/],
    ["2010-12-01 08:26:00 UTC", "2010-12-01T08:26:00.000Z", /ISO/],
    ["2010-12-01 08:26:00 -0500", "2010-12-01T13:26:00.000Z", /ISO/],
    ["1-Dec-2010 08:26", "2010-12-01T08:26:00.000Z", /%d-%b-%Y/],
    ["Dec 1, 2010", "2010-12-01T00:00:00.000Z", /%b %d, %Y/],
    ["Wed, 01 Dec 2010 08:26:00 +0200", "2010-12-01T06:26:00.000Z", /%z/],
    ["1291191960", "2010-12-01T08:26:00.000Z", /^seconds/],
    ["1291191960.5", "2010-12-01T08:26:00.500Z", /^seconds/],
    ["1291191960500", "2010-12-01T08:26:00.500Z", /milliseconds/],
    ["1291191960500000", "2010-12-01T08:26:00.500Z", /microseconds/],
    ["20101201", "2010-12-01T00:00:00.000Z", /20111209/],
    ["40513.3513888889", "2010-12-01T08:26:00.000Z", /spreadsheet/],
  ])("%s", async (text, expected, why) => {
    const { interactions, report } = await csv(["user;item;date", `u;i;${text}`]);
    expect(iso(interactions.timestamp)).toEqual([expected]);
    expect(report.guessed.find(({ role }) => role === "timestamp format")!.why).toMatch(why);
  });

  test("day and month order follows the whole column, beyond the sample, and can be told", async () => {
    const lines = [
      "user,item,date",
      ...Array.from({ length: 12_000 }, (_, i) => `u,i,${(i % 12) + 1}/${(i % 12) + 1}/2010`),
      "u,i,31/1/2010",
    ];
    const { interactions, report } = await csv(lines);
    expect(report.rejected).toEqual([]);
    expect(iso(interactions.timestamp).at(-1)).toBe("2010-01-31T00:00:00.000Z");
    expect(report.guessed.find(({ role }) => role === "timestamp format")!.why).toMatch(/first number goes up to 31/);
    const told = await csv(["user,item,date", "u,i,12/1/2010"], { timeFormat: "dmy" });
    expect(iso(told.interactions.timestamp)).toEqual(["2010-01-12T00:00:00.000Z"]);
    const pattern = await csv(["user,item,date", "u,i,2010w12d1"], { timeFormat: "%Yw%md%d", columns: { timestamp: "date" } });
    expect(iso(pattern.interactions.timestamp)).toEqual(["2010-12-01T00:00:00.000Z"]);
    await expectError(csv(["user,item,date", "u,i,12/1/2010"], { timeFormat: "ymd" }), "E_CONFIG", /time format/);
  });

  test("impossible dates are rejected, not bent", async () => {
    const { report } = await csv([
      "user,item,date",
      "u,i,2010-02-30",
      "u,i,2010-02-28",
      "u,i,infinity",
      "u,i,2010-13-01",
      "u,i,2010-12-01 25:00:00",
      ...Array(30).fill("u,i,2011-01-01"),
    ]);
    expect(report.rejected.map(({ reason, count }) => [reason, count])).toEqual([["unreadable time", 4]]);
  });
});
