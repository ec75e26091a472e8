/**
 * Delimited text (csv, tsv, any delimiter; quotes, byte order marks, .gz). Every column is read as text, malformed records
 * are stored aside and counted, and a quote that is still open at the end means that the file is cut off.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { DataError } from "../../core/errors.js";
import { countRecords } from "./count-records.js";
import type { FileFacts } from "./inspect-file.js";
import type { Guess, ReadOptions, Source } from "./read-types.js";
import { name, type Session, text } from "./session.js";
import { type Dialect, detectDialect } from "./text-dialect.js";

const MALFORMED = "malformed";

/** Opens a delimited text. Throws DataError when it holds only a header. */
export async function openCsv(session: Session, facts: FileFacts, options: ReadOptions): Promise<Source> {
  const dialect = detectDialect(facts.sample, facts.sampleIsWhole, options);
  if (dialect.columns.length === 0) throw new DataError(`${facts.path} has no columns.`, { hint: "Give a file with a header and rows." });
  const guessed: Guess[] = [];
  let file = facts.path;
  let gzip = facts.gzip;
  if (facts.encoding !== "utf-8") {
    file = await toUtf8(session, facts, { file: join(session.folder, "utf-8.csv"), signal: options.signal });
    gzip = false;
    guessed.push({ role: "encoding", column: "", why: `the text is not UTF-8; it was read as ${facts.encoding}` });
  }
  const source = { file, gzip, dialect, guessed };
  const hasQuotes = dialect.quote === '"' ? facts.hasQuotes : dialect.quote !== "";
  if (!hasQuotes)
    return {
      ...csvSource({ ...source, hasQuotes, estimatedRows: Math.max(1, Math.round(facts.textBytes / dialect.recordBytes)) }),
      loneComma: dialect.delimiter === "," ? "none" : "decimal",
    };
  const { records, open } = await countRecords(file, gzip, dialect, options.signal);
  if (open !== undefined)
    throw new DataError(
      `${facts.path} is cut off or has a quote that is never closed: the field that opens in record ${open} does not end.`,
      {
        hint: 'Copy or download the file again, or close the quote; if quotes mean nothing in this file, set the option quote to "".',
        details: { file: facts.path, line: open },
      },
    );
  const expectedRows = records - (dialect.header ? 1 : 0);
  return csvSource({
    ...source,
    hasQuotes,
    estimatedRows: expectedRows,
    expectedRows: dialect.columns.length > 1 ? expectedRows : undefined,
  });
}

export interface CsvFile {
  file: string;
  gzip: boolean;
  dialect: Dialect;
  /** Whether fields may be quoted. */
  hasQuotes: boolean;
  estimatedRows: number;
  /** See `Source.expectedRows`. */
  expectedRows?: number;
  guessed: readonly Guess[];
}

/** The common path of delimited text, for files and for what other readers wrote as csv. */
export function csvSource({ file, gzip, dialect, hasQuotes, estimatedRows, expectedRows, guessed }: CsvFile): Source {
  const columns = dialect.columns.map((column) => `${text(column)}: 'VARCHAR'`).join(", ");
  const settings = [
    "auto_detect = false",
    `compression = ${gzip ? "'gzip'" : "'none'"}`,
    `delim = ${text(dialect.delimiter)}`,
    `quote = ${text(dialect.quote)}`,
    `escape = ${text(dialect.quote === "" ? "" : dialect.escape)}`,
    `header = ${dialect.header}`,
    "strict_mode = true",
    // With several threads, a buffer that begins inside a quoted field is now and then taken apart in the wrong place as soon as
    // malformed rows are allowed (measured), so only texts without quotes are.
    `parallel = ${!hasQuotes}`,
    "buffer_size = 4000000", // as fast as the 32 MB of the default
    "max_line_size = 1000000",
    `columns = {${columns}}`,
  ].join(", ");
  return {
    format: "csv",
    columns: dialect.columns.map((column) => ({ name: column, type: "text" })),
    named: dialect.header,
    // Never `ignore_errors` alone: it ends the scan without a word at a badly quoted field. Scans that do not count store their rejects elsewhere.
    relation: (storeRejects) =>
      `(SELECT ${dialect.columns.map(name).join(", ")} FROM read_csv(${text(file)}, ${settings}, store_rejects = true, rejects_table = '${
        storeRejects ? MALFORMED : "looked_at"
      }', rejects_scan = '${storeRejects ? MALFORMED : "looked_at"}_scans'))`,
    headerRows: dialect.header ? 1 : 0,
    rejectsTable: MALFORMED,
    estimatedRows,
    expectedRows,
    guessed,
  };
}

/** Writes the text anew as UTF-8 to `file`, in the session's folder: constant memory, exact for every encoding that was recognised. */
export async function toUtf8(
  session: Session,
  facts: FileFacts,
  { file, signal }: { file: string; signal: AbortSignal | undefined },
): Promise<string> {
  const decoder = new TextDecoder(facts.encoding);
  const source = createReadStream(facts.path);
  await session.guard(() =>
    pipeline(
      facts.gzip ? source.pipe(createGunzip()) : source,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
        yield decoder.decode();
      } as unknown as (source: Readable) => AsyncIterable<string>,
      createWriteStream(file),
      { signal },
    ),
  );
  return file;
}
