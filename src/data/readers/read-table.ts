/**
 * Reads a few named columns of any file the readers open (csv, Parquet, JSON lines, XLSX): ids as indexes with their map, numbers as
 * float64, whatever their sign. For tables that are no events: ranked lists, logged impressions. Ids are the same texts that
 * `readDataset` gives, so both can be matched.
 */
import { resolve } from "node:path";
import type { DuckDBVector } from "@duckdb/node-api";
import { ConfigError, DataError, throwIfCancelled } from "../../core/errors.js";
import type { IdMap } from "../../core/interactions.js";
import type { Progress } from "../../core/model.js";
import { nameFit, plainName } from "./column-names.js";
import { formatOf, openSource } from "./formats.js";
import { findColumn } from "./guess-columns.js";
import { IdCollector } from "./id-collector.js";
import { inspectFile } from "./inspect-file.js";
import type { FileFormat, Guess, RejectReason, Source, SourceColumn } from "./read-types.js";
import { malformedRecords } from "./rejects.js";
import { name, Session } from "./session.js";

/** A column to look for. */
export interface TableColumn {
  role: string;
  /** `id`: rows without one are rejected, unless it `mayBeEmpty` (index −1). `number`: rows whose cell is no finite number are rejected, empty cells too unless `mayBeEmpty`. */
  kind: "id" | "number";
  /** Names it usually has, in lower case without separators, the strongest first. */
  names: readonly string[];
  /** Without it there is no reading. */
  required?: boolean;
  /** Has a place, the order of those so marked, in a file without header. */
  byPlace?: boolean;
  /** Not looked for where that role has a column. */
  unless?: string;
  /** Empty cells become NaN, or index −1. */
  mayBeEmpty?: boolean;
}

export interface TableOptions {
  format?: FileFormat;
  delimiter?: string;
  header?: boolean;
  sheet?: string | number;
  /** Role → column of the file; null = there is none. Those left out are guessed by name, in a file without header by place. */
  columns?: Readonly<Record<string, string | null | undefined>>;
  memoryLimit?: string;
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export interface Table {
  /** Rows kept; the length of every column. */
  numRows: number;
  ids: Record<string, { index: Int32Array; ids: IdMap }>;
  numbers: Record<string, Float64Array>;
  report: {
    file: string;
    format: FileFormat;
    rowsRead: number;
    rowsKept: number;
    rejected: RejectReason[];
    columns: Record<string, string>;
    guessed: Guess[];
  };
}

/**
 * Reads the wanted columns, rows in the order of the file. Throws as `readDataset` does; ConfigError when a column is missing
 * (with the nearest names), DataError when no row is kept. Memory: 4 bytes per id and 8 per number of a row, each distinct id once.
 */
export async function readTable(file: string, wanted: readonly TableColumn[], options: TableOptions = {}): Promise<Table> {
  throwIfCancelled(options.signal);
  const path = resolve(file);
  const facts = await inspectFile(path, options);
  const session = await Session.open({ ...options, file: path });
  try {
    const source = await openSource(formatOf(facts, options.format), session, facts, options);
    const { columns, guessed } = chooseColumns(source, wanted, { ...options, path });
    const found = wanted.filter(({ role }) => columns[role] !== undefined);
    const { kept, rows, rejected, ...parts } = await collect(session, source, { wanted: found, columns, onProgress: options.onProgress });
    const malformed = await malformedRecords(session, source, path, { records: rows, limited: false });
    const rowsRead = rows + malformed.before.length;
    const reasons: RejectReason[] = malformed.example
      ? [{ reason: "malformed row", count: malformed.before.length, example: malformed.example }]
      : [];
    for (const { ordinal, ...reason } of rejected) {
      const line = reason.example.line || source.headerRows + ordinal + malformed.before.filter((before) => before < ordinal).length;
      reasons.push({ ...reason, example: { ...reason.example, line } });
    }
    if (kept === 0) {
      const why = reasons.map(
        ({ reason, count, example }) => `${reason} (${count}, first in line ${example.line}: ${JSON.stringify(example.value)})`,
      );
      throw new DataError(`None of the ${rowsRead} rows of ${path} can be used${why.length > 0 ? `: ${why.join("; ")}` : ""}.`, {
        hint: "Check that the right columns were taken.",
        details: { file: path, rejected: reasons },
      });
    }
    return {
      numRows: kept,
      ...parts,
      report: {
        file,
        format: source.format,
        rowsRead,
        rowsKept: kept,
        rejected: reasons,
        columns,
        guessed: [...source.guessed, ...guessed],
      },
    };
  } finally {
    await session.close();
  }
}

/** Names of the columns of a file, in its order. Throws as `readTable` does for a file that cannot be opened. */
export async function tableColumns(file: string, options: TableOptions = {}): Promise<string[]> {
  const path = resolve(file);
  const facts = await inspectFile(path, options);
  const session = await Session.open({ ...options, file: path });
  try {
    const { columns } = await openSource(formatOf(facts, options.format), session, facts, options);
    return columns.map((column) => column.name);
  } finally {
    await session.close();
  }
}

/** The file's column for each role, by the caller, by name, or by place in a file without header. */
function chooseColumns(
  source: Source,
  wanted: readonly TableColumn[],
  { columns: choice = {}, path }: TableOptions & { path: string },
): { columns: Record<string, string>; guessed: Guess[] } {
  const columns: Record<string, string> = {};
  const guessed: Guess[] = [];
  for (const { role } of wanted) {
    const told = choice[role];
    if (told) columns[role] = findColumn(source.columns, told, `columns.${role}`);
  }
  const free = () => source.columns.filter((column) => !Object.values(columns).includes(column.name));
  for (const one of wanted) {
    if (columns[one.role] !== undefined || choice[one.role] === null || columns[one.unless ?? ""] !== undefined) continue;
    const [column] = source.named ? bestNames(free(), one) : one.byPlace ? free() : [];
    if (!column) continue;
    columns[one.role] = column.name;
    const why = source.named ? `its name says ${one.role}` : `the file has no names; it is column ${source.columns.indexOf(column) + 1}`;
    guessed.push({ role: one.role, column: column.name, why });
  }
  const missing = wanted.find(({ role, required }) => required && columns[role] === undefined);
  if (missing) {
    const names = source.columns.map((column) => column.name);
    throw new ConfigError(`${path} has no column for the ${missing.role}; it has ${names.join(", ")}.`, {
      hint: `Name the column of the ${missing.role}, or call it ${missing.names[0]}.`,
      details: { path: `columns.${missing.role}`, allowed: names },
    });
  }
  return { columns, guessed };
}

/** Columns whose name fits, best first: the role's own names, then what events call a user or an item. */
function bestNames(free: readonly SourceColumn[], { role, names }: TableColumn): SourceColumn[] {
  const fit = (column: SourceColumn) => {
    const place = names.indexOf(plainName(column.name));
    if (place >= 0) return 2 - place / names.length;
    return role === "user" || role === "item" ? nameFit(column.name, role) : 0;
  };
  return free.filter((column) => fit(column) > 0).sort((a, b) => fit(b) - fit(a));
}

interface Plan {
  wanted: readonly TableColumn[];
  columns: Record<string, string>;
  onProgress: TableOptions["onProgress"];
}

async function collect(session: Session, source: Source, { wanted, columns, onProgress }: Plan) {
  const { sql, reasons } = tableSql(source, wanted, columns);
  const result = await session.stream(sql);
  const names = result.columnNames();
  const at = (column: string) => names.indexOf(column);
  const ids = wanted
    .filter(({ kind }) => kind === "id")
    .map(({ role }) => ({ role, collector: new IdCollector(), parts: [] as Int32Array[] }));
  const numbers = wanted.filter(({ kind }) => kind === "number").map(({ role }) => ({ role, parts: [] as Float64Array[] }));
  const rejected: (RejectReason & { ordinal: number })[] = [];
  let rows = 0;
  let blank = 0;
  let kept = 0;
  for (;;) {
    const chunk = await session.guard(() => result.fetchChunk());
    if (!chunk || chunk.rowCount === 0) break;
    const skip = valuesOf(chunk.getColumnVector(at("reason")), Uint8Array);
    const good = new Int32Array(chunk.rowCount);
    let numGood = 0;
    skip.subarray(0, chunk.rowCount).forEach((reason, row) => {
      if (reason === 0) good[numGood++] = row;
      else if (reason === BLANK) blank++;
      else {
        const known = rejected.find((one) => one.reason === reasons[reason - 1]);
        const value = () => String(chunk.getColumnVector(at("value")).getItem(row) ?? "");
        const line = () => Number(chunk.getColumnVector(at("line")).getItem(row));
        if (known) known.count++;
        else rejected.push({ reason: reasons[reason - 1], count: 1, example: { line: line(), value: value() }, ordinal: rows + row + 1 });
      }
    });
    for (const { role, collector, parts } of ids) {
      const out = new Int32Array(chunk.rowCount);
      collector.add(chunk.getColumnVector(at(`role ${role}`)), undefined, skip, out);
      parts.push(good.subarray(0, numGood).map((row) => out[row]));
    }
    for (const { role, parts } of numbers) {
      const values = valuesOf(chunk.getColumnVector(at(`role ${role}`)), Float64Array);
      const own = new Float64Array(numGood);
      for (let row = 0; row < numGood; row++) own[row] = values[good[row]];
      parts.push(own);
    }
    rows += chunk.rowCount;
    kept += numGood;
    onProgress?.({ stage: "reading", done: rows, total: Math.max(rows, source.estimatedRows) });
  }
  return {
    rows: rows - blank,
    kept,
    rejected,
    ids: Object.fromEntries(
      ids.map(({ role, collector, parts }) => [role, { index: joined(new Int32Array(kept), parts), ids: collector.idMap() }]),
    ),
    numbers: Object.fromEntries(numbers.map(({ role, parts }) => [role, joined(new Float64Array(kept), parts)])),
  };
}

const BLANK = 255;

/** One SELECT: reason (0 = kept), value, line, and the columns of all roles. */
function tableSql(source: Source, wanted: readonly TableColumn[], columns: Record<string, string>): { sql: string; reasons: string[] } {
  const reasons: string[] = [];
  const cases: string[] = [];
  const reject = (reason: string, when: string) => {
    reasons.push(reason);
    cases.push(`WHEN ${when} THEN ${reasons.length}`);
  };
  if (source.malformedSql) reject("malformed row", source.malformedSql);
  const shown = source.columns.slice(0, 12).map((column) => `coalesce(CAST(${name(column.name)} AS VARCHAR), '')`);
  const selected: string[] = [];
  for (const { role, kind, mayBeEmpty } of wanted) {
    const column = source.columns.find((candidate) => candidate.name === columns[role])!;
    const cell = name(column.name);
    const isEmpty = `(${cell} IS NULL OR trim(CAST(${cell} AS VARCHAR), E' \\t\\r\\n') = '')`;
    if (kind === "id") {
      if (!mayBeEmpty) reject(`no ${role}`, `${idText(column)} = ''`);
      selected.push(`${idText(column)} AS ${name(`role ${role}`)}`);
      continue;
    }
    if (!mayBeEmpty) reject(`no ${role}`, isEmpty);
    reject(`unreadable ${role}`, `NOT ${isEmpty} AND coalesce(NOT isfinite(TRY_CAST(${cell} AS DOUBLE)), true)`);
    selected.push(`coalesce(TRY_CAST(${cell} AS DOUBLE), 'nan'::DOUBLE) AS ${name(`role ${role}`)}`);
  }
  const blank = source.blankSql ? `WHEN ${source.blankSql} THEN ${BLANK}` : "";
  // The row's text is made for rejected rows only.
  const sql = `SELECT reason, CASE WHEN reason = 0 THEN '' ELSE value END AS value, line, * EXCLUDE (reason, value, line) FROM (
    SELECT CAST(CASE ${blank} ${cases.join(" ")} ELSE 0 END AS UTINYINT) AS reason, concat_ws(', ', ${shown.join(", ")}) AS value,
    ${source.lineSql ?? "0.0::DOUBLE"} AS line, ${selected.join(", ")} FROM ${source.relation(true)})`;
  return { sql, reasons };
}

/** The id as `readDataset` writes it: exact text, '' when blank, whole numbers of typed columns without fraction. */
function idText({ name: column, type }: SourceColumn): string {
  const cell = name(column);
  if (/^(DOUBLE|FLOAT|DECIMAL)/i.test(type)) {
    const number = `CAST(${cell} AS DOUBLE)`;
    return `CASE WHEN ${cell} IS NULL OR isnan(${number}) THEN '' WHEN ${number} = trunc(${number}) AND abs(${number}) < 9e15 THEN CAST(CAST(${number} AS BIGINT) AS VARCHAR) ELSE CAST(${cell} AS VARCHAR) END`;
  }
  return `CASE WHEN ${cell} IS NULL OR trim(CAST(${cell} AS VARCHAR), E' \\t\\r\\n') = '' THEN '' ELSE CAST(${cell} AS VARCHAR) END`;
}

/** The values of a number column without NULLs: the driver's own array where it shows it. */
function valuesOf<T extends Uint8Array | Float64Array>(
  vector: DuckDBVector,
  type: { new (length: number): T; from(values: number[]): T },
): T {
  const { items } = vector as unknown as { items?: unknown };
  if (items instanceof type) return items;
  return type.from(Array.from({ length: vector.itemCount }, (_, row) => Number(vector.getItem(row))));
}

function joined<T extends Int32Array | Float64Array>(out: T, parts: readonly T[]): T {
  let next = 0;
  for (const part of parts) {
    out.set(part as never, next);
    next += part.length;
  }
  return out;
}
