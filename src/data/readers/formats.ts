/**
 * Which reader opens a file: the format the caller names, else what the first bytes say, else JSON or delimited text by the beginning.
 * A new format is one file with an `open` function, one line here, and one line in the contract suite.
 */
import { extname } from "node:path";
import { ConfigError, DataError } from "../../core/errors.js";
import { nameHint } from "../../core/nearest-names.js";
import { openCsv } from "./csv.js";
import type { FileFacts } from "./inspect-file.js";
import { openJsonl } from "./jsonl.js";
import { openParquet } from "./parquet.js";
import { openPython } from "./python.js";
import { jsonOfPython } from "./python-literal.js";
import type { FileFormat, ReadOptions, Source } from "./read-types.js";
import type { Session } from "./session.js";
import { openXlsx } from "./xlsx.js";

const readers: Record<FileFormat, (session: Session, facts: FileFacts, options: ReadOptions) => Promise<Source>> = {
  csv: openCsv,
  parquet: openParquet,
  jsonl: openJsonl,
  python: openPython,
  xlsx: openXlsx,
};

/** Throws ConfigError on an unknown format, DataError when the contents are of another one. */
export function formatOf(facts: FileFacts, wanted: FileFormat | undefined): FileFormat {
  if (wanted !== undefined && !(wanted in readers))
    throw new ConfigError(`There is no format ${JSON.stringify(wanted)}.`, {
      hint: nameHint(wanted, Object.keys(readers)),
      details: { path: "format", got: wanted, allowed: Object.keys(readers) },
    });
  const extension = extname(facts.gzip ? facts.path.replace(/\.gz$/i, "") : facts.path).toLowerCase();
  const expected = wanted ?? (extension === ".parquet" ? "parquet" : extension === ".xlsx" ? "xlsx" : undefined);
  const found: FileFormat = facts.kind !== "text" ? facts.kind : expected === "csv" ? "csv" : textFormat(facts.sample);
  const isBinary = (format: FileFormat) => format === "parquet" || format === "xlsx";
  if (expected && expected !== found && (wanted !== undefined || isBinary(expected)) && (isBinary(expected) || isBinary(found)))
    throw new DataError(`${facts.path} is not a ${expected} file: it begins like ${isBinary(found) ? found : "text"}.`, {
      hint: `Give it its right name, or name the format ${isBinary(found) ? found : textFormat(facts.sample)}.`,
      details: { file: facts.path, expected, found },
    });
  return wanted ?? found;
}

export function openSource(format: FileFormat, session: Session, facts: FileFacts, options: ReadOptions): Promise<Source> {
  return readers[format](session, facts, options);
}

function textFormat(sample: string): FileFormat {
  return looksLikeJson(sample) ? "jsonl" : looksLikePython(sample) ? "python" : "csv";
}

/** A dict in the first line whose first key is in single quotes or marked as unicode. */
function looksLikePython(sample: string): boolean {
  const start = sample.trimStart();
  return /^\{\s*(u['"]|')/.test(start) && jsonOfPython(start.slice(0, start.search(/\r?\n|$/))) !== undefined;
}

/** An object in the first line, or an array of them. */
function looksLikeJson(sample: string): boolean {
  const start = sample.trimStart();
  if (/^\[\s*(\{|\])/.test(start)) return true;
  if (!start.startsWith("{")) return false;
  const line = start.slice(0, start.search(/\r?\n|$/));
  try {
    return typeof JSON.parse(line) === "object";
  } catch {
    return /^\{\s*"[^"]*"\s*:/.test(line);
  }
}
