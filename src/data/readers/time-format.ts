/**
 * How a column writes time, found from its values, and the SQL that turns it into milliseconds since 1970 UTC.
 * Times without a zone are UTC. Called by column guessing and by the row checks.
 */
import { ConfigError } from "../../core/errors.js";

type Unit = "seconds" | "milliseconds" | "microseconds" | "nanoseconds";

export type TimeFormat =
  /** A time type of SQL. */
  | { kind: "typed" }
  | { kind: "epoch"; unit: Unit; plausible: boolean }
  /** 20111209 or 20111209083000. */
  | { kind: "compact"; digits: 8 | 14 }
  /** Days since 1899-12-30, as spreadsheets count. */
  | { kind: "serial" }
  | { kind: "iso" }
  /** 12/1/2010 8:26 and the like; day and month order still open when undefined. */
  | { kind: "slashed"; separator: string; order?: "dmy" | "mdy"; shortYear: boolean; clocks: readonly string[] }
  | { kind: "pattern"; patterns: readonly string[] };

const ISO = /^\s*\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)?)?\s*$/i;
const SLASHED = /^\s*(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[ap]m)?))?\s*$/i;
const NUMBER = /^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*$/i;
const MOST = 0.8;

/** Written-out months and mail dates. */
const PATTERNS: readonly { test: RegExp; patterns: readonly string[] }[] = [
  { test: /^\d{1,2}-[a-z]{3}-\d{4}/i, patterns: withClocks("%d-%b-%Y") },
  { test: /^\d{1,2}-[a-z]{3}-\d{2}\b/i, patterns: withClocks("%d-%b-%y") },
  { test: /^\d{1,2} [a-z]{3} \d{4}/i, patterns: withClocks("%d %b %Y") },
  { test: /^\d{1,2} [a-z]{4,} \d{4}/i, patterns: withClocks("%d %B %Y") },
  { test: /^[a-z]{3} \d{1,2},? \d{4}/i, patterns: [...withClocks("%b %d, %Y"), ...withClocks("%b %d %Y")] },
  { test: /^[a-z]{4,} \d{1,2},? \d{4}/i, patterns: [...withClocks("%B %d, %Y"), ...withClocks("%B %d %Y")] },
  { test: /^[a-z]{3}, \d{1,2} [a-z]{3} \d{4} .*[+-]\d{4}$/i, patterns: ["%a, %d %b %Y %H:%M:%S %z"] },
  { test: /^[a-z]{3}, \d{1,2} [a-z]{3} \d{4} .*GMT$/i, patterns: ["%a, %d %b %Y %H:%M:%S GMT"] },
  { test: /^[a-z]{3} [a-z]{3} +\d{1,2} .*[+-]\d{4} \d{4}$/i, patterns: ["%a %b %d %H:%M:%S %z %Y"] },
  { test: /^[a-z]{3} [a-z]{3} +\d{1,2} \d/i, patterns: ["%a %b %d %H:%M:%S %Y"] },
];

function withClocks(date: string): string[] {
  return [date, ...["%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p"].map((clock) => `${date} ${clock}`)];
}

/** The format that at least four fifths of the (non-empty) values have; undefined when they are not times. */
export function detectTimeFormat(values: readonly string[], type: string): TimeFormat | undefined {
  if (/^(DATE|TIMESTAMP)/i.test(type)) return { kind: "typed" };
  if (values.length === 0) return undefined;
  const share = (test: RegExp) => values.filter((value) => test.test(value)).length / values.length;
  if (share(ISO) >= MOST) return { kind: "iso" };
  if (share(NUMBER) >= MOST) return numericFormat(values.filter((value) => NUMBER.test(value)));
  if (share(SLASHED) >= MOST) return slashedFormat(values);
  const pattern = PATTERNS.find(({ test }) => share(test) >= MOST);
  return pattern && { kind: "pattern", patterns: pattern.patterns };
}

function numericFormat(values: readonly string[]): TimeFormat | undefined {
  const compact = (digits: number) =>
    values.every((value) => value.trim().length === digits && /^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d*$/.test(value.trim()));
  if (compact(8)) return { kind: "compact", digits: 8 };
  if (compact(14)) return { kind: "compact", digits: 14 };
  const sizes = values.map((value) => Math.abs(Number(value))).sort((a, b) => a - b);
  const middle = sizes[sizes.length >> 1];
  if (middle >= 1e17) return { kind: "epoch", unit: "nanoseconds", plausible: middle < 5e18 };
  if (middle >= 1e14) return { kind: "epoch", unit: "microseconds", plausible: true };
  if (middle >= 1e11) return { kind: "epoch", unit: "milliseconds", plausible: true };
  if (middle >= 2e8) return { kind: "epoch", unit: "seconds", plausible: middle < 5e9 };
  if (sizes[0] >= 20_000 && sizes[sizes.length - 1] <= 80_000 && values.some((value) => value.includes("."))) return { kind: "serial" };
  return { kind: "epoch", unit: "seconds", plausible: false };
}

function slashedFormat(values: readonly string[]): TimeFormat {
  const matches = values.map((value) => SLASHED.exec(value)).filter((match) => match !== null);
  const seen = new Set(matches.map(([, , , , , clock]) => clockPattern(clock)));
  const order = orderOf(Math.max(...matches.map((match) => Number(match[1]))), Math.max(...matches.map((match) => Number(match[3]))));
  const shortYears = matches.filter((match) => match[4].length === 2).length;
  const clocks = [...new Set([...seen, "", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f"])];
  return { kind: "slashed", separator: matches[0][2], order, shortYear: shortYears * 2 > matches.length, clocks };
}

function clockPattern(clock: string | undefined): string {
  if (!clock) return "";
  const half = /m$/i.test(clock);
  const seconds = clock.split(":").length > 2 ? ":%S" : "";
  return ` ${half ? "%I" : "%H"}:%M${seconds}${clock.includes(".") ? ".%f" : ""}${half ? " %p" : ""}`;
}

/** Day and month order from the largest first and second numbers; undefined when both fit both. */
export function orderOf(largestFirst: number, largestSecond: number): "dmy" | "mdy" | undefined {
  return largestFirst > 12 && largestSecond <= 12 ? "dmy" : largestSecond > 12 && largestFirst <= 12 ? "mdy" : undefined;
}

/** SQL for the largest first and second numbers of a slashed column, over the whole of it. */
export function orderEvidenceSql(column: string): string {
  const part = (group: number) => `max(TRY_CAST(regexp_extract(${column}, '^\\s*(\\d{1,2})[./-](\\d{1,2})[./-]', ${group}) AS INTEGER))`;
  return `${part(1)} AS first, ${part(2)} AS second`;
}

/** What the caller said by `timeFormat`, over what was found. */
export function chosenFormat(found: TimeFormat | undefined, timeFormat: string): TimeFormat {
  if (timeFormat === "dmy" || timeFormat === "mdy") {
    if (found?.kind === "slashed") return { ...found, order: timeFormat };
    if (found && found.kind !== "epoch") return found;
  }
  if (timeFormat.includes("%")) return { kind: "pattern", patterns: [timeFormat] };
  throw new ConfigError(`The time format is ${JSON.stringify(timeFormat)}.`, {
    hint: 'Write "dmy", "mdy" or a pattern such as "%d.%m.%Y %H:%M".',
    details: { path: "timeFormat", got: timeFormat },
  });
}

/** Milliseconds as DOUBLE, NULL where `column` is not a time of that format. */
export function timeSql(column: string, format: TimeFormat): string {
  const trimmed = `trim(${column}, E' \\t\\r\\n')`;
  switch (format.kind) {
    case "typed":
      return `epoch_us(CAST(${column} AS TIMESTAMP)) / 1000.0`;
    case "epoch":
      return `TRY_CAST(${column} AS DOUBLE) ${{ seconds: "* 1e3", milliseconds: "* 1.0", microseconds: "/ 1e3", nanoseconds: "/ 1e6" }[format.unit]}`;
    case "compact":
      return milliseconds(`try_strptime(${trimmed}, ${format.digits === 8 ? "'%Y%m%d'" : "'%Y%m%d%H%M%S'"})`);
    case "serial":
      return `round((TRY_CAST(${column} AS DOUBLE) - 25569) * 86400) * 1e3`;
    case "iso":
      // The cast to TIMESTAMP is four times as fast, but passes over a zone: only forms that cannot have one go there.
      return `CASE WHEN strlen(${column}) <= 10 OR (strlen(${column}) = 19 AND ${column}[17] = ':') THEN epoch_us(TRY_CAST(${column} AS TIMESTAMP))
        ELSE epoch_us(TRY_CAST(regexp_replace(${trimmed}, '\\s+([+-]\\d\\d)', '\\1') AS TIMESTAMPTZ)) END / 1000.0`;
    case "slashed": {
      const date = ["%d", "%m"];
      if (format.order !== "dmy") date.reverse();
      const year = format.shortYear ? "%y" : "%Y";
      return milliseconds(
        patternSql(
          trimmed,
          format.clocks.map((clock) => `${date.join(format.separator)}${format.separator}${year}${clock}`),
        ),
      );
    }
    case "pattern":
      return milliseconds(patternSql(trimmed, format.patterns));
  }
}

function patternSql(column: string, patterns: readonly string[]): string {
  return `CAST(try_strptime(${column}, [${patterns.map((pattern) => `'${pattern.replaceAll("'", "''")}'`).join(", ")}]) AS TIMESTAMP)`;
}

function milliseconds(timestamp: string): string {
  return `epoch_us(${timestamp}) / 1000.0`;
}

/** One clause for the announcement. */
export function describeTime(format: TimeFormat): string {
  switch (format.kind) {
    case "typed":
      return "a time type";
    case "epoch":
      return `${format.unit} since 1970${format.plausible ? "" : ", although the times would be unusual"}`;
    case "compact":
      return format.digits === 8 ? "written as 20111209, UTC" : "written as 20111209083000, UTC";
    case "serial":
      return "spreadsheet day numbers, UTC";
    case "iso":
      return "ISO dates, UTC where they name no zone";
    case "slashed":
      return `${format.order === "dmy" ? "day" : "month"}${format.separator}${format.order === "dmy" ? "month" : "day"}${format.separator}year, UTC`;
    case "pattern":
      return `written as ${format.patterns[0]}, UTC where no zone is named`;
  }
}
