/**
 * XLSX sheets: rows are streamed out of the workbook into a temporary text, which then goes the common path, so memory does not
 * grow with the sheet. Dates become ISO text, whole numbers lose their ".0", blank rows are skipped, and each row keeps its number in the sheet.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CancelledError, ConfigError, DataError, TastemakerError } from "../../core/errors.js";
import { csvSource } from "./csv.js";
import type { FileFacts } from "./inspect-file.js";
import type { ReadOptions, Source } from "./read-types.js";
import { name, type Session } from "./session.js";
import { distinctNames, looksLikeHeader } from "./text-dialect.js";

/** What is known of the sheet once it is unpacked. */
interface Found {
  rows: number;
  columns: number;
  first: string[][];
  lineEnds: boolean;
}

type Cell = string | number | boolean | Date | null | { error?: string; value?: unknown } | unknown;

const ROW = "__row";
// Between cells, and in place of line ends inside them: characters that XML, hence a sheet, cannot hold. So nothing needs quotes.
const SEPARATOR = "\x1f";
const LINE_FEED = "\x1e";
const RETURN = "\x1d";
const HEADER_ROWS = 20; // rows looked at to tell whether the first holds names
const BATCH = 1 << 16;

/** Opens a workbook. Throws DataError on a cut or foreign file and an empty sheet, ConfigError on a sheet that is not there. */
export async function openXlsx(session: Session, facts: FileFacts, options: ReadOptions): Promise<Source> {
  await refuseCut(facts);
  const file = join(session.folder, "sheet.txt");
  const found: Found = { rows: 0, columns: 0, first: [], lineEnds: false };
  try {
    await pipeline(Readable.from(sheetText(facts.path, options, found)), createWriteStream(file), { signal: options.signal });
  } catch (error) {
    throw translate(error, facts.path, options);
  }
  if (found.rows === 0) throw emptySheet(facts.path, options.sheet);
  const header = options.header ?? looksLikeHeader(found.first);
  const width = Math.max(found.columns, found.first[0].length);
  const names = Array.from({ length: width }, (_, i) => (header ? (found.first[0][i] ?? "") : `column${i + 1}`));
  const source = csvSource({
    file,
    gzip: false,
    hasQuotes: false,
    dialect: { delimiter: SEPARATOR, quote: "", escape: "", header, columns: [...distinctNames(names), ROW], recordBytes: 1 },
    estimatedRows: found.rows,
    expectedRows: found.rows - (header ? 1 : 0),
    guessed: [],
  });
  const columns = source.columns.slice(0, -1);
  const cells = columns.map(
    (column) => `replace(replace(${name(column.name)}, chr(30), chr(10)), chr(29), chr(13)) AS ${name(column.name)}`,
  );
  return {
    ...source,
    format: "xlsx",
    columns,
    relation: (storeRejects) =>
      found.lineEnds ? `(SELECT ${cells.join(", ")}, ${name(ROW)} FROM ${source.relation(storeRejects)})` : source.relation(storeRejects),
    lineSql: `CAST(${name(ROW)} AS DOUBLE)`,
  };
}

/** The sheet as text, one more column at the end for the row's number; short rows are filled up. */
async function* sheetText(path: string, options: ReadOptions, found: Found): AsyncGenerator<string> {
  const { streamXlsxRows } = await import("hucre/xlsx");
  const bytes = Readable.toWeb(createReadStream(path)) as unknown as ReadableStream<Uint8Array>;
  const rows = streamXlsxRows(bytes, { sheet: options.sheet ?? 0 });
  const waiting: { line: number; cells: string[] }[] = [];
  let batch = "";
  const write = (line: number, cells: string[]) => {
    if (cells.length > found.columns)
      throw new DataError(`Row ${line} of the sheet in ${path} has ${cells.length} cells, more than the ${found.columns} above it.`, {
        hint: "Put the table at the top left of a sheet of its own.",
        details: { file: path, line },
      });
    for (let i = 0; i < found.columns; i++) batch += `${oneLine(cells[i] ?? "", found)}${SEPARATOR}`;
    batch += `${line}\n`;
  };
  for await (const { index, values } of rows) {
    const cells = (values as Cell[]).map(cellText);
    while (cells.length > 0 && cells[cells.length - 1] === "") cells.pop();
    if (cells.length === 0) continue;
    found.rows++;
    if (found.rows <= HEADER_ROWS) {
      found.first.push(cells);
      waiting.push({ line: index + 1, cells });
      found.columns = Math.max(found.columns, cells.length);
      continue;
    }
    while (waiting.length > 0) {
      const { line, cells: early } = waiting.shift()!;
      write(line, early);
    }
    write(index + 1, cells);
    if (batch.length >= BATCH) {
      yield batch;
      batch = "";
    }
    if (found.rows % 50_000 === 0) options.onProgress?.({ stage: "unpacking", done: found.rows, total: found.rows });
  }
  for (const { line, cells } of waiting) write(line, cells);
  if (batch !== "") yield batch;
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "string") return cell;
  if (typeof cell === "number") return Number.isFinite(cell) ? plainNumber(cell) : "";
  if (cell instanceof Date) return Number.isNaN(cell.getTime()) ? "" : cell.toISOString();
  if (typeof cell === "boolean") return cell ? "true" : "false";
  return typeof cell === "object" && "error" in cell ? "" : String(cell);
}

/** Whole numbers in full (no 1e+21), others as short as they can be read back. */
function plainNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : String(value);
}

function oneLine(cell: string, found: Found): string {
  if (!/[\r\n]/.test(cell)) return cell;
  found.lineEnds = true;
  return cell.replaceAll("\n", LINE_FEED).replaceAll("\r", RETURN);
}

/** A whole archive ends with its directory; without it the file was cut. */
async function refuseCut({ path, bytes }: FileFacts): Promise<void> {
  const length = Math.min(bytes, 66_000);
  const handle = await open(path, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, bytes - length);
    if (buffer.lastIndexOf("PK\x05\x06", undefined, "latin1") >= 0) return;
  } finally {
    await handle.close();
  }
  throw new DataError(`${path} is cut off: the end of the workbook is missing.`, {
    hint: "Copy or download the file again.",
    details: { file: path },
  });
}

function emptySheet(path: string, sheet: string | number | undefined): TastemakerError {
  return sheet === undefined
    ? new DataError(`The first sheet of ${path} is empty.`, { hint: "Name another one by the option sheet.", details: { file: path } })
    : new ConfigError(`${path} has no sheet ${JSON.stringify(sheet)}, or it is empty.`, {
        hint: "Sheets are named as on their tabs, or numbered from 0.",
        details: { path: "sheet", got: sheet },
      });
}

function translate(error: unknown, path: string, { signal }: ReadOptions): TastemakerError {
  if (signal?.aborted) return new CancelledError("Reading was cancelled.", { cause: signal.reason });
  if (error instanceof TastemakerError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DataError(`${path} cannot be read as an XLSX workbook: ${message}`, {
    hint: "Open and save it as .xlsx, or save the sheet as csv.",
    cause: error,
    details: { file: path },
  });
}
