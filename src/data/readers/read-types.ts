/**
 * What a reader is asked and what it answers; shared by all files of this folder and re-exported by `read-dataset.ts`.
 */
import type { Interactions } from "../../core/interactions.js";
import type { Progress } from "../../core/model.js";

export type FileFormat = "csv" | "parquet" | "jsonl" | "python" | "xlsx";

export type Role = "user" | "item" | "timestamp" | "weight" | "basket";

/** The source column of each role. */
export interface ColumnNames {
  user?: string;
  item?: string;
  timestamp?: string;
  weight?: string;
  basket?: string;
}

/** As `ColumnNames`; `null` says that there is no such column although one could be guessed. */
export type ColumnChoice = { readonly [R in Role]?: string | null };

export interface DropRule {
  /** Why such rows do not count; they are reported under it. */
  reason: string;
  /** SQL condition over the source's columns, such as `InvoiceNo LIKE 'C%'`. Columns of text files are text, and numbers where the condition needs them. */
  where: string;
}

export interface ReadOptions {
  /** Default: by content, then by extension. csv stands for every delimited text. */
  format?: FileFormat;
  /** 1 to 4 bytes. Default: guessed from the first megabyte. */
  delimiter?: string;
  /** Around fields that hold delimiters: `"`, `'`, or "" for texts in which quotes mean nothing. Default: guessed. */
  quote?: string;
  /** Whether delimited text or a sheet opens with column names. Default: guessed. Without, columns are called column1, column2 … */
  header?: boolean;
  /**
   * Columns that are not named are guessed from their names, then from their contents. No user column is fine when there is a basket.
   * How the weight column writes its numbers (1,234.5 or 1.234,5) is decided by evidence over the column; see `readDataset`.
   */
  columns?: ColumnChoice;
  /** Day and month order (`"dmy"`, `"mdy"`) or a strptime pattern such as `%d.%m.%Y %H:%M`. Default: by evidence over the column. */
  timeFormat?: string;
  /** Rows to leave out, the first matching rule counts. */
  drop?: readonly DropRule[];
  /** Keep rows without a user as events of an unknown user (userIndex −1). Default false: they are rejected as "no user". */
  keepUnknownUsers?: boolean;
  /** Weight of rows whose weight cell is empty. Default: they are rejected as "no weight". Without a weight column all weights are 1. */
  weightDefault?: number;
  /** Property name → source column. Default: title, price and category as far as they can be guessed; `{}` for none. */
  itemProperties?: Readonly<Record<string, string>>;
  /** Name → source column of a text of each row (a review, a comment): `interactions.context`, '' where the cell is empty. */
  texts?: Readonly<Record<string, string>>;
  /** Writes all rejected rows (line, reason, the source's columns, raw text of malformed rows) as csv. */
  rejectsFile?: string;
  /** Memory that the SQL engine may take, such as "256MB", at least 32MB. Default "1GB" (sheets: "128MB"). The result and the process itself come on top. */
  memoryLimit?: string;
  /** Threads of the SQL engine. Default: the processor's; text with quotes is read by one. Results do not depend on it. */
  threads?: number;
  /** Folder for what does not fit in memory; a folder made inside it is removed afterwards. Default: the system's. */
  tempFolder?: string;
  /** Name or 0-based number of the sheet to read. Default: the first. */
  sheet?: string | number;
  /** Read at most so many rows, rejected ones included. */
  maxRows?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export interface RejectReason {
  reason: string;
  count: number;
  /** The first one. `line`: record number in the file, header included (see `readDataset`). */
  example: { line: number; value: string };
}

/** Something that was decided without being told, to be announced. */
export interface Guess {
  /** A role, "property title", "timestamp format", "weight format" … */
  role: string;
  column: string;
  why: string;
}

export interface ReadReport {
  file: string;
  format: FileFormat;
  /** rowsKept + the sum of the rejected. */
  rowsRead: number;
  rowsKept: number;
  rejected: RejectReason[];
  columns: ColumnNames;
  guessed: Guess[];
  /** Fingerprint of the source file. */
  sha256: string;
}

export interface Dataset {
  interactions: Interactions;
  /** By itemIndex: the last non-empty value of the source, null where there is none. Columns of numbers only become numbers. */
  itemProperties: Record<string, (string | number | null)[]>;
  report: ReadReport;
}

/** A column of the source: "text" for delimited text, sheets and JSON, else the SQL type of a Parquet column. */
export interface SourceColumn {
  name: string;
  type: string;
}

/** Whether a source column holds texts, which may be written numbers or times. */
export function isText(type: string): boolean {
  return type === "text" || type === "VARCHAR";
}

/** A file made readable by SQL: the common path after it is the same for all formats. */
export interface Source {
  format: FileFormat;
  columns: readonly SourceColumn[];
  /** False when the columns' names were made up. */
  named: boolean;
  /** FROM clause with exactly `columns` (and those named below). `storeRejects` in at most one scan. */
  relation(storeRejects: boolean): string;
  /** Records before the first row. */
  headerRows: number;
  /** Expression for the line, where records do not simply count on. */
  lineSql?: string;
  /** Conditions over the relation for rows that cannot be read, and for those that are none. */
  malformedSql?: string;
  blankSql?: string;
  /** Text to show for a malformed row. */
  rawSql?: string;
  /** Name of the table that holds malformed records (line, csv_line, error_type) after a scan that stored them. */
  rejectsTable?: string;
  /** Rows counted independently, blank lines left out; a scan that comes to another number has lost some. */
  expectedRows?: number;
  /** For progress. */
  estimatedRows: number;
  /** How 1,234 is read where the whole column gives no hint. Default: a thousand. "none": no cell can hold a comma. */
  loneComma?: "decimal" | "none";
  guessed: readonly Guess[];
}
