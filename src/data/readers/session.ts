/**
 * One SQL engine (DuckDB, in process) per read: bounded memory, a temporary folder of its own that is removed afterwards,
 * no extension is ever fetched, and no file can be touched but those of this read. Called by `read-dataset.ts`.
 */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import type { DuckDBConnection, DuckDBInstance, DuckDBResult } from "@duckdb/node-api";
import { CancelledError, ConfigError, DataError, IoError, TastemakerError } from "../../core/errors.js";
import { defaultThreads } from "../../core/threads.js";

export interface SessionOptions {
  /** The only file, or files, that may be read beside those of the temporary folder. */
  file: string | readonly string[];
  memoryLimit?: string;
  threads?: number;
  tempFolder?: string;
  /** Bytes that a scan reads, about; small files are given small buffers. */
  scanBytes?: number;
  signal?: AbortSignal;
}

export class Session {
  readonly folder: string;
  readonly connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #signal: AbortSignal | undefined;
  readonly #file: string;
  readonly #interrupt: () => void;

  private constructor(parts: { folder: string; instance: DuckDBInstance; connection: DuckDBConnection; options: SessionOptions }) {
    this.folder = parts.folder;
    this.connection = parts.connection;
    this.#instance = parts.instance;
    this.#signal = parts.options.signal;
    this.#file = [parts.options.file].flat().join(", ");
    this.#interrupt = () => this.connection.interrupt();
    this.#signal?.addEventListener("abort", this.#interrupt);
  }

  /** Throws ConfigError on a wrong memory limit, IoError when no temporary folder can be made. */
  static async open(options: SessionOptions): Promise<Session> {
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const memoryBytes = parseMemory(options.memoryLimit ?? "1GB");
    const threads = options.threads ?? defaultThreads();
    const folder = await makeFolder(options.tempFolder ?? tmpdir());
    try {
      const instance = await DuckDBInstance.create(":memory:", {
        threads: String(threads),
        memory_limit: `${Math.floor(memoryBytes / 1e6)}MB`,
        temp_directory: join(folder, "spill"),
        preserve_insertion_order: "true",
        autoinstall_known_extensions: "false",
        autoload_known_extensions: "false",
      });
      const connection = await instance.connect();
      await connection.run("SET TimeZone = 'UTC'");
      // Rows wait here while JavaScript takes them over: a small buffer makes the scan of a large file stop and go (7 M rows/s → 2.3 M).
      const buffer = Math.min(64e6, memoryBytes / 8, Math.max(2e6, (options.scanBytes ?? 64e6) / 8));
      await connection.run(`SET streaming_buffer_size = '${Math.floor(buffer / 1e6)}MB'`);
      await connection.run(`SET allowed_paths = [${[options.file].flat().map(text).join(", ")}]`);
      await connection.run(`SET allowed_directories = [${text(folder + sep)}]`);
      await connection.run("SET enable_external_access = false");
      await connection.run("SET lock_configuration = true");
      return new Session({ folder, instance, connection, options });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** All rows of a small result as objects; big integers come as strings. */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    return this.guard(async () => (await this.connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]);
  }

  async run(sql: string): Promise<void> {
    await this.guard(() => this.connection.run(sql));
  }

  /** A result that is computed while it is fetched. Fetch inside `guard`. */
  async stream(sql: string): Promise<DuckDBResult> {
    return this.guard(() => this.connection.stream(sql));
  }

  /** Turns the engine's errors into ours. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#signal?.aborted) throw new CancelledError("Reading was cancelled.", { cause: this.#signal.reason });
    try {
      return await work();
    } catch (error) {
      if (this.#signal?.aborted) throw new CancelledError("Reading was cancelled.", { cause: this.#signal.reason });
      throw error instanceof TastemakerError ? error : translate(error, this.#file);
    }
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#interrupt);
    this.connection.closeSync();
    this.#instance.closeSync();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A string literal of SQL. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** A quoted identifier of SQL. */
export function name(column: string): string {
  return `"${column.replaceAll('"', '""')}"`;
}

function translate(error: unknown, file: string): TastemakerError {
  const message = error instanceof Error ? error.message : String(error);
  const details = { file };
  if (/out of memory/i.test(message))
    return new DataError(`Reading ${file} needs more memory than it was given.`, {
      hint: "Raise the memory limit (option memoryLimit), or lower the number of threads.",
      cause: error,
      details,
    });
  if (/no space left|disk full|temporary directory|max_temp_directory_size/i.test(message))
    return new IoError(`Reading ${file} ran out of room for temporary files.`, {
      hint: "Free some disk space, or name another folder by the option tempFolder.",
      cause: error,
      details,
    });
  return new DataError(`${file} cannot be read: ${message.split("\n")[0]}`, {
    hint: "The file may be damaged or cut off; make it anew, or name its format.",
    cause: error,
    details,
  });
}

async function makeFolder(parent: string): Promise<string> {
  try {
    return await realpath(await mkdtemp(join(parent, "tastemaker-read-")));
  } catch (error) {
    throw new IoError(`No temporary folder can be made in ${parent}.`, {
      hint: "Name another folder by the option tempFolder.",
      cause: error,
    });
  }
}

const UNITS: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 };

/** Bytes of "256MB", "1.5 GiB" … */
export function parseMemory(limit: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?b)\s*$/i.exec(limit);
  const bytes = match ? Number(match[1]) * UNITS[match[2].toLowerCase()] : 0;
  if (bytes >= 32e6) return bytes;
  throw new ConfigError(`The memory limit is ${JSON.stringify(limit)}.`, {
    hint: "Write a size of at least 32MB, such as 512MB or 2GB.",
    details: { path: "memoryLimit", got: limit },
  });
}
