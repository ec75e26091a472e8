/**
 * From a file to interactions: inspect it, open it by its reader, decide the columns, check and collect all rows in one scan.
 * The same path for csv, Parquet, JSON lines and XLSX. Called by the service layer and, as `readInteractions`, by library users.
 */
import { resolve } from "node:path";
import { ConfigError, DataError, throwIfCancelled } from "../../core/errors.js";
import type { Interactions as InteractionsType } from "../../core/interactions.js";
import type { Progress } from "../../core/model.js";
import { Interactions } from "../interactions.js";
import { type CollectedRows, collectRows } from "./collect-rows.js";
import { formatOf, openSource } from "./formats.js";
import { type ColumnSample, findColumn, guessColumns, guessItemProperties } from "./guess-columns.js";
import { inspectFile } from "./inspect-file.js";
import {
  decideNumberFormat,
  isSettled,
  type NumberEvidence,
  type NumberFormat,
  numberEvidence,
  numberEvidenceSql,
} from "./number-format.js";
import { type Dataset, type Guess, isText, type ReadOptions, type RejectReason, type Source } from "./read-types.js";
import { malformedRecords, rejectReasons, writeRejects } from "./rejects.js";
import { checkedRows } from "./row-checks.js";
import { name, Session } from "./session.js";
import { chosenFormat, describeTime, detectTimeFormat, orderEvidenceSql, orderOf, type TimeFormat } from "./time-format.js";

export type {
  ColumnChoice,
  ColumnNames,
  Dataset,
  DropRule,
  FileFormat,
  Guess,
  ReadOptions,
  ReadReport,
  RejectReason,
  Role,
} from "./read-types.js";

const SAMPLE_ROWS = 4_000;

/**
 * Reads a file of events: csv, tsv or any delimited text, JSON lines or a JSON array (each also as .gz), Parquet, XLSX.
 *
 * - **Columns** that `options.columns` does not name are guessed; `report.guessed` says what was decided and why. Users and items
 *   are needed (or baskets in place of users); time, weight and basket are taken where there are any.
 * - **Ids** are exact texts: case, leading zeros, quotes and inner line ends stay. Whole numbers of typed columns lose their fraction
 *   (17850.0 → "17850"). Only white space counts as missing. Indexes follow first appearance among the kept rows.
 * - **Times** are milliseconds since 1970 UTC; without a zone they are taken as UTC. ISO dates, 12/1/2010 8:26 (day and month order
 *   by evidence over the whole column), written-out months, unix seconds to nanoseconds, spreadsheet dates.
 * - **Weights** written as text may have a decimal point or comma and part thousands by the other mark (1,234.5 or 1.234,5). The whole
 *   column decides: a value with both marks, or with one that cannot part thousands (2,5 or 0,125), tells the decimal mark. Without such
 *   values 1,234 is 1234 when other values have no comma. When nothing tells, it is 1234 too (1.234 in text without quotes whose
 *   delimiter is no comma). Where commas had a say, `report.guessed` tells how they were read ("weight format"). Values that do not fit
 *   are rejected as unreadable.
 * - **Rows** keep the order of the file. Each row is either kept or counted under exactly one reason:
 *   `rowsRead = rowsKept + Σ rejected.count`. Reasons in the order of checking: malformed row, those of `options.drop`, no user,
 *   no item, no time, unreadable time, no weight, unreadable weight, weight not finite, negative weight.
 * - **Lines** in reports are record numbers from 1, the header included: a quoted line end does not start a new record, and blank lines
 *   of delimited text are not counted. For sheets they are the sheet's row numbers, for Parquet row numbers.
 * - **Memory**: the engine's `memoryLimit`, 12 to 24 bytes per kept row, and each distinct id once; `texts` are kept whole.
 *
 * @returns interactions, properties by itemIndex, and the report to announce.
 * @throws NotFoundError for a missing file; DataError for empty, cut-off or foreign files and when no row is kept;
 *   ConfigError for columns that do not exist or cannot be guessed and for wrong drop rules; IoError when the system refuses;
 *   CancelledError when `options.signal` is aborted.
 */
export async function readDataset(file: string, options: ReadOptions = {}): Promise<Dataset> {
  checkOptions(options);
  throwIfCancelled(options.signal);
  const path = resolve(file);
  const report = calm(options.onProgress);
  const facts = await inspectFile(path, { signal: options.signal, onProgress: report });
  const format = formatOf(facts, options.format);
  // A text with quotes is scanned by one thread (see csv.ts); others would only spin beside it (measured: twice the processor time).
  const threads = format === "csv" && facts.hasQuotes ? 1 : options.threads;
  const memoryLimit = options.memoryLimit ?? (format === "xlsx" ? "128MB" : undefined); // beside what unpacking takes
  const session = await Session.open({
    ...options,
    threads,
    memoryLimit,
    file: path,
    scanBytes: facts.textBytes || facts.bytes * (format === "parquet" ? 4 : 1),
  });
  try {
    const source = await openSource(format, session, facts, options);
    const samples = await sampleColumns(session, source, path);
    const { columns, guessed } = guessColumns(samples, options.columns, source.named);
    const properties = chooseProperties(samples, columns, options);
    const texts = Object.entries(options.texts ?? {}).map(([text, column]) => ({
      text,
      column: findColumn(samples, column, `texts.${text}`),
    }));
    const time = columns.timestamp === undefined ? undefined : await timeFormatOf(session, source, samples, columns.timestamp, options);
    const valuesOf = (column: string | undefined) => samples.find((sample) => sample.name === column)?.values ?? [];
    const weightFormat = await weightFormatOf(session, source, samples, columns.weight, options);
    const checked = await checkedRows(session, {
      source,
      columns,
      timeFormat: time?.format,
      weightFormat,
      properties: Object.values(properties.chosen),
      texts: texts.map(({ column }) => column),
      options,
      longIds: new Set(
        (["user", "item", "basket"] as const).filter((role) =>
          valuesOf(columns[role]).some((value) => Buffer.byteLength(value ?? "") > 12),
        ),
      ),
    });
    const total = Math.min(source.estimatedRows, options.maxRows ?? Infinity);
    const collected = await collectRows(session, checked.sql, {
      estimatedRows: total,
      onRows: (rows) => report?.({ stage: "reading", done: rows, total: Math.max(rows, total) }),
    });
    const limited = options.maxRows !== undefined && collected.rows >= options.maxRows;
    const malformed = await malformedRecords(session, source, path, { records: collected.rows, limited });
    const rejected = rejectReasons(collected, checked, source, malformed);
    if (options.rejectsFile !== undefined) await writeRejects(session, checked, source, options.rejectsFile);
    const rowsRead = collected.rows + malformed.before.length;
    if (collected.kept === 0) throw nothingKept(path, rowsRead, rejected);
    report?.({ stage: "reading", done: rowsRead, total: rowsRead });
    return {
      interactions: toInteractions(collected, Object.fromEntries(texts.map(({ text }, i) => [text, collected.texts[i]]))),
      itemProperties: Object.fromEntries(Object.keys(properties.chosen).map((property, i) => [property, collected.properties[i]])),
      report: {
        file,
        format,
        rowsRead,
        rowsKept: collected.kept,
        rejected,
        columns,
        guessed: [
          ...source.guessed,
          ...guessed,
          ...(time ? [time.guess] : []),
          ...announced(weightFormat, columns.weight),
          ...properties.guessed,
        ],
        sha256: facts.sha256,
      },
    };
  } finally {
    await session.close();
  }
}

/** The events alone: `readDataset` without item properties and report. The same options, guesses, checks and errors. */
export async function readInteractions(file: string, options: ReadOptions = {}): Promise<InteractionsType> {
  return (await readDataset(file, { ...options, itemProperties: {} })).interactions;
}

function checkOptions({ maxRows, weightDefault, threads }: ReadOptions): void {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    throw new ConfigError(`threads is ${threads}.`, { hint: "A whole number of at least 1.", details: { path: "threads", got: threads } });
  if (maxRows !== undefined && !(Number.isInteger(maxRows) && maxRows >= 1))
    throw new ConfigError(`maxRows is ${maxRows}.`, { hint: "A whole number of at least 1.", details: { path: "maxRows", got: maxRows } });
  if (weightDefault !== undefined && !(weightDefault >= 0 && Number.isFinite(weightDefault)))
    throw new ConfigError(`weightDefault is ${weightDefault}.`, {
      hint: "A finite number of at least 0.",
      details: { path: "weightDefault", got: weightDefault },
    });
}

/** The first rows, column by column, as text. */
async function sampleColumns(session: Session, source: Source, path: string): Promise<ColumnSample[]> {
  const cells = source.columns.map((column, i) => `CAST(${name(column.name)} AS VARCHAR) AS c${i}`).join(", ");
  const rows = await session.rows(
    `SELECT ${cells} FROM ${source.relation(false)} ${source.malformedSql ? `WHERE NOT (${source.malformedSql})` : ""} LIMIT ${SAMPLE_ROWS}`,
  );
  if (rows.length === 0 && source.estimatedRows <= 1 && source.format !== "parquet" && source.headerRows > 0)
    throw new DataError(`${path} holds only a header and no rows.`, {
      hint: "Give a file with at least one row.",
      details: { file: path },
    });
  if (rows.length === 0 && source.format === "parquet")
    throw new DataError(`${path} holds no rows.`, { hint: "Give a file with at least one row.", details: { file: path } });
  return source.columns.map((column, i) => ({ ...column, values: rows.map((row) => row[`c${i}`] as string | null) }));
}

function chooseProperties(
  samples: readonly ColumnSample[],
  columns: Parameters<typeof guessItemProperties>[1],
  { itemProperties }: ReadOptions,
) {
  if (itemProperties === undefined) {
    const { properties, guessed } = guessItemProperties(samples, columns);
    return { chosen: properties, guessed };
  }
  const chosen = Object.fromEntries(
    Object.entries(itemProperties).map(([property, column]) => [property, findColumn(samples, column, `itemProperties.${property}`)]),
  );
  return { chosen, guessed: [] as Guess[] };
}

/** The time column's format; day and month order by the whole column where the sample leaves it open. */
async function timeFormatOf(
  session: Session,
  source: Source,
  samples: readonly ColumnSample[],
  column: string,
  { timeFormat }: ReadOptions,
): Promise<{ format: TimeFormat; guess: Guess }> {
  const sample = samples.find((candidate) => candidate.name === column)!;
  const filled = sample.values.filter((value): value is string => value !== null && value.trim() !== "");
  const found = detectTimeFormat(filled, sample.type);
  const role = "timestamp format";
  if (timeFormat !== undefined) {
    const format = chosenFormat(found, timeFormat);
    return { format, guess: { role, column, why: `as told: ${describeTime(format)}` } };
  }
  if (found?.kind !== "slashed" || found.order) {
    const format = found ?? { kind: "iso" };
    return { format, guess: { role, column, why: describeTime(format) } };
  }
  const [{ first, second }] = await session.rows(`SELECT ${orderEvidenceSql(name(column))} FROM ${source.relation(false)}`);
  const order = orderOf(Number(first), Number(second));
  const format: TimeFormat = { ...found, order: order ?? (found.separator === "." ? "dmy" : "mdy") };
  const why = order
    ? `${describeTime(format)}, because the ${order === "dmy" ? "first" : "second"} number goes up to ${order === "dmy" ? first : second}`
    : `ambiguous, both numbers fit both day and month; taken as ${describeTime(format)}: say timeFormat "dmy" or "mdy" if you know`;
  return { format, guess: { role, column, why } };
}

/** How a weight column of texts writes its numbers; by the whole column where the sample leaves it open. */
async function weightFormatOf(
  session: Session,
  source: Source,
  samples: readonly ColumnSample[],
  column: string | undefined,
  { maxRows }: ReadOptions,
): Promise<NumberFormat> {
  const sample = samples.find((candidate) => candidate.name === column);
  if (sample === undefined || !isText(sample.type)) return { decimal: "." };
  let evidence = numberEvidence(sample.values);
  const isWhole = sample.values.length < SAMPLE_ROWS;
  if (!isWhole && !isSettled(evidence) && source.loneComma !== "none") {
    const limit = maxRows === undefined ? "" : ` LIMIT ${maxRows}`;
    const [row] = await session.rows(
      `SELECT ${numberEvidenceSql("number")} FROM (SELECT ${name(sample.name)} AS number FROM ${source.relation(false)}${limit})`,
    );
    evidence = Object.fromEntries(Object.entries(row).map(([kind, count]) => [kind, Number(count)])) as unknown as NumberEvidence;
  }
  return decideNumberFormat(evidence, source.loneComma === "decimal" ? "decimal" : "thousands");
}

function announced({ why }: NumberFormat, column: string | undefined): Guess[] {
  return column !== undefined && why !== undefined ? [{ role: "weight format", column, why }] : [];
}

function toInteractions(rows: CollectedRows, texts: Record<string, string[]>): InteractionsType {
  const { userIndex, itemIndex, weight, timestamp, basket, users, items } = rows;
  const context = Object.keys(texts).length > 0 ? texts : undefined;
  return Interactions.fromArrays({ userIndex, itemIndex, weight, timestamp, basket, users, items, context });
}

function nothingKept(file: string, rowsRead: number, rejected: readonly RejectReason[]): DataError {
  if (rowsRead === 0) return new DataError(`${file} holds no rows.`, { hint: "Give a file with at least one row.", details: { file } });
  const listed = rejected
    .map(
      ({ reason, count, example }) => `${reason} (${count}, first in line ${example.line}: ${JSON.stringify(example.value.slice(0, 120))})`,
    )
    .join("; ");
  return new DataError(`None of the ${rowsRead} rows of ${file} can be used: ${listed}.`, {
    hint: "Check that the right columns were taken; name them with --user, --item, --time, --weight and --basket (or the option columns).",
    details: { file, rejected },
  });
}

/** At most one report in 100 ms per stage, and every last one. */
function calm(onProgress: ((progress: Progress) => void) | undefined): ((progress: Progress) => void) | undefined {
  if (!onProgress) return undefined;
  let last = 0;
  let stage = "";
  return (progress) => {
    const now = performance.now();
    if (progress.stage === stage && progress.done < progress.total && now - last < 100) return;
    last = now;
    stage = progress.stage;
    onProgress(progress);
  };
}
