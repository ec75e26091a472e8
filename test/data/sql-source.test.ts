/** Queries as sources, and the double-entry book of token transfers against big integers. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { readTable } from "../../src/data/readers/read-table.js";
import { writeQuery } from "../../src/data/readers/sql-source.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const ZERO = "0x0000000000000000000000000000000000000000";
const recipeSql = (name: string) => readFileSync(new URL(`../../recipes/${name}`, import.meta.url), "utf8");
const sql = recipeSql("tokens.sql");

/** The BigQuery text in DuckDB's words: BIGNUMERIC's 38 digits are HUGEINT's. */
const bigQuery = recipeSql("tokens.bigquery.sql")
  .replace(/^DECLARE.*$/gm, "")
  .replace("place <= top_tokens", "place <= getvariable('top_tokens')")
  .replace("rating > minimum_rating", "rating > getvariable('minimum_rating')")
  .replace("`bigquery-public-data.crypto_ethereum.token_transfers`", "token_transfers")
  .replace("REGEXP_CONTAINS(value, r'", "regexp_matches(value, '")
  .replaceAll("BIGNUMERIC '1e26'", "100000000000000000000000000::HUGEINT")
  .replaceAll("BIGNUMERIC", "HUGEINT")
  .replaceAll("DIV(", "divide(")
  .replaceAll("FLOAT64", "DOUBLE");

interface Transfer {
  token: string;
  from: string;
  to: string;
  value: bigint | string;
}

async function ratingsOf(transfers: readonly Transfer[], parameters = { top_tokens: 1000, minimum_rating: 0 }, query = sql, passes = 1) {
  const folder = temporaryFolder();
  const rows = transfers.map(({ token, from, to, value }) => `${token},${from},${to},${value}`);
  const file = join(folder, "transfers.csv");
  writeFileSync(file, `token_address,from_address,to_address,value\n${rows.join("\n")}\n`);
  const target = join(folder, "ratings.parquet");
  await writeQuery({ sql: query, tables: { token_transfers: [file] }, parameters, passes }, target);
  const { ids, numbers, numRows } = await readTable(target, [
    { role: "token", kind: "id", names: ["tokenaddress"], required: true },
    { role: "user", kind: "id", names: ["useraddress"], required: true },
    { role: "rating", kind: "number", names: ["rating"], required: true },
  ]);
  const idOf = (role: string, row: number) => ids[role].ids.idOf(ids[role].index[row]);
  return Array.from({ length: numRows }, (_, row) => ({ token: idOf("token", row), user: idOf("user", row), rating: numbers.rating[row] }));
}

/** The same by big integers; ratings to 18 digits. */
function expected(transfers: readonly Transfer[]) {
  const balances = new Map<string, bigint>();
  for (const { token, from, to, value } of transfers)
    for (const [address, sign] of [
      [to, 1n],
      [from, -1n],
    ] as const) {
      const key = `${token} ${address}`;
      if (address !== ZERO) balances.set(key, (balances.get(key) ?? 0n) + sign * BigInt(value));
    }
  const positive = [...balances]
    .filter(([, balance]) => balance > 0n)
    .map(([key, balance]) => ({ token: key.split(" ")[0], user: key.split(" ")[1], balance }));
  const supply = (token: string) => positive.reduce((sum, one) => (one.token === token ? sum + one.balance : sum), 0n);
  return positive
    .map(({ token, user, balance }) => ({ token, user, rating: Number((balance * 10n ** 30n) / supply(token)) / 1e28 }))
    .sort((a, b) => (a.token < b.token || (a.token === b.token && a.user < b.user) ? -1 : 1));
}

describe("token ledger", () => {
  test("is exact on values of 256 bits, whatever adds up and cancels", async () => {
    const random = createRandom(4);
    const largest = 2n ** 256n - 1n;
    const value = () =>
      [1n, 10n ** 18n, 10n ** 36n - 1n, largest, BigInt(random.integer(1e9)) * 10n ** BigInt(random.integer(60))][random.integer(5)];
    const addresses = Array.from({ length: 12 }, (_, a) => `0x${String(a).padStart(40, "a")}`);
    const transfers: Transfer[] = Array.from({ length: 400 }, () => {
      const from = random.uniform() < 0.4 ? ZERO : addresses[random.integer(12)];
      return { token: `0x${"t".repeat(39)}${random.integer(3)}`, from, to: addresses[random.integer(12)], value: value() };
    });
    const [found, wanted] = [await ratingsOf(transfers), expected(transfers)];
    expect(await ratingsOf(transfers, undefined, bigQuery)).toEqual(found);
    const inPasses = await ratingsOf(transfers, undefined, sql, 5);
    const order = (a: { token: string; user: string }, b: typeof a) => (`${a.token} ${a.user}` < `${b.token} ${b.user}` ? -1 : 1);
    expect(inPasses.sort(order)).toEqual(found);
    expect(found.map(({ token, user }) => [token, user])).toEqual(wanted.map(({ token, user }) => [token, user]));
    found.forEach(({ rating }, row) => {
      expect(Math.abs(rating - wanted[row].rating)).toBeLessThanOrEqual(1e-14 * wanted[row].rating + 1e-26);
    });
  });

  test("sees the one unit that is left of two huge sums", async () => {
    const [a, b] = ["0xa", "0xb"];
    const huge = 2n ** 255n;
    const rows = [
      { token: "0xt", from: ZERO, to: a, value: huge + 1n },
      { token: "0xt", from: a, to: b, value: huge },
      { token: "0xt", from: b, to: ZERO, value: huge },
    ];
    expect(await ratingsOf(rows)).toEqual([{ token: "0xt", user: a, rating: 100 }]);
  });

  test("takes addresses in any case for one, and leaves out negative balances, odd values and tokens without supply", async () => {
    const rows: Transfer[] = [
      { token: "0xT", from: ZERO, to: "0xAb", value: 60n },
      { token: "0xt", from: ZERO, to: "0xaB", value: 30n },
      { token: "0xt", from: "0xstranger", to: "0xc", value: 10n }, // its balance is below zero: earlier transfers are not in the table
      { token: "0xt", from: ZERO, to: "0xd", value: "-5" },
      { token: "0xt", from: ZERO, to: "0xd", value: "1e18" },
      { token: "0xburnt", from: ZERO, to: "0xc", value: 7n },
      { token: "0xburnt", from: "0xc", to: ZERO, value: 7n },
    ];
    expect(await ratingsOf(rows)).toEqual([
      { token: "0xt", user: "0xab", rating: 90 },
      { token: "0xt", user: "0xc", rating: 10 },
    ]);
    expect(await ratingsOf(rows, undefined, bigQuery)).toEqual(await ratingsOf(rows));
    expect(await ratingsOf(rows, { top_tokens: 1000, minimum_rating: 10 })).toEqual([{ token: "0xt", user: "0xab", rating: 90 }]);
    await expectError(ratingsOf(rows.slice(5)), "E_DATA", /no rows/);
  });

  test("keeps the tokens with the most transfers", async () => {
    const mint = (token: string, value: bigint): Transfer => ({ token, from: ZERO, to: "0xa", value });
    const found = await ratingsOf([mint("0x1", 5n), mint("0x2", 1n), mint("0x2", 1n)], { top_tokens: 1, minimum_rating: 0 });
    expect(found.map(({ token }) => token)).toEqual(["0x2"]);
    const other = await ratingsOf([mint("0x1", 5n), mint("0x2", 1n), mint("0x2", 1n)], { top_tokens: 1, minimum_rating: 0 }, bigQuery);
    expect(other).toEqual(found);
  });
});

test("holders' exports: shares of what is held, duplicates summed, odd rows left out", async () => {
  const folder = temporaryFolder();
  const head = '"HolderAddress","Balance","PendingBalanceUpdate"';
  const one = [
    '"0xAb","60","No"',
    '"0xaB","1.5E1","No"',
    '"0xc","25","No"',
    `"${ZERO}","900","No"`,
    '"0xd","-5","No"',
    '"0xe","much","No"',
  ];
  writeFileSync(join(folder, "one.csv"), [head, ...one, '"0xf","","No"', '"0xg","1E-18","No"', '"0xh","NaN","No"'].join("\n"));
  writeFileSync(join(folder, "TWO.csv"), [head, '"0xc","1,234.5","No"'].join("\n"));
  writeFileSync(join(folder, "none.csv"), [head, '"0xc","0","No"', '"0xd","0","No"'].join("\n")); // a token without supply
  const target = join(folder, "ratings.parquet");
  const files = ["one.csv", "TWO.csv", "none.csv"].map((file) => join(folder, file));
  const parameters = { minimum_rating: 0.001 };
  await writeQuery({ sql: recipeSql("tokens-holders.sql"), tables: { holders: files }, parameters }, target);
  const { ids, numbers } = await readTable(target, [
    { role: "token", kind: "id", names: ["tokenaddress"], required: true },
    { role: "user", kind: "id", names: ["useraddress"], required: true },
    { role: "rating", kind: "number", names: ["rating"], required: true },
  ]);
  const rows = Array.from(numbers.rating, (rating, row) => [
    ids.token.ids.idOf(ids.token.index[row]),
    ids.user.ids.idOf(ids.user.index[row]),
    rating,
  ]);
  expect(rows).toEqual([
    ["one", "0xab", 75],
    ["one", "0xc", 25],
    ["two", "0xc", 100],
  ]);
});

describe("writeQuery", () => {
  test("joins tables of several files, and knows where a row comes from", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "in"));
    writeFileSync(join(folder, "in", "one.csv"), "who;much\na;1\n");
    writeFileSync(join(folder, "in", "two.csv"), "much;who\n2;b\n");
    const target = join(folder, "out.parquet");
    const files = ["one.csv", "two.csv"].map((file) => join(folder, "in", file));
    const query =
      "SELECT who AS user, parse_filename(filename, true) AS item, much::DOUBLE * getvariable('times') AS weight FROM t ORDER BY ALL;";
    await writeQuery({ sql: query, tables: { t: files }, parameters: { times: 10 } }, target);
    const { numbers, ids } = await readTable(target, [
      { role: "item", kind: "id", names: ["item"] },
      { role: "weight", kind: "number", names: ["weight"] },
    ]);
    expect([...ids.item.ids.ids()]).toEqual(["one", "two"]);
    expect([...numbers.weight]).toEqual([10, 20]);
  });

  test("says what is wrong with a query, and reaches no other file", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "t.csv");
    writeFileSync(file, "a\n1\n");
    writeFileSync(join(folder, "secret.csv"), "a\n1\n");
    const run = (text: string) => writeQuery({ sql: text, tables: { t: [file] } }, join(folder, "out.parquet"));
    await expectError(run("SELEC a FROM t"), "E_CONFIG", /Parser Error/);
    await expectError(run("SELECT b FROM t"), "E_CONFIG", /Binder Error.*b/);
    await expectError(run("SELECT a FROM s"), "E_CONFIG", /Catalog Error/);
    await expectError(run(`SELECT * FROM read_csv('${join(folder, "secret.csv")}')`), "E_DATA", /./);
    await expectError(run("SELECT a FROM t WHERE a = '2'"), "E_DATA", /no rows/);
  });
});

describe("tables of a query", () => {
  const read = async (tables: Parameters<typeof writeQuery>[0]["tables"], query: string) => {
    const target = join(temporaryFolder(), "result.parquet");
    await writeQuery({ sql: query, tables }, target);
    const { ids, numRows } = await readTable(target, [{ role: "line", kind: "id", names: ["line"], required: true }]);
    return Array.from({ length: numRows }, (_, row) => ids.line.ids.idOf(ids.line.index[row]));
  };
  const write = (name: string, contents: string | Uint8Array) => {
    const file = join(temporaryFolder(), name);
    writeFileSync(file, contents);
    return file;
  };

  test("a text may come without names, or under other ones, with quotes that mean nothing", async () => {
    const lines = ['anna\ttea "pot\t3', "bea\tmug\t1"];
    const query = "SELECT who || ' ' || what || ' ' || n AS line FROM t ORDER BY who";
    const about = { columns: ["who", "what", "n"], delimiter: "\t", quote: "" };
    expect(await read({ t: { files: [write("a.dat", `${lines.join("\n")}\n`)], ...about } }, query)).toEqual([
      'anna tea "pot 3',
      "bea mug 1",
    ]);
    const titled = write("b.dat", `user\titem\tcount\n${lines.join("\n")}\n`);
    expect(await read({ t: { files: [titled], ...about, header: true } }, query)).toEqual(['anna tea "pot 3', "bea mug 1"]);
  });

  test("texts that are not UTF-8 are read by what their bytes say, damaged ones with marks", async () => {
    const rows = Array.from({ length: 40 }, (_, n) => `${n},Bücher für ${n}`).join("\n");
    const latin = write("latin.csv", Buffer.from(`id,title\n${rows}\n`, "latin1"));
    const damaged = write("damaged.csv", Buffer.concat([Buffer.from(`id,title\n${rows}\n`), Buffer.from([0x39, 0x39, 0x2c, 0xff, 0x0a])]));
    const query = "SELECT title AS line FROM t WHERE id IN ('7', '99') ORDER BY id::INTEGER";
    expect(await read({ t: [latin] }, query)).toEqual(["Bücher für 7"]);
    expect(await read({ t: [damaged] }, query)).toEqual(["Bücher für 7", "\uFFFD"]);
  });
});
