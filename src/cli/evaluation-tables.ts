/** How the models of a recipe did, as tables: one for each held-out part, models × metrics, the champion marked. */
import type { BaselineComparison, ModelComparison } from "../service/evaluation/judged.js";
import type { PartSummary } from "../service/evaluation/part.js";
import type { Evaluation, ModelResult } from "../service/run-result.js";
import { formatTable } from "./table.js";

interface Row extends Pick<ModelResult, "label"> {
  values?: Record<string, number>;
  /** Half the width of an interval, or the standard deviation over folds. */
  reach: (metric: string) => number | undefined;
  comparison?: ModelComparison;
  against?: BaselineComparison;
  time: string;
}

export function evaluationTables(evaluation: Evaluation): string {
  const { scenarios, fast } = evaluation;
  const tables = scenarios
    ? scenarios
        .map(({ name, title, ...figures }) => `${name}${title ? `: ${title}` : ""}\n${tablesOf({ ...evaluation, ...figures })}`)
        .join("\n\n\n")
    : tablesOf(evaluation);
  return fast ? `${tables}\nFast: on a sample and with fits cut short, so that the figures mean nothing.` : tables;
}

function tablesOf(evaluation: Evaluation): string {
  const { parts, models, champion, chosenBy } = evaluation;
  if (parts.length === 0) return `Nothing is held out, so nothing is judged. Models: ${models.map(({ label }) => label).join(", ")}.`;
  const tables = parts.map((part) => partTable(part, evaluation)).join("\n\n");
  if (champion === undefined) return tables;
  return `${tables}\n* ${champion} is best by ${chosenBy} on the ${parts[0].name} part.`;
}

function partTable({ name, description, folds }: PartSummary, evaluation: Evaluation): string {
  const { models, lists = [], metrics, champion, chosenBy, intervals } = evaluation;
  const rows: Row[] = models.map(({ label, metrics: values, spread, estimates, comparison, againstBaseline, seconds }) => ({
    label: `${label === champion ? "*" : " "} ${label}`,
    values: values[name],
    reach: (metric) => (folds === undefined ? halfWidth(estimates?.[name]?.[metric]) : spread?.[name]?.[metric]),
    comparison: comparison?.[name],
    against: againstBaseline?.[name],
    time: `${seconds.toFixed(1)} s`,
  }));
  for (const { label, part, metrics: values, estimates, comparison } of lists)
    if (part === name)
      rows.push({ label: `  ${label} (lists)`, values, reach: (metric) => halfWidth(estimates?.[metric]), comparison, time: "" });
  const compared = rows.some(({ comparison }) => comparison);
  const against = rows.find((row) => row.against)?.against;
  const header = [
    `  ${name}`,
    ...metrics,
    ...(compared ? ["differs from best"] : []),
    ...(against ? [`${against.metric} − ${against.baseline}'s`] : []),
    "time",
  ];
  const cells = rows.map((row) => {
    const figures = metrics.map((metric) => withReach(row.values?.[metric], row.reach(metric)));
    const best = row.comparison ? verdict(row.comparison) : row.label.startsWith("*") ? "best" : "";
    return [row.label, ...figures, ...(compared ? [best] : []), ...(against ? [row.against ? distance(row.against) : ""] : []), row.time];
  });
  const numCases = models[0]?.numCases?.[name];
  const legend = [
    `${name}: ${description}`,
    numCases === undefined ? "" : `${numCases.toLocaleString("en")} questions`,
    folds !== undefined ? "± standard deviation over folds" : intervals ? `± half of the ${intervals.level * 100} % interval` : "",
    compared ? `p: paired bootstrap by ${chosenBy}, Holm` : "",
    against ? `distances with their ${against.level * 100} % intervals, paired by user, and ratios` : "",
  ];
  const training = models.flatMap(({ label, trainingFigures }) => {
    const figures = Object.entries(trainingFigures?.[name] ?? {});
    return figures.length > 0
      ? [`\n${label}, in training: ${figures.map(([what, value]) => `${what} ${value.toFixed(4)}`).join(", ")}`]
      : [];
  });
  return `${formatTable([header, ...cells])}\n(${legend.filter(Boolean).join("; ")})${training.join("")}`;
}

function withReach(value: number | undefined, reach: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "";
  return `${value.toFixed(4)}${reach === undefined ? "" : ` ± ${reach.toFixed(4)}`}`;
}

function halfWidth(estimate: { low?: number; high?: number } | undefined): number | undefined {
  return estimate?.low === undefined || estimate.high === undefined ? undefined : (estimate.high - estimate.low) / 2;
}

function distance({ difference, low, high, ratio }: BaselineComparison): string {
  const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
  return `${signed(difference)} (${signed(low)} to ${signed(high)})${ratio === undefined ? "" : `, ${ratio.toFixed(2)}×`}`;
}

function verdict({ pAdjusted, difference }: ModelComparison): string {
  const p = pAdjusted < 0.001 ? "p < 0.001" : `p = ${pAdjusted.toFixed(3)}`;
  if (difference === 0 || pAdjusted >= 0.05) return `no, ${p}`;
  return `${difference < 0 ? "lower" : "higher"}, ${p}`;
}
