/** Tables as csv files (RFC 4180, UTF-8), from rows that are made block by block; the counterpart of parquet.ts. */
import { open } from "node:fs/promises";
import { ConfigError, throwIfCancelled } from "../core/errors.js";
import { replaceFile } from "./durable-files.js";
import { type ParquetTable, writeParquet } from "./parquet.js";

/** A .csv or .parquet file, by its name. Replaces it as a whole, or leaves it as it was. Throws ConfigError, IoError, CancelledError. */
export async function writeTable(file: string, table: ParquetTable, signal?: AbortSignal): Promise<void> {
  checkTableName(file);
  return file.endsWith(".parquet") ? writeParquet(file, table, signal) : writeCsv(file, table, signal);
}

/** Throws ConfigError where the name says no format, before there is any work. */
export function checkTableName(file: string): void {
  if (!/\.(csv|parquet)$/.test(file))
    throw new ConfigError(`The table is to be called ${file}.`, {
      hint: "Give a name that ends in .csv or .parquet.",
      details: { got: file },
    });
}

async function writeCsv(file: string, { columns, blocks }: ParquetTable, signal?: AbortSignal): Promise<void> {
  await replaceFile(file, async (temporary) => {
    const handle = await open(temporary, "wx");
    try {
      await handle.write(`${Object.keys(columns).map(cell).join(",")}\n`);
      for await (const block of blocks()) {
        throwIfCancelled(signal);
        const rows = Array.from({ length: block[0].length }, (_, row) => `${block.map((values) => cell(values[row])).join(",")}\n`);
        await handle.write(rows.join(""));
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

function cell(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
