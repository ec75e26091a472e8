/** Writes rows of text cells as csv, gzipped csv, JSON lines, Parquet and XLSX; empty cells are missing values. */
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { XlsxStreamWriter } from "hucre/xlsx";

export type Rows = readonly (readonly string[])[];

export function csvText(rows: Rows, delimiter = ","): string {
  const cell = (value: string) => (/["\r\n]/.test(value) || value.includes(delimiter) ? `"${value.replaceAll('"', '""')}"` : value);
  return rows.map((row) => `${row.map(cell).join(delimiter)}\n`).join("");
}

export async function writeCsv(rows: Rows, file: string): Promise<void> {
  const text = csvText(rows);
  writeFileSync(file, file.endsWith(".gz") ? gzipSync(text) : text);
}

export async function writeJsonl([names, ...rows]: Rows, file: string): Promise<void> {
  const lines = rows.map((row) => JSON.stringify(Object.fromEntries(names.map((name, i) => [name, row[i] === "" ? null : row[i]]))));
  const text = `${lines.join("\n")}\n`;
  writeFileSync(file, file.endsWith(".gz") ? gzipSync(text) : text);
}

/** As Python's repr writes them: single quotes, double ones around texts with apostrophes. */
export async function writePython([names, ...rows]: Rows, file: string): Promise<void> {
  const repr = (value: string) => {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
    const inside = value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("\r", "\\r");
    return `${quote}${quote === "'" ? inside.replaceAll("'", "\\'") : inside}${quote}`;
  };
  const lines = rows.map((row) => `{${names.map((name, i) => `${repr(name)}: ${row[i] === "" ? "None" : repr(row[i])}`).join(", ")}}`);
  const text = `${lines.join("\n")}\n`;
  writeFileSync(file, file.endsWith(".gz") ? gzipSync(text) : text);
}

export async function writeParquet([names, ...rows]: Rows, file: string): Promise<void> {
  const literal = (value: string) => (value === "" ? "NULL" : `'${value.replaceAll("'", "''")}'`);
  const values = rows.map((row) => `(${row.map(literal).join(", ")})`).join(", ");
  const select =
    rows.length > 0
      ? `SELECT * FROM (VALUES ${values}) AS t(${names.join(", ")})`
      : `SELECT ${names.map((name) => `'' AS ${name}`).join(", ")} WHERE false`;
  const columns = names.map((name) => `CAST(${name} AS VARCHAR) AS ${name}`).join(", ");
  await runSql(`COPY (SELECT ${columns} FROM (${select})) TO '${file}' (FORMAT parquet)`);
}

export async function runSql(sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}

export async function writeSheet(rows: readonly (readonly unknown[])[], file: string): Promise<void> {
  const writer = new XlsxStreamWriter({ name: "Sheet1" });
  for (const row of rows) writer.addRow(row.map((cell) => (cell === "" ? null : cell)) as never);
  writeFileSync(file, await writer.finish());
}
