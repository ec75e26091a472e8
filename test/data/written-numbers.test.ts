import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ColumnSample, guessColumns } from "../../src/data/readers/guess-columns.js";
import { type ReadOptions, readDataset } from "../../src/data/readers/read-dataset.js";
import { expectError } from "../support/errors.js";

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tastemaker-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Reads one row per weight cell, written as it is; `kept` in the file's order. */
async function weights(cells: readonly string[], delimiter = ",", options: ReadOptions = {}, name = "data.csv") {
  const path = join(folder, `${files++}-${name}`);
  const jsonl = name.endsWith(".jsonl");
  const rows = jsonl
    ? cells.map((quantity, i) => JSON.stringify({ user: `u${i}`, item: `i${i}`, quantity }))
    : [["user", "item", "quantity"], ...cells.map((cell, i) => [`u${i}`, `i${i}`, cell])].map((row) => row.join(delimiter));
  writeFileSync(path, `${rows.join("\n")}\n`);
  const { interactions, report } = await readDataset(path, options);
  return {
    kept: [...interactions.weight],
    rejected: report.rejected.map(({ reason, count }) => `${count} ${reason}`),
    column: report.columns.weight,
    why: report.guessed.find(({ role }) => role === "weight format")?.why,
  };
}
const repeat = (n: number, ...cells: string[]) => Array.from({ length: n }, () => cells).flat();

describe("thousands and decimal marks of a weight column", () => {
  test.each<[string, string[], string, number[]]>([
    ["whole numbers and comma thousands", repeat(3, "12", '"1,234"'), ",", [12, 1234, 12, 1234, 12, 1234]],
    ["comma thousands and decimal points", repeat(2, '"1,234"', "999.50"), ",", [1234, 999.5, 1234, 999.5]],
    ["both marks, point last", repeat(2, '"1,234.50"', "12.25"), ",", [1234.5, 12.25, 1234.5, 12.25]],
    ["both marks, most values grouped", ['"1,234.50"', '"2,000.25"', '"12,345,678"'], ",", [1234.5, 2000.25, 12345678]],
    ["point thousands and decimal commas", ["1.234", "2,5"], ";", [1234, 2.5]],
    ["both marks, comma last", ["1.234,5", "7", "1.234.567"], ";", [1234.5, 7, 1234567]],
    ["a leading zero is no thousand", ["0,125", "1,234"], ";", [0.125, 1.2339999675750732]],
    ["four digits before the mark are no thousands", ["1234,567", "1,250"], ";", [1234.5670166015625, 1.25]],
    ["whole numbers and comma thousands between semicolons", ["12", "1,234"], ";", [12, 1234]],
    ["quoted decimal commas", ['"2,5"', '"1,250"', "4"], ",", [2.5, 1.25, 4]],
    ["a comma twice parts thousands", ['"1,234,567"', '"1,234"'], ",", [1234567, 1234]],
    ["signs and spaces", ['" +1,234 "', " 12 "], ",", [1234, 12]],
  ])("%s", async (_, cells, delimiter, expected) => {
    const { kept, rejected, column, why } = await weights(cells, delimiter);
    expect(column).toBe("quantity");
    expect(rejected).toEqual([]);
    expect(kept).toEqual(expected);
    expect(why).not.toMatch(/ambiguous/);
    expect(why).toMatch(/, because .*[1-9]/);
  });

  test("plain numbers and decimal points are not announced, and 1.234 is a fraction", async () => {
    expect(await weights(["1.234", "2", "1e3"])).toMatchObject({ kept: [1.2339999675750732, 2, 1000], why: undefined });
    expect(await weights(["1.234", "5.678"], ";")).toMatchObject({ kept: [1.2339999675750732, 5.677999973297119], why: undefined });
  });

  test("nothing but 1,234: a thousand in quotes and in JSON, a fraction between bare semicolons; announced as ambiguous", async () => {
    const quoted = await weights(['"1,234"', '"5,678"']);
    expect(quoted).toMatchObject({ kept: [1234, 5678], rejected: [] });
    expect(quoted.why).toMatch(/ambiguous.*1,234 is 1234/);
    expect(await weights(['"1,234"', '"5,678"'], ";")).toMatchObject({ kept: [1234, 5678] });
    expect(await weights(["1,234", "5,678"], "", {}, "data.jsonl")).toMatchObject({ kept: [1234, 5678], why: quoted.why });
    const bare = await weights(["1,250", "5,500"], ";");
    expect(bare).toMatchObject({ kept: [1.25, 5.5], rejected: [] });
    expect(bare.why).toMatch(/ambiguous.*1,234 is 1\.234/);
  });

  test("values that fit no reading are rejected, not bent", async () => {
    const point = await weights([...repeat(8, "12.25"), '"1,23"', '"1,234"', '"12,34.5"', "1.234.567"]);
    expect(point).toMatchObject({ kept: [...repeat(8, "12.25").map(Number), 1234], rejected: ["3 unreadable weight"] });
    const comma = await weights([...repeat(8, "2,5"), "12.25", "1.234", "1.2.3", "1,2,3"], ";", { columns: { weight: "quantity" } });
    expect(comma).toMatchObject({ kept: [2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 1234], rejected: ["3 unreadable weight"] });
    expect(comma.why).toMatch(/8 numbers .* though 1 can only/);
  });

  test("the whole column decides where its first rows leave it open", async () => {
    const late = await weights([...repeat(5_000, "1,250"), "2,5"], ";");
    expect([late.kept[0], late.kept.at(-1), late.rejected]).toEqual([1.25, 2.5, []]);
    const quoted = await weights([...repeat(5_000, '"1,250"'), "7"]);
    expect([quoted.kept[0], quoted.kept.at(-1), quoted.rejected]).toEqual([1250, 7, []]);
    expect(quoted.why).not.toMatch(/ambiguous/);
    const plain = await weights([...repeat(5_000, "12"), '"1,250"', '"2,5"']);
    expect([plain.kept[0], ...plain.kept.slice(-2), plain.rejected]).toEqual([12, 1.25, 2.5, []]);
    const first = await weights([...repeat(5_000, '"1,250"'), "7"], ",", { maxRows: 4_500 });
    expect(first.why).toMatch(/ambiguous/);
  });
});

test("hints name the flag and the option", async () => {
  const samples = (...names: string[]): ColumnSample[] => names.map((name) => ({ name, type: "text", values: ["a", "b"] }));
  await expectError(() => guessColumns(samples("alpha", "beta", "gamma")), "E_CONFIG", /Name it with --item COLUMN \(or columns\.item\)\./);
  await expectError(
    () => guessColumns(samples("item_id", "beta", "gamma")),
    "E_CONFIG",
    /Name it with --user COLUMN \(or columns\.user\), or a basket with --basket COLUMN \(or columns\.basket\)\./,
  );
});
