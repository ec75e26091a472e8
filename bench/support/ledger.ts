/**
 * A made-up ledger of token transfers in ethereum-etl's columns, written as Parquet by the SQL engine itself, every row from its number
 * alone, so that 100M rows need no memory. Skewed tokens, holders and values; a tenth are mints. The tokens whose number ends in 0 are
 * churned: huge values go to and fro, and what stays is some 60 digits smaller, which is lost wherever a sum is rounded.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

const numTokens = 3000;
const chunkRows = 5_000_000;
const zero = "0x0000000000000000000000000000000000000000";

/** The ledger's files; made when they are not in the folder yet. `rows` up to 5M come as one file. */
export async function ledgerFiles(rows: number, cacheFolder: string, say: (text: string) => void): Promise<string[]> {
  const folder = path.join(cacheFolder, `ledger-${rows}`);
  if (!existsSync(folder)) await write(rows, folder, say);
  return (await readdir(folder)).sort().map((file) => path.join(folder, file));
}

async function write(rows: number, folder: string, say: (text: string) => void): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "400MB", preserve_insertion_order: "false" });
  const connection = await instance.connect();
  try {
    await connection.run("CREATE MACRO uniform(i, salt) AS (hash(i, salt) >> 11) / 9007199254740992.0");
    await connection.run("CREATE MACRO address(n, kind) AS printf('0x%08x%016x%016x', n, hash(n, kind), hash(kind, n))");
    await connection.run("CREATE MACRO digits(n, count) AS lpad((n % 10000000000000000)::VARCHAR, count::INTEGER, '0')");
    for (let from = 0, part = 0; from < rows; from += chunkRows, part++) {
      const to = Math.min(rows, from + chunkRows);
      const file = path.join(unfinished, `part-${String(part).padStart(3, "0")}.parquet`);
      await connection.run(`COPY (${rowsSql(rows, from, to)}) TO '${file.replaceAll("'", "''")}' (FORMAT parquet)`);
      say(`ledger: ${to / 1e6}M of ${rows / 1e6}M rows written`);
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  await rename(unfinished, folder);
}

/** Rows 2p and 2p + 1 of a churned token are a pair: there V, back V minus a little. */
function rowsSql(rows: number, from: number, to: number): string {
  const holders = Math.ceil(rows / 6000); // of each token
  const holder = (salt: number) => `(token * 7919 + floor(${holders} * pow(uniform(key, ${salt}), 2))::BIGINT) % ${holders * 1000}`;
  return `
    SELECT
      address(token, 1) AS token_address,
      CASE WHEN churned AND back THEN address(receiver, 2)
           WHEN NOT churned AND uniform(i, 4) < 0.1 THEN '${zero}' ELSE address(sender, 2) END AS from_address,
      CASE WHEN churned AND back THEN address(sender, 2) ELSE address(receiver, 2) END AS to_address,
      CASE WHEN churned THEN '5' || digits(hash(key, 5), 16) || digits(hash(key, 6), 44) || (CASE WHEN back THEN '' ELSE digits(hash(key, 7), 8) END)
                || (CASE WHEN back THEN '00000000' ELSE '' END)
           ELSE (1 + hash(i, 5) % 1000000000)::VARCHAR || repeat('0', (hash(token, 8) % 40 + hash(i, 6) % 9)::INTEGER) END AS value
    FROM (SELECT *, ${holder(2)} AS sender, ${holder(3)} AS receiver
          FROM (SELECT *, token % 10 = 0 AS churned, i % 2 = 1 AS back, CASE WHEN token % 10 = 0 THEN i // 2 ELSE i END AS key
                FROM (SELECT range AS i, floor(${numTokens} * pow(uniform(range // 2, 1), 3))::BIGINT AS token FROM range(${from}, ${to}))))`;
}
