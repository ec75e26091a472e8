import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createIdMap } from "../../src/data/id-map.js";
import { readFeatureTable } from "../../src/data/readers/read-features.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

function tableFile(text: string, name = "items.csv"): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, text);
  return file;
}

const items = createIdMap(["b", "a", "missing"]);

describe("readFeatureTable", () => {
  test("aligns categories, numbers, texts and vectors to known ids", async () => {
    const file = tableFile("item,colour,price,about,x,y\na,red,3.5,deep and wide,1,2\nb,,,,3,\nother,blue,9,new,0,0\n");
    const { alignedTo, ids, report } = await readFeatureTable(file, "items", {
      features: {
        colour: { kind: "category" },
        price: { kind: "number" },
        words: { kind: "text", column: "about" },
        place: { kind: "vector", columns: ["x", "y"] },
      },
    });
    expect([...ids.ids()]).toEqual(["a", "b", "other"]);
    expect(report).toMatchObject({ rowsRead: 3, rowsKept: 3 });
    expect(alignedTo(items)).toEqual({
      numRows: 3,
      columns: {
        colour: { kind: "category", values: [null, "red", null] },
        price: { kind: "number", values: Float32Array.of(Number.NaN, 3.5, Number.NaN) },
        words: { kind: "text", values: [null, "deep and wide", null] },
        place: { kind: "vector", dimensions: 2, values: Float32Array.of(3, Number.NaN, 1, 2, Number.NaN, Number.NaN) },
      },
    });
  });

  test("takes the last value that is not empty of an id on several rows", async () => {
    const file = tableFile("sku;colour;price\na;red;1\na;;2\na;green;\n");
    const { alignedTo } = await readFeatureTable(file, "items", {
      id: "sku",
      features: { colour: { kind: "category" }, price: { kind: "number" } },
    });
    expect(alignedTo(createIdMap(["a"])).columns).toEqual({
      colour: { kind: "category", values: ["green"] },
      price: { kind: "number", values: Float32Array.of(2) },
    });
  });

  test("leaves out and counts rows whose number is none, and reads users of a file without header", async () => {
    const file = tableFile("7|24|M\n8|old|F\n9||F\n", "u.user");
    const { alignedTo, report } = await readFeatureTable(file, "users", {
      id: "column1",
      header: false,
      delimiter: "|",
      features: { age: { kind: "number", column: "column2" }, gender: { kind: "category", column: "column3" } },
    });
    expect(report.rejected).toMatchObject([{ count: 1, example: { line: 2 } }]);
    expect(alignedTo(createIdMap(["7", "8", "9"])).columns).toEqual({
      age: { kind: "number", values: Float32Array.of(24, Number.NaN, Number.NaN) },
      gender: { kind: "category", values: ["M", null, "F"] },
    });
  });

  test("says which column is missing", async () => {
    const file = tableFile("item,colour\na,red\n");
    await expectError(readFeatureTable(file, "items", { features: { color: { kind: "category" } } }), "E_CONFIG", /colo/);
    await expectError(readFeatureTable(file, "users", { features: { colour: { kind: "category" } } }), "E_CONFIG", /user/);
    await expectError(readFeatureTable(file, "items", { features: {} }), "E_CONFIG", /no column/);
    await expectError(readFeatureTable(file, "items", { features: { v: { kind: "vector" } } }), "E_CONFIG", /vector v/);
  });
});
