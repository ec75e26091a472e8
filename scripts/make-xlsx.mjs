/**
 * Makes an .xlsx from a delimited text, row by row: `node scripts/make-xlsx.mjs orders.csv.gz orders.xlsx [--shared]`.
 * Numbers become number cells and ISO date-times date cells, as a spreadsheet program would save them; --shared puts texts in a
 * shared table, as those programs do (takes memory). For checks of the XLSX reader.
 */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { writeXlsxStream } from "hucre/xlsx";

const NUMBER = /^-?(0|[1-9]\d{0,14})(\.\d{1,10})?$/;
const DATE = /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?$/;

/** Streams `rows` (arrays of cells, the first one the header) into `file`. Constant memory unless `shared`. */
export async function writeXlsx(rows, file, { shared = false, sheet = "Sheet1" } = {}) {
  const stream = writeXlsxStream(rows, { name: sheet, inlineStrings: !shared });
  await pipeline(Readable.fromWeb(stream), createWriteStream(file));
}

/** Rows of a csv, typed cell by cell. */
export async function* csvRows(file) {
  const instance = await DuckDBInstance.create(":memory:", { memory_limit: "256MB", threads: "1" });
  const connection = await instance.connect();
  const result = await connection.stream(`SELECT * FROM read_csv('${file.replaceAll("'", "''")}', all_varchar = true, header = true)`);
  yield result.columnNames();
  for (;;) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) break;
    for (const row of chunk.getRows()) yield row.map(typed);
  }
  connection.closeSync();
  instance.closeSync();
}

function typed(cell) {
  if (cell === null) return null;
  if (NUMBER.test(cell)) return Number(cell);
  if (DATE.test(cell)) return new Date(`${cell.replace(" ", "T")}${cell.length > 10 ? "Z" : ""}`);
  return cell;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [source, target] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  if (!source || !target) {
    console.error("Usage: node scripts/make-xlsx.mjs <source.csv[.gz]> <target.xlsx> [--shared]");
    process.exit(64);
  }
  await writeXlsx(csvRows(source), target, { shared: process.argv.includes("--shared") });
  console.error(`${target} written`);
}
