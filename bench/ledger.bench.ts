/**
 * The token recipe's double-entry book (recipes/tokens.sql) over a generated ledger in Parquet: rows per second beside the largest resident
 * memory of the process, which is to stay below 2 GB whatever the size. Three tokens, the churned one among them, are computed
 * again with big integers.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { writeQuery } from "#dist/data/readers/sql-source.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { ledgerFiles } from "./support/ledger.js";
import { notePeak, secondsOf, timing } from "./support/measure.js";

const threads = 2;
const memoryLimit = "1GB";
const minimumRating = 0.001;
const zero = "0x0000000000000000000000000000000000000000";

export function cases(quick: boolean): BenchCase[] {
  return (quick ? [1e6] : [1e7, 1e8]).map((rows) => ({
    name: `ledger rows=${rows / 1e6}M memory=${memoryLimit} threads=${threads}`,
    run: (context) => run(rows, context),
  }));
}

async function run(rows: number, { cacheFolder, say }: BenchContext): Promise<BenchResult> {
  const files = await ledgerFiles(rows, cacheFolder, say);
  const folder = await mkdtemp(path.join(tmpdir(), "tastemaker-bench-"));
  try {
    const target = path.join(folder, "ratings.parquet");
    const sql = await readFile(path.resolve("recipes", "tokens.sql"), "utf8");
    const parameters = { top_tokens: 1000, minimum_rating: minimumRating };
    const source = { sql, tables: { token_transfers: files }, parameters, passes: Math.ceil(rows / 16e6) };
    const ours = timing([await secondsOf(() => writeQuery(source, target, { memoryLimit, threads, tempFolder: folder }))], "s");
    notePeak();
    const quality = { rowsPerSecond: rows / ours.median, ...(await compared(files, target)) };
    return { ours: { ...ours, build: "plain" }, quality };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The ratings of three tokens against big integers: the same holders, and the largest relative difference of a rating. */
async function compared(files: readonly string[], target: string): Promise<Record<string, number | string>> {
  const instance = await DuckDBInstance.create(":memory:", { threads: String(threads), memory_limit: "600MB" });
  const connection = await instance.connect();
  const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson() as string[][];
  try {
    const [[ratings]] = await rowsOf(`SELECT count(*)::VARCHAR FROM '${target}'`);
    const all = `SELECT token_address AS token, count(*) AS holders FROM '${target}' GROUP BY token`;
    const churned = `SELECT printf('0x%08x', range) AS start FROM range(0, 1000, 10)`; // of the tokens whose number ends in 0
    const sample = await rowsOf(`
      (SELECT token FROM (${all}) WHERE substr(token, 1, 10) IN (${churned}) ORDER BY token DESC LIMIT 1)
      UNION ALL (SELECT token FROM (${all}) WHERE substr(token, 1, 10) NOT IN (${churned}) ORDER BY token DESC LIMIT 2)`);
    let [holders, wrong, difference] = [0, 0, 0];
    for (const [token] of sample) {
      const list = files.map((file) => `'${file}'`).join(", ");
      const transfers = `SELECT from_address, to_address, value FROM read_parquet([${list}]) WHERE token_address = '${token}'`;
      const wanted = ratingsOf(await rowsOf(transfers));
      const found = new Map(
        (await rowsOf(`SELECT user_address, rating FROM '${target}' WHERE token_address = '${token}'`)) as never as [string, number][],
      );
      holders += wanted.size;
      for (const address of new Set([...wanted.keys(), ...found.keys()])) {
        const [a, b] = [wanted.get(address), found.get(address)];
        if (a === undefined || b === undefined) wrong++;
        else difference = Math.max(difference, Math.abs(a - b) / a);
      }
    }
    return {
      ratings: Number(ratings),
      checkedTokens: sample.length,
      checkedHolders: holders,
      wrongHolders: wrong,
      largestRelativeDifference: difference,
    };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Holder → share of the supply in percent, above the minimum. */
function ratingsOf(transfers: readonly string[][]): Map<string, number> {
  const balances = new Map<string, bigint>();
  const add = (address: string, value: bigint) => {
    if (address !== zero) balances.set(address, (balances.get(address) ?? 0n) + value);
  };
  for (const [from, to, value] of transfers) {
    add(to, BigInt(value));
    add(from, -BigInt(value));
  }
  const positive = [...balances].filter(([, balance]) => balance > 0n);
  const supply = positive.reduce((sum, [, balance]) => sum + balance, 0n);
  const ratings = positive.map(([address, balance]) => [address, Number((balance * 10n ** 30n) / supply) / 1e28] as const);
  return new Map(ratings.filter(([, rating]) => rating > minimumRating));
}
