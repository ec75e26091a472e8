/**
 * A run in words: what was read, guessed and rejected, and what is held out. How the models did is in evaluation-tables.ts.
 */
import { isAbsolute, relative } from "node:path";
import type { ListResult } from "../service/evaluation/judged.js";
import type { DataSummary, RefitNote, RunStep } from "../service/run-result.js";

const flags: Record<string, string> = {
  user: "--user COLUMN",
  item: "--item COLUMN",
  timestamp: "--time COLUMN",
  weight: "--weight COLUMN",
  basket: "--basket COLUMN",
  delimiter: "--delimiter CHARACTER",
  format: "--format FORMAT",
};

/** The lines that tell a person of a step. */
export function stepNotes(step: RunStep, { rejectsFile }: { rejectsFile?: string } = {}): string[] {
  switch (step.kind) {
    case "again":
      return [`Training again: ${step.reason}`];
    case "kept":
      return [keptNote(step)];
    case "continued":
      return [
        `Continues ${step.label} after step ${step.step}${step.total === undefined ? "" : ` of ${step.total}`} (--fresh starts anew).`,
      ];
    case "checkpoint":
      return [`Warning (${step.label}): ${step.reason}`];
    case "refit":
      return [refitNote(step)];
    case "data":
      return dataNotes(step.data, rejectsFile);
    case "parts":
      return [
        ...step.parts.map(
          ({ name, description, trainInteractions, testInteractions, folds }) =>
            `Held out (${name}): ${description}; ${count(trainInteractions)} events to learn from, ${count(testInteractions)} to judge on${folds ? `, all ${folds} folds together` : ""}.`,
        ),
        `Items that a user had before ${step.excludeSeen ? "are left out" : "may be recommended again"} (${step.reason}).`,
      ];
    case "leaks":
      return step.leaks.flatMap(({ part, findings }) =>
        findings.map(({ severity, message }) => `${severity === "error" ? "Leak, allowed" : "Warning"} (${part}): ${message}`),
      );
    case "list":
      return listNotes(step.result);
    case "model":
      return [
        `Judged ${step.result.label}${step.result.scenario === undefined ? "" : ` (${step.result.scenario})`} in ${step.result.seconds.toFixed(1)} s.`,
      ];
  }
}

function keptNote({ judged, saved }: { judged: string[]; saved: string[] }): string {
  const also = saved.length > 0 ? `, ${saved.join(", ")} saved` : "";
  return `Goes on with an interrupted training: ${judged.join(", ")} ${judged.length === 1 ? "is" : "are"} judged${also} (--fresh starts anew).`;
}

function refitNote({ label, part, how, inFull }: RefitNote): string {
  if (part !== undefined)
    return `Judging ${label} on the ${part} part by a ${inFull === undefined ? "partial refit" : `full fit: ${inFull}`}.`;
  return inFull === undefined ? `Refitting ${label}: ${how}` : `Training ${label} in full: ${inFull}.`;
}

function dataNotes(
  { report, numUsers, numItems, numInteractions, sampled, features = [] }: DataSummary,
  rejectsFile: string | undefined,
): string[] {
  const { guessed, columns, rejected } = report;
  const named = Object.entries(columns).filter(([role]) => !guessed.some((guess) => guess.role === role));
  const lines = [
    `Read ${shorter(report.file)}: kept ${count(report.rowsKept)} of ${count(report.rowsRead)} rows${sampled ? "" : `, ${count(numUsers)} users, ${count(numItems)} items`}.`,
  ];
  if (sampled)
    lines.push(`Fast: goes on with a sample of ${count(numInteractions)} events, ${count(numUsers)} users, ${count(numItems)} items.`);
  if (named.length > 0) lines.push(`Columns as told: ${named.map(([role, column]) => `${role} = ${column}`).join(", ")}.`);
  for (const { role, column, why } of guessed) {
    const override = flags[role] === undefined ? "" : `; ${flags[role]} overrides`;
    lines.push(`Guessed ${role} = ${column} (${why})${override}.`);
  }
  for (const { reason, count: rows, example } of rejected)
    lines.push(
      `Rejected ${rows === 1 ? "1 row" : `${count(rows)} rows`}: ${reason}; for example line ${example.line}: ${JSON.stringify(example.value)}.`,
    );
  if (rejected.length > 0)
    lines.push(rejectsFile ? `The rejected rows are in ${rejectsFile}.` : "--rejects FILE writes the rejected rows to a file.");
  for (const { whose, numIds, numKnown, report: table, leftOut } of features) {
    const all = whose === "users" ? numUsers : numItems;
    lines.push(`Read ${shorter(table.file)}: features of ${count(numIds)} ${whose}, ${count(numKnown)} of the data's ${count(all)}.`);
    lines.push(...rejectNotes(table.rejected));
    if (leftOut && leftOut.events > 0)
      lines.push(
        `Left out ${count(leftOut.events)} events of ${count(leftOut.items)} items that it does not know, such as ${leftOut.example}; ${count(numInteractions)} remain.`,
      );
  }
  return lines;
}

/** One line for each reason, with its example. */
export function rejectNotes(rejected: DataSummary["report"]["rejected"]): string[] {
  return rejected.map(
    ({ reason, count: rows, example }) =>
      `Rejected ${count(rows)} rows: ${reason}; for example line ${example.line}: ${JSON.stringify(example.value)}.`,
  );
}

/** What of another system's lists fits the data, and what does not. */
function listNotes({ label, report, numCases, numWithoutList, numDuplicates }: ListResult): string[] {
  const lines = [
    `Read ${shorter(report.file)}: ${count(report.rowsKept)} rows of ${label}, lists for ${count(report.users)} users of the data.`,
    ...report.guessed.map(({ role, column, why }) => `Guessed ${role} = ${column} (${why}); --list-columns ${role}=COLUMN overrides.`),
    ...rejectNotes(report.rejected),
  ];
  for (const [what, unknown] of [
    ["users", report.unknownUsers],
    ["items", report.unknownItems],
  ] as const)
    if (unknown)
      lines.push(
        `${label}: ${count(unknown.rows)} rows are of ${count(unknown.ids)} ${what} that the data does not have, such as ${JSON.stringify(unknown.example)}.`,
      );
  if (numDuplicates > 0) lines.push(`${label}: ${count(numDuplicates)} rows name an item that the list already has at a better place.`);
  if (numWithoutList > 0)
    lines.push(`Warning (${label}): ${count(numWithoutList)} of ${count(numCases)} test users have no list; each counts as 0.`);
  return lines;
}

/** A path below the current folder without that folder. */
function shorter(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith("..") || isAbsolute(short) ? file : short;
}

function count(value: number): string {
  return value.toLocaleString("en");
}
