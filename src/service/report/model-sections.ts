/** How the models did: for each held-out part a table, a chart of every metric, accuracy against coverage, and the breakdown. */
import type { Estimate, SegmentRow } from "../../evaluation/summarize.js";
import { directionOf } from "../../tuning/model-objective.js";
import type { ModelComparison } from "../evaluation/judged.js";
import type { PartSummary } from "../evaluation/part.js";
import type { Evaluation } from "../run-result.js";
import { dotChart, legend, xyChart } from "./charts.js";
import { count, figure, html, type Markup, pValue, range, table } from "./html.js";

/** A model, or lists of another system, on one part; its position is its colour. */
interface Judged {
  label: string;
  best: boolean;
  estimates: Record<string, Partial<Estimate>>;
  spread?: Record<string, number>;
  comparison?: ModelComparison;
  breakdown: SegmentRow[];
  seconds: number;
}

export function partSection(
  { name, description, trainInteractions, testInteractions, folds }: PartSummary,
  evaluation: Evaluation,
): Markup {
  const { metrics, models, intervals, chosenBy } = evaluation;
  const judged = judgedOn(name, evaluation);
  const numCases = models[0]?.numCases?.[name];
  return html`<h2>On the ${name} part</h2>
<p class="quiet">${description}; ${count(trainInteractions)} events to learn from, ${count(testInteractions)} to judge on${numCases !== undefined && `, ${count(numCases)} questions`}${folds !== undefined && `, in ${folds} folds`}.</p>
${summaryTable(judged, evaluation)}
<p class="quiet">${intervals && `Intervals: ${intervals.level * 100} %, bootstrap over users with ${count(intervals.resamples)} draws (coverage and Gini: jackknife). p: paired bootstrap by ${chosenBy} against the best model, corrected by Holm for the number of models; d: Cohen's effect size of the paired differences.`}${folds !== undefined && " Figures are means over folds, ± their standard deviation."}</p>
<div class="charts">${metrics.map((metric) => metricChart(judged, metric))}${coverageChart(judged, evaluation)}</div>
${breakdownCharts(judged, evaluation)}`;
}

function judgedOn(part: PartSummary["name"], { models, lists = [], champion }: Evaluation): Judged[] {
  const valuesOnly = (values: Record<string, number> = {}) =>
    Object.fromEntries(Object.entries(values).map(([label, value]) => [label, { value }]));
  return [
    ...models.map((model) => ({
      label: model.label,
      best: model.label === champion,
      estimates: model.estimates?.[part] ?? valuesOnly(model.metrics[part]),
      spread: model.spread?.[part],
      comparison: model.comparison?.[part],
      breakdown: model.breakdown?.[part] ?? [],
      seconds: model.seconds,
    })),
    ...lists
      .filter((list) => list.part === part)
      .map((list) => ({
        ...{ label: `${list.label} (lists)`, best: false, estimates: list.estimates ?? valuesOnly(list.metrics) },
        ...{ comparison: list.comparison, breakdown: list.breakdown ?? [], seconds: list.seconds },
      })),
  ];
}

function summaryTable(judged: readonly Judged[], { metrics }: Evaluation): Markup {
  const compared = judged.some(({ comparison }) => comparison);
  const bestLabel = judged.find(({ comparison }) => comparison)?.comparison?.best; // a champion by decision may be another
  const header = ["model", ...metrics, ...(compared ? ["difference from best", "p", "d"] : []), "seconds"];
  const rows = judged.map(({ label, best, estimates, spread, comparison, seconds }) => [
    best ? html`<strong>${label}</strong> ★` : label,
    ...metrics.map((metric) => {
      const estimate = estimates[metric] ?? {};
      return html`${figure(estimate.value)}${spread && ` ± ${figure(spread[metric])}`}<small>${range(estimate)}</small>`;
    }),
    ...(compared ? comparisonCells(comparison, label === bestLabel) : []),
    seconds.toFixed(1),
  ]);
  return table(header, rows, { marked: judged.findIndex(({ best }) => best) });
}

function comparisonCells(comparison: ModelComparison | undefined, best: boolean): (Markup | string)[] {
  if (!comparison) return [best ? "best" : "–", "", ""];
  const { difference, pAdjusted, effectSize } = comparison;
  return [
    html`${difference > 0 && "+"}${figure(difference)}<small>${range(comparison)}</small>`,
    html`${pValue(pAdjusted)}<small>${pAdjusted < 0.05 && difference !== 0 ? "differs" : "no clear difference"}</small>`,
    Number.isFinite(effectSize) ? effectSize.toFixed(2) : "∞",
  ];
}

function metricChart(judged: readonly Judged[], metric: string): Markup {
  const rows = judged.map(({ label, estimates }, series) => {
    const { value = Number.NaN, low, high } = estimates[metric] ?? {};
    return { label, dots: [{ series, value, low, high, title: `${label}: ${metric} ${figure(value)} ${interval({ low, high })}` }] };
  });
  const less = directionOf(metric) === "minimize" ? " (less is better)" : "";
  return dotChart(rows, { title: `${metric}${less}` });
}

/** The chosen metric against the first coverage metric, where there is one. */
function coverageChart(judged: readonly Judged[], { metrics, chosenBy }: Evaluation): Markup | undefined {
  const coverage = metrics.find((metric) => metric.startsWith("coverage@"));
  if (coverage === undefined || chosenBy === coverage) return undefined;
  const dots = judged.map(({ label, estimates }, series) => {
    const { value: y = Number.NaN, low: yLow, high: yHigh } = estimates[chosenBy] ?? {};
    const { value: x = Number.NaN, low: xLow, high: xHigh } = estimates[coverage] ?? {};
    return { series, x, y, xLow, xHigh, yLow, yHigh, label, title: `${label}: ${chosenBy} ${figure(y)}, ${coverage} ${figure(x)}` };
  });
  return xyChart({ title: `${chosenBy} against ${coverage}`, x: coverage, y: chosenBy, dots });
}

function breakdownCharts(judged: readonly Judged[], { chosenBy }: Evaluation): Markup | undefined {
  const rows = judged.flatMap(({ breakdown }) => breakdown);
  if (rows.length === 0) return undefined;
  const known = rows.find(({ numCases }) => numCases > 0)?.metrics ?? {};
  const metric = chosenBy in known ? chosenBy : Object.keys(known)[0]; // a figure of the whole run has no breakdown
  if (metric === undefined) return undefined;
  const charts = [...new Set(rows.map(({ segment }) => segment))].map((segment) => {
    const groups = [...new Set(rows.filter((row) => row.segment === segment && row.numCases > 0).map(({ group }) => group))];
    const dotRows = groups.map((group) => {
      const dots = judged.map(({ label, breakdown }, series) => {
        const row = breakdown.find((one) => one.segment === segment && one.group === group);
        const { value = Number.NaN, low, high } = row?.metrics[metric] ?? {};
        const title = `${label}, ${group} (${count(row?.numCases ?? 0)} questions): ${metric} ${figure(value)} ${interval({ low, high })}`;
        return { series, value, low, high, title };
      });
      return { label: group, dots };
    });
    return dotChart(dotRows, { title: `${metric} by ${titles[segment] ?? segment}` });
  });
  return html`<h3>By groups of users and items</h3>${legend(judged.map(({ label }) => label))}<div class="charts">${charts}</div>`;
}

const titles: Record<string, string> = {
  repeat: "whether the user had the item before",
  activity: "activity of the user (items before)",
  popularity: "popularity of the item",
};

function interval(estimate: { low?: number | null; high?: number | null }): string {
  const words = range(estimate);
  return words && `(${words})`;
}

/** Loss after each iteration, a chart for each model that has one; losses of models are not comparable. */
export function trainingSection({ models, parts }: Evaluation): Markup | undefined {
  const charts = models.flatMap(({ label, losses }, series) => {
    const part = parts.find(({ name }) => losses?.[name]);
    const values = part && losses?.[part.name];
    if (!values || values.length < 2) return [];
    const points = values.map((loss, l) => [l + 1, loss] as const);
    const lines = [{ series, points, title: `${label}: ${values.length} iterations, loss ${values.at(-1)!.toPrecision(6)} at the end` }];
    return [xyChart({ title: `${label}: loss in training`, x: "iteration", y: "loss", lines })];
  });
  return charts.length === 0 ? undefined : html`<h2>Training</h2><div class="charts">${charts}</div>`;
}
