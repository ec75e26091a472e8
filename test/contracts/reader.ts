/**
 * What every reader must do, whatever the format: called with a function that writes rows of text cells as such a file.
 * A new format passes by one line in test/data/readers.test.ts.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ReadOptions, readDataset, readInteractions } from "../../src/data/readers/read-dataset.js";
import { expectError } from "../support/errors.js";

export interface ReaderUnderTest {
  format: "csv" | "parquet" | "jsonl" | "python" | "xlsx";
  /** With the dot, as files of the format are called. */
  extension: string;
  /** Writes the rows (first the names) so that empty cells are missing values. */
  write(rows: readonly (readonly string[])[], file: string): Promise<void>;
  /** Line of row i (from 0), as documented for the format. */
  line(i: number): number;
  /** A file of which the last third is missing must be refused with this message; undefined where a cut is a malformed last row. */
  cut?: RegExp;
}

const NAMES = ["order_id", "user_id", "item_id", "quantity", "created_at", "title", "price"];
const ROWS = [
  ["o1", "007", "i1", "2", "2024-03-01 10:00:00", "Lamp", "9.5"],
  ["o1", "007", "i2", "1", "2024-03-01 10:00:00", "Chair", "20"],
  ["o2", "Zoë 😀", 'say "hi"', "0.5", "2024-02-29T23:59:59Z", "Quote, comma", "1"],
  ["o2", "Zoë 😀", "two\nlines", "3", "2024-03-01T01:00:00+02:00", "Break", "2"],
  ["", "zoë 😀", "i1", "1", "2024-03-02", "Lamp (new)", "9.75"],
  ["o3", "007", "i1", "2", "2024-03-01 10:00:00", "", ""],
  ["o3", "007", "i1", "2", "2024-03-01 10:00:00", "", ""],
];

export function readerContract({ format, extension, write, line, cut }: ReaderUnderTest): void {
  describe(`reader of ${format} (${extension})`, () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "tastemaker-test-"));
    });
    afterAll(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    let files = 0;
    const file = async (rows: readonly (readonly string[])[], names = NAMES) => {
      const path = join(folder, `events-${files++}${extension}`);
      await write([names, ...rows], path);
      return path;
    };
    const read = async (rows: readonly (readonly string[])[], options?: ReadOptions) => readDataset(await file(rows), options);
    const bad = (change: Partial<Record<string, string>>) => ROWS[0].map((cell, i) => change[NAMES[i]] ?? cell);

    test("ids, order, times, weights, baskets and properties come out as they went in", async () => {
      const path = await file(ROWS);
      const { interactions, itemProperties, report } = await readDataset(path);
      expect(report.columns).toEqual({ user: "user_id", item: "item_id", timestamp: "created_at", weight: "quantity", basket: "order_id" });
      expect(report.guessed.map(({ role }) => role)).toEqual(expect.arrayContaining(["user", "item", "timestamp", "weight", "basket"]));
      for (const { why } of report.guessed) expect(why).not.toBe("");
      expect([...interactions.users.ids()]).toEqual(["007", "Zoë 😀", "zoë 😀"]);
      expect([...interactions.items.ids()]).toEqual(["i1", "i2", 'say "hi"', "two\nlines"]);
      expect([...interactions.userIndex]).toEqual([0, 0, 1, 1, 2, 0, 0]);
      expect([...interactions.itemIndex]).toEqual([0, 1, 2, 3, 0, 0, 0]);
      expect([...interactions.weight]).toEqual([2, 1, 0.5, 3, 1, 2, 2]);
      expect([...interactions.basket!]).toEqual([0, 0, 1, 1, -1, 2, 2]);
      expect(Array.from(interactions.timestamp!, (time) => new Date(time).toISOString())).toEqual([
        "2024-03-01T10:00:00.000Z",
        "2024-03-01T10:00:00.000Z",
        "2024-02-29T23:59:59.000Z",
        "2024-02-29T23:00:00.000Z",
        "2024-03-02T00:00:00.000Z",
        "2024-03-01T10:00:00.000Z",
        "2024-03-01T10:00:00.000Z",
      ]);
      expect(itemProperties).toEqual({ title: ["Lamp (new)", "Chair", "Quote, comma", "Break"], price: [9.75, 20, 1, 2] });
      expect([report.format, report.rowsRead, report.rowsKept, report.rejected]).toEqual([format, 7, 7, []]);
      expect(report.sha256).toBe(createHash("sha256").update(readFileSync(path)).digest("hex"));
      expect(interactions.users.indexOf("zoë 😀")).toBe(2);
      expect((await readInteractions(path)).userIndex).toEqual(interactions.userIndex);
    });

    test("each rejected row is counted under one reason with an example and its line, and written to the rejects file", async () => {
      const rows = [
        ROWS[0],
        bad({ user_id: "" }),
        bad({ user_id: " \t" }),
        bad({ item_id: "  " }),
        ROWS[1],
        bad({ created_at: "yesterday" }),
        bad({ created_at: "" }),
        bad({ quantity: "many" }),
        bad({ quantity: "" }),
        bad({ quantity: "NaN" }),
        bad({ quantity: "Infinity" }),
        bad({ quantity: "1e300" }),
        bad({ quantity: "-3" }),
        bad({ order_id: "C9", quantity: "-4" }),
        ROWS[2],
        ROWS[3],
        ...Array.from({ length: 60 }, () => ROWS[1]),
      ];
      const rejectsFile = join(folder, "rejects.csv");
      const { report, interactions } = await read(rows, { drop: [{ reason: "return", where: "order_id LIKE 'C%'" }], rejectsFile });
      expect(report.rejected.map(({ reason, count, example }) => [reason, count, example.line])).toEqual([
        ["return", 1, line(13)],
        ["no user", 2, line(1)],
        ["no item", 1, line(3)],
        ["no time", 1, line(6)],
        ["unreadable time", 1, line(5)],
        ["no weight", 1, line(8)],
        ["unreadable weight", 1, line(7)],
        ["weight not finite", 3, line(9)],
        ["negative weight", 1, line(12)],
      ]);
      expect(report.rejected.find(({ reason }) => reason === "unreadable time")!.example.value).toBe("yesterday");
      const lost = report.rejected.reduce((sum, { count }) => sum + count, 0);
      expect(report.rowsRead).toBe(rows.length);
      expect(report.rowsKept + lost).toBe(rows.length);
      expect(interactions.numInteractions).toBe(report.rowsKept);
      const written = (await readDataset(rejectsFile, { columns: { user: "reason", item: "line", weight: null, timestamp: null } }))
        .interactions;
      expect(written.numInteractions).toBe(lost);
      expect([...written.items.ids()].map(Number)).toEqual([1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13].map(line));
      expect(readdirSync(folder).filter((name) => name.includes("rejects"))).toEqual(["rejects.csv"]);
    });

    test("drop rules may compare numbers, see only this file, and say what is wrong with them", async () => {
      const { report } = await read(ROWS, { drop: [{ reason: "small", where: "quantity < 1 AND item_id LIKE 'say%' -- why not" }] });
      expect(report.rejected.map(({ reason, count }) => [reason, count])).toEqual([["small", 1]]);
      const path = await file(ROWS);
      const drop = (where: string) => readDataset(path, { drop: [{ reason: "x", where }] });
      await expectError(drop("quantty < 1"), "E_CONFIG", /quantty.*quantity/s);
      await expectError(drop("quantity <"), "E_CONFIG", /drop rule "x".*yntax/s);
      await expectError(drop("quantity"), "E_CONFIG", /not true or false/);
      await expectError(drop("(SELECT count(*) FROM read_text('/etc/hostname')) > 0"), "E_CONFIG", /disabled by configuration|Permission/);
    });

    test("options: unknown users, no weight, default weight, fewer rows, properties", async () => {
      const rows = [...ROWS, bad({ user_id: "" }), bad({ quantity: "" })];
      const { interactions, itemProperties, report } = await read(rows, {
        keepUnknownUsers: true,
        columns: { weight: null, basket: null },
        itemProperties: { name: "TITLE" },
      });
      expect(interactions.numInteractions).toBe(9);
      expect(interactions.userIndex[7]).toBe(-1);
      expect([...interactions.weight]).toEqual(Array(9).fill(1));
      expect(interactions.basket).toBeUndefined();
      expect(Object.keys(itemProperties)).toEqual(["name"]);
      expect(report.guessed.map(({ role }) => role)).toEqual(["user", "item", "timestamp", "timestamp format"]);
      expect((await read(rows, { keepUnknownUsers: true, weightDefault: 4 })).interactions.weight[8]).toBe(4);
      expect((await read(rows, { maxRows: 3 })).report).toMatchObject({ rowsRead: 3, rowsKept: 3 });
    });

    test("one user, one item, one row", async () => {
      const { interactions } = await read([ROWS[0]]);
      expect([interactions.numUsers, interactions.numItems, interactions.numInteractions]).toEqual([1, 1, 1]);
    });

    test("rows that are all rejected are an error that lists the reasons", async () => {
      await expectError(
        read([bad({ user_id: "" }), bad({ quantity: "-1" })]),
        "E_DATA",
        /None of the 2 rows.*no user \(1, first in line.*negative weight \(1/,
      );
    });

    test("a missing column is an error with the nearest names, an unguessable one with all of them", async () => {
      const path = await file(ROWS);
      await expectError(readDataset(path, { columns: { user: "usr_id" } }), "E_CONFIG", /no column "usr_id".*Did you mean user_id/s);
      await expectError(readDataset(path, { itemProperties: { brand: "brand" } }), "E_CONFIG", /no column "brand"/);
      const odd = await file(
        [
          ["x", "y", "z"],
          ["u", "w", "v"],
        ],
        ["alpha", "beta", "gamma"],
      );
      await expectError(readDataset(odd), "E_CONFIG", /"alpha", "beta", "gamma".*columns\.item/s);
    });

    test("a file cut in the middle is refused or its last row is counted as malformed", async () => {
      const path = await file(
        Array.from({ length: 400 }, (_, i) => ROWS[i % 2].map((cell, c) => (c === 1 ? `${cell}-${(i * 7919) % 400}` : cell))),
      );
      truncateSync(path, Math.floor((readFileSync(path).length * 2) / 3) - 3);
      if (cut) await expectError(readDataset(path), "E_DATA", cut);
      else {
        const { report } = await readDataset(path);
        expect(report.rejected.map(({ reason, count }) => [reason, count])).toEqual([["malformed row", 1]]);
      }
    });

    test("binary garbage is refused", async () => {
      const path = join(folder, `garbage${extension}`);
      writeFileSync(path, Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3) * 31) % 256)));
      await expectError(readDataset(path), "E_DATA");
    });

    test("abort stops the reading and leaves no temporary folder", async () => {
      const path = await file(ROWS);
      const aborted = AbortSignal.abort();
      await expectError(readDataset(path, { signal: aborted }), "E_CANCELLED");
      const controller = new AbortController();
      const tempFolder = mkdtempSync(join(folder, "temp-"));
      const work = readDataset(path, { signal: controller.signal, tempFolder, onProgress: () => controller.abort() });
      await expectError(work, "E_CANCELLED");
      expect(readdirSync(tempFolder)).toEqual([]);
    });

    test("progress ends where it said it would, and the temporary folder is gone", async () => {
      const steps: { stage: string; done: number; total: number }[] = [];
      const tempFolder = mkdtempSync(join(folder, "temp-"));
      await readDataset(await file(ROWS), { onProgress: (progress) => steps.push(progress), tempFolder });
      expect(steps.length).toBeGreaterThan(1);
      for (const { done, total } of steps) expect(done).toBeLessThanOrEqual(total);
      expect(steps.at(-1)).toEqual({ stage: "reading", done: ROWS.length, total: ROWS.length });
      expect(readdirSync(tempFolder)).toEqual([]);
    });
  });
}
