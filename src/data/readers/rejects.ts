/**
 * Rejected rows: how many for which reason, each with an example and its line, and the file that lists them all.
 * Malformed records of delimited text are known only after the scan, so lines are put right afterwards.
 */
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DataError, IoError } from "../../core/errors.js";
import type { CollectedRows } from "./collect-rows.js";
import type { RejectReason, Source } from "./read-types.js";
import type { CheckedRows } from "./row-checks.js";
import { name, type Session, text } from "./session.js";

/** Malformed records of a scan: `before[i]` good records come before the i-th, ascending. */
export interface Malformed {
  before: Float64Array;
  example: { line: number; value: string } | undefined;
}

const MALFORMED = "malformed row";

/** Reads what the scan stored aside. Throws DataError when rows are missing that were counted beforehand. */
export async function malformedRecords(
  session: Session,
  source: Source,
  file: string,
  scanned: { records: number; limited: boolean },
): Promise<Malformed> {
  if (!source.rejectsTable) return { before: new Float64Array(0), example: undefined };
  const select = `SELECT line, any_value(csv_line) AS csv_line FROM ${source.rejectsTable} GROUP BY line`;
  const lines = (await session.rows(`SELECT line FROM (${select}) ORDER BY line`)).map(({ line }) => Number(line));
  let before = Float64Array.from(lines, (line, i) => line - source.headerRows - 1 - i);
  if (scanned.limited) before = before.filter((count) => count < scanned.records); // read ahead, beyond the limit
  const rows = scanned.records + before.length;
  if (!scanned.limited && source.expectedRows !== undefined && rows !== source.expectedRows)
    throw new DataError(
      `${file} has quotes that do not fit together: ${source.expectedRows} rows by their quotes, but ${rows} could be told apart${lines.length > 0 ? `; look near record ${lines[0]}` : ""}.`,
      { hint: 'Correct the quotes; if quotes mean nothing in this file, set the option quote to "".', details: { file, line: lines[0] } },
    );
  if (before.length === 0) return { before, example: undefined };
  const [first] = await session.rows(`SELECT line, csv_line FROM (${select}) ORDER BY line LIMIT 1`);
  return { before, example: { line: Number(first.line), value: String(first.csv_line ?? "").trimEnd() } };
}

/** Number of malformed records before the `ordinal`-th good one (from 1). */
function malformedBefore(before: Float64Array, ordinal: number): number {
  let low = 0;
  let high = before.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before[middle] < ordinal) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The report's list, in the order in which the reasons are checked. */
export function rejectReasons(collected: CollectedRows, checked: CheckedRows, source: Source, malformed: Malformed): RejectReason[] {
  const reasons: RejectReason[] = [];
  if (malformed.example) reasons.push({ reason: MALFORMED, count: malformed.before.length, example: malformed.example });
  checked.reasons.forEach((reason, i) => {
    const found = collected.rejected[i];
    if (!found) return;
    const line = found.line || source.headerRows + found.ordinal + malformedBefore(malformed.before, found.ordinal);
    reasons.push({ reason, count: found.count, example: { line, value: found.value } });
  });
  return reasons;
}

/** Writes all rejected rows, by line, through a temporary sibling that is renamed when it is whole. Scans the source again. */
export async function writeRejects(session: Session, checked: CheckedRows, source: Source, rejectsFile: string): Promise<void> {
  const staged = join(session.folder, "rejects.csv");
  const columns = source.columns.map((column) => name(column.name)).join(", ");
  const reason = `CASE reason WHEN 0 THEN ${text(MALFORMED)} ${checked.reasons.map((reason, i) => `WHEN ${i + 1} THEN ${text(reason)}`).join(" ")} END`;
  // A malformed record comes right after the good ones before it; how many malformed ones precede a rejected row is a running count.
  const malformed = source.rejectsTable
    ? `UNION ALL BY NAME SELECT line - ${source.headerRows} - row_number() OVER (ORDER BY line) + 0.5 AS k, 0.0 AS line, 0 AS reason, csv_line AS raw
         FROM (SELECT line, any_value(csv_line) AS csv_line FROM ${source.rejectsTable} GROUP BY line)`
    : "";
  await session.run(
    `COPY (
       SELECT CAST(CASE WHEN line > 0 THEN line ELSE floor(k) + earlier + ${source.headerRows} END AS BIGINT) AS "line", ${reason} AS "reason", ${columns}, raw AS "raw text"
       FROM (SELECT *, count(*) FILTER (WHERE reason = 0 AND line = 0) OVER (ORDER BY k ROWS UNBOUNDED PRECEDING) AS earlier
             FROM (${checked.rejectedSql} ${malformed}))
       ORDER BY 1
     ) TO ${text(staged)} (FORMAT csv, HEADER true)`,
  );
  await moveDurably(staged, resolve(rejectsFile));
}

async function moveDurably(staged: string, target: string): Promise<void> {
  const sibling = join(dirname(target), `.${basename(target)}.tmp-${process.pid}`);
  try {
    const { copyFile } = await import("node:fs/promises");
    await copyFile(staged, sibling);
    const handle = await open(sibling, "r+");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(sibling, target);
  } catch (error) {
    await rm(sibling, { force: true });
    throw new IoError(`The rejects file ${target} cannot be written: ${(error as Error).message}.`, {
      hint: "Name a file in a folder that exists and may be written to.",
      cause: error,
      details: { file: target },
    });
  }
}
