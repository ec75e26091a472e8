/**
 * Tables as Parquet files, written by DuckDB from rows that are made block by block. Its memory is limited; what does not fit waits in a
 * temporary folder beside the file.
 */
import { open, rm } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { IoError, TastemakerError, throwIfCancelled } from "../core/errors.js";
import { replaceFile } from "./durable-files.js";

/** Text, a whole number, a number, or a vector of float32 with that many values in each row. */
export type ParquetType = "text" | "int32" | "float32" | "float64" | { vector: number };

/** Values of one column for some rows: of a vector column all their values, row after row. */
export type ParquetValues = readonly (string | number | null)[] | Float32Array | Float64Array | Int32Array;

export interface ParquetTable {
  /** Name → type, in order. */
  columns: Readonly<Record<string, ParquetType>>;
  /** Blocks of rows: for each column its values. */
  blocks(): AsyncIterable<readonly ParquetValues[]> | Iterable<readonly ParquetValues[]>;
}

/** Rows that go to the engine at a time (the size of its vectors). */
const CHUNK = 2048;

/** Replaces `file` as a whole, or leaves it as it was. Throws IoError, CancelledError. */
export async function writeParquet(file: string, { columns, blocks }: ParquetTable, signal?: AbortSignal): Promise<void> {
  const duckdb = await import("@duckdb/node-api");
  const names = Object.keys(columns);
  const types = names.map((name) => typeOf(duckdb, columns[name]));
  const widths = names.map((name) => (typeof columns[name] === "object" ? columns[name].vector : 0));
  await replaceFile(file, async (temporary) => {
    const spill = `${temporary}.spill`;
    const instance = await duckdb.DuckDBInstance.create(":memory:", { memory_limit: "1GB", temp_directory: spill });
    const connection = await instance.connect();
    try {
      const declared = names.map((name, column) => `"${name.replaceAll('"', '""')}" ${types[column]}`);
      await connection.run(`CREATE TABLE rows (${declared.join(", ")})`);
      const appender = await connection.createAppender("rows");
      for await (const block of blocks()) {
        await turn(); // Ctrl-C is heard between blocks
        const numRows = block[0].length / (widths[0] || 1);
        for (let from = 0; from < numRows; from += CHUNK) {
          throwIfCancelled(signal);
          const to = Math.min(numRows, from + CHUNK);
          const chunk = duckdb.DuckDBDataChunk.create(types, to - from);
          for (const [column, values] of block.entries())
            chunk.setColumnValues(
              column,
              widths[column] ? vectors(duckdb, values, { from, to, width: widths[column] }) : slice(values, from, to),
            );
          appender.appendDataChunk(chunk);
        }
      }
      appender.closeSync();
      await connection.run(`COPY rows TO '${temporary.replaceAll("'", "''")}' (FORMAT parquet)`);
      await sync(temporary);
    } catch (error) {
      if (error instanceof TastemakerError) throw error;
      const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
      throw new IoError(`Could not write ${file}: ${reason}.`, { hint: "Check the folder and the room on the disk.", cause: error });
    } finally {
      connection.closeSync();
      instance.closeSync();
      await rm(spill, { recursive: true, force: true });
    }
  });
}

type DuckDb = typeof import("@duckdb/node-api");

function typeOf({ VARCHAR, INTEGER, FLOAT, DOUBLE, ARRAY }: DuckDb, type: ParquetType): DuckDBType {
  if (typeof type === "object") return ARRAY(FLOAT, type.vector);
  return { text: VARCHAR, int32: INTEGER, float32: FLOAT, float64: DOUBLE }[type];
}

function slice(values: ParquetValues, from: number, to: number): DuckDBValue[] {
  return Array.from(values.slice(from, to));
}

function vectors({ arrayValue }: DuckDb, values: ParquetValues, { from, to, width }: { from: number; to: number; width: number }) {
  return Array.from({ length: to - from }, (_, row) => arrayValue(slice(values, (from + row) * width, (from + row + 1) * width)));
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
