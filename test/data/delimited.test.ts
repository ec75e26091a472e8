import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RecordCounter } from "../../src/data/readers/count-records.js";
import { type ReadOptions, readDataset } from "../../src/data/readers/read-dataset.js";
import { detectDialect } from "../../src/data/readers/text-dialect.js";
import { expectError } from "../support/errors.js";
import { csvText } from "../support/event-files.js";

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tastemaker-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(content: string | Uint8Array, name = "data.csv"): string {
  const path = join(folder, `${files++}-${name}`);
  writeFileSync(path, content);
  return path;
}
const read = (content: string | Uint8Array, options?: ReadOptions, name?: string) => readDataset(file(content, name), options);

describe("dialects", () => {
  test.each([
    ["semicolons, decimal commas", "user;item;rating\nu1;i1;3,5\nu2;i2;4,0\n", 3.5],
    ["tabs", "user\titem\trating\nu1\ti1\t3.5\nu2\ti2\t4\n", 3.5],
    ["bars", "user|item|rating\nu1|i1|3.5\n", 3.5],
    ["double colons", "u1::i1::3.5::978300760\nu2::i2::4::978300761\nu2::i1::4::978300762\n", 3.5],
    ["control characters", "user\x01item\x01rating\nu1\x01i1\x013.5\n", 3.5],
    ["carriage returns and a byte order mark", "\ufeffuser,item,rating\r\nu1,i1,3.5\r\nu2,i2,4\r\n", 3.5],
    ["old line ends", "user,item,rating\ru1,i1,3.5\ru2,i2,4\r", 3.5],
    ["backslash escapes", 'user,item,rating\n"u1","a \\"b\\", c",3.5\n"u2","i2",4\n"u2","i3",4\n', 3.5],
    ["single quotes", "user,item,rating\n'u1','i1',3.5\n'u2','a,b',4\n'u3','i3',4\n", 3.5],
    ["quotes that are none", 'user\titem\trating\nu1\ti1\t3.5\nu2\t"Heroes" live\t4\nu2\t12" single\t4\n', 3.5],
    ["blank lines", "user,item,rating\n\nu1,i1,3.5\n\nu2,i2,4\n\n", 3.5],
  ])("%s", async (_, content, weight) => {
    const { interactions, report } = await read(content);
    expect(report.rejected).toEqual([]);
    expect(interactions.users.idOf(0)).toBe("u1");
    expect(interactions.weight[0]).toBeCloseTo(weight, 5);
    expect(interactions.numInteractions).toBe(
      content.split(/[\r\n]+/).filter((line) => line.trim() !== "").length - (content.includes("user") ? 1 : 0),
    );
  });

  test("a delimiter can be named, a wrong one is refused", async () => {
    const { interactions } = await read("user#item\nu1#i,1\nu2#i,2\n", { delimiter: "#" });
    expect([...interactions.items.ids()]).toEqual(["i,1", "i,2"]);
    await expectError(read("user,item\nu,i\n", { delimiter: "" }), "E_CONFIG", /delimiter/);
    await expectError(read("user,item\nu,i\n", { delimiter: "abcde" }), "E_CONFIG", /delimiter/);
  });

  test("other encodings are recognised and announced", async () => {
    const text = "user,item\nJosé,crème\nJosé,brûlée\n";
    for (const [bytes, encoding] of [
      [Buffer.from(text, "latin1"), "windows-1252"],
      [Buffer.from(`\ufeff${text}`, "utf16le"), "utf-16le"],
      [Buffer.from(`\ufeff${text}`, "utf16le").swap16(), "utf-16be"],
    ] as const) {
      const { interactions, report } = await read(bytes);
      expect([...interactions.users.ids()]).toEqual(["José"]);
      expect([...interactions.items.ids()]).toEqual(["crème", "brûlée"]);
      expect(report.guessed.find(({ role }) => role === "encoding")!.why).toContain(encoding);
    }
    const { interactions } = await read(gzipSync(Buffer.from(text, "latin1")), {}, "data.csv.gz");
    expect([...interactions.users.ids()]).toEqual(["José"]);
  });

  test("one broken character in UTF-8 is a malformed row, not another encoding", async () => {
    const good = Array.from({ length: 30 }, (_, i) => `José ${i},crème\n`).join("");
    const { report, interactions } = await read(
      Buffer.concat([Buffer.from(`user,item\n${good}`), Buffer.from([0x61, 0xff, 0x2c, 0x62, 0x0a])]),
    );
    expect(report.rejected.map(({ reason, count, example }) => [reason, count, example.line])).toEqual([["malformed row", 1, 32]]);
    expect(interactions.users.idOf(0)).toBe("José 0");
  });

  test("headers are told from rows", () => {
    const header = (text: string) => detectDialect(text, true, {}).header;
    expect(header("196\t242\t3\t881250949\n186\t302\t3\t891717742\n")).toBe(false);
    expect(header("alice,apple\nbob,apple\nalice,pear\n")).toBe(false);
    expect(header("alpha,beta\n1,2\n3,4\n")).toBe(true);
    expect(header("who,what\nalice,apple\nbob,pear\n")).toBe(true);
    expect(header("user_id,item_id\n")).toBe(true);
    expect(detectDialect(",UID,rating,UID\n0,1,2,3\n", true, {}).columns).toEqual(["column1", "UID", "rating", "UID_2"]);
    expect(detectDialect("user,item\nu,i\n", true, { header: false }).columns).toEqual(["column1", "column2"]);
  });

  test("any ids survive any delimiter", async () => {
    const id = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
      .filter((text) => text.trim() !== "" && !/[\0\ufeff\ufffd\r]|^\p{Cs}/u.test(text));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(id, id), { minLength: 1, maxLength: 30 }),
        fc.constantFrom(",", ";", "\t", "|"),
        async (rows, delimiter) => {
          const { interactions, report } = await read(csvText([["user_id", "item_id"], ...rows], delimiter), { delimiter, header: true });
          expect(report.rejected).toEqual([]);
          expect(Array.from(interactions.userIndex, (index) => interactions.users.idOf(index))).toEqual(rows.map(([user]) => user));
          expect(Array.from(interactions.itemIndex, (index) => interactions.items.idOf(index))).toEqual(rows.map(([, item]) => item));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("malformed rows", () => {
  test("are counted once each, with lines that agree with those of other rejected rows", async () => {
    const lines = [
      "user,item,rating",
      "u1,i1,1",
      "u2,i2",
      "u3,i3,3,3",
      ",i4,4",
      '"u"x,i5,5',
      "u6,i6,6",
      "u7",
      "u8,,8",
      'u9,"a\nb",9',
      "u10,,10",
    ];
    const rejectsFile = join(folder, "rejects.csv");
    const { report } = await read(`${lines.join("\n")}\n`, { rejectsFile, header: true, delimiter: "," });
    expect(report.rejected).toEqual([
      { reason: "malformed row", count: 4, example: { line: 3, value: "u2,i2" } },
      { reason: "no user", count: 1, example: { line: 5, value: ", i4, 4" } },
      { reason: "no item", count: 2, example: { line: 9, value: "u8, , 8" } },
    ]);
    expect([report.rowsRead, report.rowsKept]).toEqual([10, 3]);
    const rejects = await readDataset(rejectsFile, {
      columns: { user: "reason", item: "line", weight: null },
      itemProperties: { raw: "raw text" },
    });
    expect([...rejects.interactions.items.ids()]).toEqual(["3", "4", "5", "6", "8", "9", "11"]);
    expect(rejects.itemProperties.raw).toEqual(["u2,i2", "u3,i3,3,3", null, '"u"x,i5,5', "u7", null, null]);
  });

  test("nothing disappears, whatever is wrong where", async () => {
    const line = fc.constantFrom(
      "u1,i1,1",
      "u2,i2",
      "u3,i3,3,3",
      ",i4,4",
      "u6,,6",
      "u7,i7,x",
      "u8,i8,-1",
      "a,b,c,d,e,f",
      '"u"x,i9,9',
      '"u,9","i9",9',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 60 }), async (body) => {
        const lines = ["user,item,rating", "u0,i0,0.5", ...body];
        const { report } = await read(lines.join("\n"), { delimiter: ",", quote: '"', header: true, columns: { weight: "rating" } });
        const fieldsOf = (text: string) => (text.startsWith('"u"x') ? [] : text.replace('"u,9"', "u 9").split(","));
        const expected = (test: (fields: string[]) => boolean) => body.filter((text) => test(fieldsOf(text))).length;
        const count = (reason: string) => report.rejected.find((rejected) => rejected.reason === reason)?.count ?? 0;
        expect(count("malformed row")).toBe(expected((fields) => fields.length !== 3));
        expect(count("no user")).toBe(expected((fields) => fields.length === 3 && fields[0] === ""));
        expect(count("no item")).toBe(expected((fields) => fields.length === 3 && fields[0] !== "" && fields[1] === ""));
        expect(count("unreadable weight")).toBe(expected(([, , weight]) => weight === "x"));
        expect(count("negative weight")).toBe(expected(([, , weight]) => weight === "-1"));
        expect(report.rowsRead).toBe(body.length + 1);
        expect(report.rowsKept + report.rejected.reduce((sum, { count }) => sum + count, 0)).toBe(report.rowsRead);
        for (const { reason, example } of report.rejected)
          if (reason === "malformed row") expect(fieldsOf(lines[example.line - 1]).length).not.toBe(3);
          else
            expect(
              lines[example.line - 1]
                .split(",")
                .map((cell) => cell)
                .join(", "),
            ).toContain(example.value);
      }),
      { numRuns: 40 },
    );
  });

  test("lines stay right far into a large file, and order with them", async () => {
    const rows = 300_000;
    const bad = new Set([7, 100_000, 200_001, 299_998]);
    const body = Array.from({ length: rows }, (_, i) =>
      bad.has(i) ? `u${i},broken` : i === 250_000 ? `,i1,${i}` : `u${i},"i${i % 7}\n${i % 5}",${i}`,
    );
    const { report, interactions } = await read(`user,item,rating\n${body.join("\n")}\n`);
    expect(report.rejected.map(({ reason, count, example }) => [reason, count, example.line])).toEqual([
      ["malformed row", 4, 9],
      ["no user", 1, 250_002],
    ]);
    expect(interactions.numInteractions).toBe(rows - 5);
    for (let e = 1; e < interactions.numInteractions; e++)
      if (interactions.weight[e] <= interactions.weight[e - 1]) throw new Error(`row ${e} is out of order`);
  });

  test("rows that an open quote swallows in the middle are missed, not lost", async () => {
    const lines = (opened: string, closed: string) =>
      [
        "user,item",
        ...Array.from({ length: 2000 }, (_, i) => (i === 500 ? `u500,"${opened}` : i === 1500 ? `u1500,${closed}` : `u${i},i${i}`)),
        "",
      ].join("\n");
    await expectError(read(lines("open", "i1500")), "E_DATA", /cut off.*record 502/);
    for (const closed of ['"i1500"', '"a ""b"" c"', 'i"1500']) {
      let rows = 0;
      try {
        const { report } = await read(lines("open", closed));
        rows = report.rowsKept + report.rejected.reduce((sum, { count }) => sum + count, 0);
      } catch (error) {
        expect((error as Error).message).toMatch(/quotes that do not fit together|cut off/);
        continue;
      }
      // Read as one record with line ends inside, which is what it is by the rules of csv.
      expect(rows).toBe(1000);
    }
  });

  test("records are counted alike however the bytes arrive", () => {
    const text = 'a,b\n"x\n""y""",1\r\n\r\n"q"z,2\nstray " quote,3\n\n"","",\n"last\n"';
    const count = (cuts: number[]) => {
      const counter = new RecordCounter({ quote: '"', escape: '"', delimiter: "," });
      const bytes = Buffer.from(text);
      const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
      for (let i = 1; i < places.length; i++) counter.add(bytes.subarray(places[i - 1], places[i]));
      return counter.finish();
    };
    expect(count([])).toEqual({ records: 6, open: undefined });
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 8 }), (cuts) => {
        expect(count(cuts)).toEqual({ records: 6, open: undefined });
      }),
    );
    const open = new RecordCounter({ quote: '"', escape: "\\", delimiter: ";" });
    open.add(Buffer.from('a;b\n"x \\" y";1\n"never'));
    expect(open.finish()).toEqual({ records: 3, open: 3 });
  });

  test("a text that ends inside a quoted field was cut", async () => {
    await expectError(read('user,item\nu1,i1\nu2,"i2 and then'), "E_DATA", /cut off.*record 3/);
    await expectError(read('user,item\nu1,i1\nu2,"i2\nu3,i3\nu4,i4\n'), "E_DATA", /cut off.*record 3/);
    const { interactions } = await read('user,item\nu1,i1\nu2,"i2\nu3,i3\n', { quote: "" });
    expect(interactions.items.idOf(1)).toBe('"i2');
  });
});

describe("files that cannot be read", () => {
  test("each says what is wrong", async () => {
    await expectError(readDataset(join(folder, "nowhere.csv")), "E_NOT_FOUND", /no file/);
    writeFileSync(join(folder, "orders.csv"), "user,item\nu,i\n");
    await expectError(readDataset(join(folder, "order.csv")), "E_NOT_FOUND", /Did you mean orders.csv/);
    await expectError(read(""), "E_DATA", /is empty/);
    await expectError(read("\ufeff \n\n"), "E_DATA", /is empty/);
    await expectError(read(gzipSync("")), "E_DATA", /is empty/);
    await expectError(read("user_id,item_id,rating\n"), "E_DATA", /only a header/);
    mkdirSync(join(folder, "sub.csv"));
    await expectError(readDataset(join(folder, "sub.csv")), "E_DATA", /is a folder/);
    await expectError(read("user,item\nu,i\n", {}, "data.parquet"), "E_DATA", /not a parquet file: it begins like text/);
    await expectError(read("user,item\nu,i\n", {}, "data.xlsx"), "E_DATA", /not a xlsx file/);
    await expectError(read("user,item\nu,i\n", { format: "parquet" }), "E_DATA", /not a parquet file/);
    await expectError(read("user,item\nu,i\n", { format: "cvs" as never }), "E_CONFIG", /Did you mean csv/);
    await expectError(read("%PDF-1.7 …"), "E_DATA", /is a PDF/);
    await expectError(read("user,item\nu,i\n", { memoryLimit: "lots" }), "E_CONFIG", /memory limit/);
    await expectError(read("user,item\nu,i\n", { threads: 0 }), "E_CONFIG", /threads/);
    await expectError(read("user,item\nu,i\n", { maxRows: 0 }), "E_CONFIG", /maxRows/);
    await expectError(read("user,item\nu,i\n", { tempFolder: join(folder, "not-there") }), "E_IO", /temporary folder/);
    await expectError(read("user,item\n,i\nu,i\n", { rejectsFile: join(folder, "not-there", "rejects.csv") }), "E_IO", /rejects file/);
    const damaged = gzipSync(csvText([["user", "item"], ...Array.from({ length: 500 }, (_, i) => [`u${(i * 7919) % 500}`, `i${i}`])]));
    damaged.fill(0xff, 60, 90);
    await expectError(read(damaged, {}, "data.csv.gz"), "E_DATA", /damaged|cut off/);
  });

  test("names with pattern characters, quotes and blanks are files like any other", async () => {
    for (const name of ["a[1].csv", "what's *this*?.csv", "ü b.csv"])
      expect((await read("user,item\nu,i\n", {}, name)).report.rowsKept).toBe(1);
  });

  test("a text is read by what it holds, whatever its name", async () => {
    expect((await read('{"user":"u","item":"i"}\n', {}, "data.txt")).report.format).toBe("jsonl");
    expect((await read("user,item\nu,i\n", {}, "data.json")).report.format).toBe("csv");
  });
});
