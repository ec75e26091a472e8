/** A search in words and tables: its steps, what came out, and how much each parameter mattered. */
import type { ModelTuning, TuneReport, TuneStep } from "../service/tune/tune-result.js";
import { stepNotes } from "./step-notes.js";
import { formatTable } from "./table.js";

/** The lines that tell a person of a step; a trial only when it is the best so far. */
export function tuneNotes(step: TuneStep): string[] {
  switch (step.kind) {
    case "data":
      return stepNotes(step);
    case "start":
      return [
        `Tuning by ${step.metric} on ${step.part}: ${count(step.trainInteractions)} events to learn from, ${count(step.testInteractions)} to judge on, ${count(step.numCases)} questions. The test part is not looked at.`,
      ];
    case "study":
      return [
        `Searching ${step.searched.join(", ")} of ${step.label}${step.resumed > 0 ? `, going on after ${step.resumed} trials that were kept` : ""}.`,
      ];
    case "trial":
      if (step.trial.number !== step.best?.number) return [];
      return [`Trial ${step.trial.number} of ${step.label}: ${step.metric} ${step.trial.value!.toFixed(4)}, the best so far.`];
    case "skipped":
      return [`Left out ${step.label}: ${step.reason}.`];
  }
}

/** One row per model, then for each its best parameters with their importance, then YAML to paste. */
export function tuneTables(report: TuneReport): string {
  const { models, metric, best, yaml, direction } = report;
  const rows = models.map(({ label, start, best: { value }, complete, pruned, failed, seconds }) => [
    `${label === best ? "*" : " "} ${label}`,
    start?.toFixed(4) ?? "",
    value.toFixed(4),
    start === undefined || start === 0 ? "" : `${((100 * (value - start)) / Math.abs(start)).toFixed(1)} %`,
    String(complete),
    String(pruned),
    String(failed),
    `${seconds.toFixed(1)} s`,
  ]);
  const header = [`  ${metric}`, "as in the recipe", "best", "change", "complete", "stopped", "failed", "time"];
  const less = direction === "minimize" ? " (less is better)" : "";
  return [`${formatTable([header, ...rows])}${less}`, ...models.map(paramTable), "To paste into the recipe:", yaml.trimEnd()].join("\n\n");
}

function paramTable({ label, searched, best, importance }: ModelTuning): string {
  const order = [...searched].sort((a, b) => share(b) - share(a));
  function share(param: string): number {
    return importance.find((one) => one.param === param)?.importance ?? 0;
  }
  const rows = order.map((param) => [
    `  ${param}`,
    best.params[param] === undefined ? "none" : String(best.params[param]),
    importance.length === 0 ? "" : share(param).toFixed(2),
  ]);
  const table = formatTable([[`  ${label}`, "best value", "importance"], ...rows]);
  return importance.length === 0 ? `${table}\n  (too few trials to tell what matters)` : table;
}

function count(value: number): string {
  return value.toLocaleString("en");
}
