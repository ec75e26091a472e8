/**
 * A source that is a query over files: each table of the query is one file or several of one kind, the result is written as Parquet and
 * then read like any other file. Called by service/prepare-data.ts.
 */
import { copyFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { ConfigError, DataError, TastemakerError } from "../../core/errors.js";
import type { Progress } from "../../core/model.js";
import { toUtf8 } from "./csv.js";
import { inspectFile } from "./inspect-file.js";
import { name, Session, text } from "./session.js";

/** Files of one kind that are one table, and how a text is written where it cannot be told from the text itself. */
export interface SqlTable {
  files: readonly string[];
  /** Names of all columns of text files, from the left. Without `header` the files then have none. */
  columns?: readonly string[];
  /** Whether text files begin with column names. Default: unless `columns` names them. */
  header?: boolean;
  /** Default: by evidence. */
  delimiter?: string;
  /** "" = quotes mean nothing. Default: by evidence. */
  quote?: string;
}

export interface SqlSource {
  /**
   * One SELECT. Without ORDER BY its rows come in any order, another one each time. Before it there may be statements that make
   * temporary tables, each ended by `;` at the end of a line.
   */
  sql: string;
  /** Table → its files, csv (every column is text) or Parquet, all of one kind; the column `filename` says from which a row comes. */
  tables: Readonly<Record<string, readonly string[] | SqlTable>>;
  /** Values that the query gets by getvariable('name'). */
  parameters?: Readonly<Record<string, string | number>>;
  /**
   * Times that the SELECT is run, its results one after another; it gets getvariable('pass'), from 0, and getvariable('passes').
   * The statements before it run once. Default 1.
   */
  passes?: number;
}

export interface SqlOptions {
  /** Of the SQL engine, at least 32MB. Default 1GB; what does not fit waits in a temporary folder. */
  memoryLimit?: string;
  tempFolder?: string;
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/**
 * Writes the query's result to `target` (Parquet). Texts that are not UTF-8 are read by the encoding that their bytes speak for; broken
 * characters among good ones become U+FFFD. Throws ConfigError for a query that is wrong, DataError for data it cannot be run on.
 */
export async function writeQuery(source: SqlSource, target: string, options: SqlOptions = {}): Promise<void> {
  try {
    await runQuery(source, target, options, false);
  } catch (error) {
    if (!(error instanceof TastemakerError && isForeignText(error))) throw error;
    await runQuery(source, target, options, true);
  }
}

async function runQuery(
  { sql, tables, parameters = {}, passes = 1 }: SqlSource,
  target: string,
  { onProgress, ...options }: SqlOptions,
  toBeDecoded: boolean,
): Promise<void> {
  const described = Object.entries(tables).map(([table, about]) => ({ table, about: "files" in about ? about : { files: about } }));
  const session = await Session.open({ ...options, file: described.flatMap(({ about }) => about.files) });
  const stage = "running the source's SQL";
  try {
    onProgress?.({ stage, done: 0, total: passes });
    for (const { table, about } of described) {
      const utf8 = toBeDecoded ? await asUtf8(session, table, about, options.signal) : about;
      await session.run(`CREATE VIEW ${name(table)} AS SELECT * FROM ${scan(table, utf8)}`);
    }
    for (const [parameter, value] of Object.entries({ ...parameters, passes }))
      await session.run(`SET VARIABLE ${name(parameter)} = ${typeof value === "number" ? value : text(value)}`);
    const statements = sql.split(/;[ \t]*$/m).filter((statement) => statement.trim() !== "");
    const select = statements.pop() ?? "";
    for (const statement of statements) await session.run(statement);
    const made = join(session.folder, "result.parquet");
    const parts = Array.from({ length: passes }, (_, pass) => join(session.folder, `part-${pass}.parquet`));
    for (const [pass, part] of parts.entries()) {
      await session.run(`SET VARIABLE pass = ${pass}`);
      await session.run(`COPY (${select}\n) TO ${text(part)} (FORMAT parquet)`);
      onProgress?.({ stage, done: pass + 1, total: passes });
    }
    await session.run(`COPY (FROM read_parquet([${parts.map(text).join(", ")}])) TO ${text(made)} (FORMAT parquet)`);
    const [{ count }] = await session.rows(`SELECT count(*)::VARCHAR AS count FROM read_parquet(${text(made)})`);
    if (count === "0") throw new DataError("The source's SQL gives no rows.", { hint: "Check its conditions against the tables." });
    await copyFile(made, target);
  } catch (error) {
    throw error instanceof TastemakerError ? (wrongQuery(error) ?? error) : error;
  } finally {
    await session.close();
  }
}

function scan(table: string, { files, columns, header = columns === undefined, delimiter, quote }: SqlTable): string {
  const list = `[${files.map(text).join(", ")}]`;
  const parquet = files.filter((file) => file.endsWith(".parquet")).length;
  if (parquet === files.length) return `read_parquet(${list}, filename = true, union_by_name = true)`;
  if (parquet > 0)
    throw new ConfigError(`The table ${table} mixes Parquet and text files, such as ${basename(files[0])}.`, {
      hint: "Make two tables of them.",
    });
  const settings = [
    "filename = true, union_by_name = true, all_varchar = true",
    `header = ${header}`,
    ...(columns ? [`names = [${columns.map(text).join(", ")}]`] : []),
    ...(delimiter === undefined ? [] : [`delim = ${text(delimiter)}`]),
    ...(quote === undefined ? [] : [`quote = ${text(quote)}`]),
  ];
  return `read_csv(${list}, ${settings.join(", ")})`;
}

/** The engine reads UTF-8 alone, and finds out in the middle of a file. */
function isForeignText({ cause }: TastemakerError): boolean {
  return cause instanceof Error && /invalid unicode|not utf-?8|invalid utf-?8/i.test(cause.message);
}

/** The same table over UTF-8 copies of its texts, under their own names. */
async function asUtf8(session: Session, table: string, about: SqlTable, signal: AbortSignal | undefined): Promise<SqlTable> {
  const files: string[] = [];
  for (const [f, path] of about.files.entries()) {
    const facts = await inspectFile(path, { signal });
    if (facts.kind !== "text") {
      files.push(path);
      continue;
    }
    const folder = join(session.folder, `${table}-${f}`);
    await mkdir(folder, { recursive: true });
    files.push(await toUtf8(session, facts, { file: join(folder, basename(path).replace(/\.gz$/, "")), signal }));
  }
  return { ...about, files };
}

/** The engine's words where the query itself is at fault. */
function wrongQuery({ cause, details }: TastemakerError): ConfigError | undefined {
  const message = cause instanceof Error ? cause.message.split("\n\n")[0] : "";
  if (!/^(Parser|Binder|Catalog) Error/.test(message)) return undefined;
  return new ConfigError(`The source's SQL is wrong: ${message.replaceAll("\n", " ")}`, { hint: "Correct the query.", cause, details });
}
