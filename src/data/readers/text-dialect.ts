/**
 * Finds out how a delimited text is written from its beginning: delimiter, quote, escape, and whether it opens with column names.
 * The candidate under which most records have the same number of fields wins. Called by the csv reader.
 */
import { ConfigError } from "../../core/errors.js";
import { roleOfName } from "./column-names.js";

export interface Dialect {
  delimiter: string;
  /** "" = fields are never quoted. */
  quote: string;
  escape: string;
  header: boolean;
  /** Distinct; made up as column1, column2 … where the file has none. */
  columns: string[];
  /** Average length of a record, for progress. */
  recordBytes: number;
}

const DELIMITERS = [",", "\t", ";", "|", "::", "\x01", "^", "~", ":", " "];
const MOST_RECORDS = 500;
const NUMBER = /^\s*[-+]?(\d[\d.,]*|\.\d+)(e[-+]?\d+)?\s*$/i;
const DATE = /^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?$/;

/** `sample` is the text's beginning; `whole` says that it is all of it. Throws ConfigError on a delimiter that cannot be one. */
export function detectDialect(sample: string, whole: boolean, given: { delimiter?: string; quote?: string; header?: boolean }): Dialect {
  const { delimiter, quote } = given;
  if (delimiter !== undefined && (delimiter === "" || Buffer.byteLength(delimiter) > 4 || /["\r\n]/.test(delimiter)))
    throw new ConfigError(`The delimiter is ${JSON.stringify(delimiter)}.`, {
      hint: "One to four bytes, no quote and no line end; a tab is written as \\t.",
      details: { path: "delimiter", got: delimiter },
    });
  if (quote !== undefined && !["", '"', "'"].includes(quote))
    throw new ConfigError(`The quote is ${JSON.stringify(quote)}.`, {
      hint: `Write ", ' or nothing.`,
      details: { path: "quote", got: quote, allowed: ['"', "'", ""] },
    });
  let best: { delimiter: string; quote: string; escape: string; records: string[][]; score: number } | undefined;
  for (const candidate of delimiter === undefined ? DELIMITERS : [delimiter]) {
    if (!sample.includes(candidate) && delimiter === undefined) continue;
    for (const quoting of quotings(sample, quote)) {
      const { records, badQuotes } = splitRecords(sample, whole, { delimiter: candidate, ...quoting });
      if (records.length === 0) continue;
      const score = scoreOf(records, badQuotes);
      if (score > 0 && (!best || score > best.score * 1.0001)) best = { delimiter: candidate, ...quoting, records, score };
    }
  }
  best ??= {
    delimiter: delimiter ?? ",",
    quote: '"',
    escape: '"',
    ...splitRecords(sample, whole, { delimiter: delimiter ?? ",", quote: '"', escape: '"' }),
    score: 0,
  };
  const { records, score: _, ...dialect } = best;
  const header = given.header ?? looksLikeHeader(records);
  const bytes = Buffer.byteLength(records.map((record) => record.join(dialect.delimiter)).join("\n")) + 1;
  return {
    ...dialect,
    header,
    columns: header ? distinctNames(records[0] ?? []) : (records[0] ?? []).map((_, i) => `column${i + 1}`),
    recordBytes: bytes / Math.max(1, records.length),
  };
}

function quotings(sample: string, given: string | undefined): { quote: string; escape: string }[] {
  if (given !== undefined) return [{ quote: given, escape: given === '"' && /\\"/.test(sample) && !/""/.test(sample) ? "\\" : given }];
  if (!sample.includes('"')) {
    const single = (sample.match(/(^|[,;\t|])'[^'\r\n]*'(?=[,;\t|\r\n]|$)/gm) ?? []).length > 4;
    return single
      ? [
          { quote: "'", escape: "'" },
          { quote: '"', escape: '"' },
        ]
      : [{ quote: '"', escape: '"' }];
  }
  const doubled = { quote: '"', escape: '"' };
  const none = { quote: "", escape: "" };
  return sample.includes('\\"') ? [doubled, { quote: '"', escape: "\\" }, none] : [doubled, none];
}

/** Share of records with the usual number of fields, lowered by broken quotes; 0 for a single field. A little more for more fields. */
function scoreOf(records: string[][], badQuotes: number): number {
  const counts = new Map<number, number>();
  for (const { length } of records) counts.set(length, (counts.get(length) ?? 0) + 1);
  const [fields, share] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  if (fields < 2) return 0;
  const consistent = share / records.length - Math.min(1, badQuotes / records.length);
  return consistent * consistent * consistent * (1 + Math.min(fields, 20) / 100) * (records[0].length === fields ? 1 : 0.8);
}

export interface Quoting {
  delimiter: string;
  quote: string;
  escape: string;
}

/** Records of the sample's beginning; the last is left out where the sample may cut it. Blank lines are no records. */
export function splitRecords(
  sample: string,
  whole: boolean,
  { delimiter, quote, escape: escapeMark }: Quoting,
): { records: string[][]; badQuotes: number } {
  const records: string[][] = [];
  let record: string[] = [];
  let badQuotes = 0;
  let at = 0;
  const end = sample.length;
  const width = delimiter.length;
  while (at < end && records.length < MOST_RECORDS) {
    let field = "";
    if (quote !== "" && sample[at] === quote) {
      at++;
      for (;;) {
        if (at >= end) break; // a quote that stays open to the end says that the text was cut, not that quotes mean nothing
        if (escapeMark !== quote && sample[at] === escapeMark && at + 1 < end) {
          field += sample[at + 1];
          at += 2;
        } else if (sample[at] === quote) {
          if (escapeMark === quote && sample[at + 1] === quote) {
            field += quote;
            at += 2;
          } else {
            at++;
            break;
          }
        } else field += sample[at++];
      }
      if (at < end && !isEnd(sample, at) && !sample.startsWith(delimiter, at)) badQuotes++;
    }
    while (at < end && !isEnd(sample, at) && !sample.startsWith(delimiter, at)) field += sample[at++];
    record.push(field);
    if (at < end && !isEnd(sample, at)) {
      at += width;
      if (at < end) continue;
      record.push("");
    }
    const cut = at >= end && !whole;
    if (sample[at] === "\r" && sample[at + 1] === "\n") at++;
    at++;
    if (!cut && !(record.length === 1 && record[0].trim() === "")) records.push(record);
    record = [];
  }
  return { records, badQuotes };
}

function isEnd(sample: string, at: number): boolean {
  return sample[at] === "\n" || sample[at] === "\r";
}

/** Names are texts, distinct, and unlike what follows: known names, above numbers or dates, or texts that never come again. */
export function looksLikeHeader(records: readonly (readonly string[])[]): boolean {
  const [first, ...body] = records;
  if (!first) return false;
  const filled = first.filter((cell) => cell.trim() !== "");
  if (filled.length === 0 || filled.some((cell) => NUMBER.test(cell) || DATE.test(cell))) return false;
  if (new Set(filled).size < filled.length && body.length > 0 && !filled.some((cell) => roleOfName(cell))) return false;
  if (filled.some((cell) => roleOfName(cell))) return true;
  if (body.length === 0) return true;
  return (
    first.some((cell, i) => {
      const below = body.map((record) => record[i] ?? "").filter((value) => value.trim() !== "");
      const typed = below.filter((value) => NUMBER.test(value) || DATE.test(value)).length;
      return cell.trim() !== "" && below.length > 0 && typed >= below.length * 0.9;
    }) || first.every((cell, i) => body.length > 1 && body.every((record) => record[i] !== cell))
  );
}

/** Empty names become column1 …, repeated ones get a number. Compared without case, as SQL does. */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((given, i) => {
    const base = given.trim() === "" ? `column${i + 1}` : given.trim();
    let name = base;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${base}_${n}`;
    taken.add(name.toLowerCase());
    return name;
  });
}
