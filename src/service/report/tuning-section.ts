/** What a search did: for each model its trials over time, how the values grew step by step, what mattered, and the best parameters. */
import type { ModelTuning, TuneReport } from "../tune/tune-result.js";
import { dotChart, xyChart } from "./charts.js";
import { count, figure, html, type Markup, table } from "./html.js";

export function tuningSection(report: TuneReport): Markup {
  const { part, metric, sampler, scheduler, seed, numCases, models, skipped, yaml } = report;
  return html`<h2>Tuning</h2>
<p class="quiet">By ${metric} on ${part}, ${count(numCases)} questions; sampler ${sampler}, scheduler ${scheduler}, seed ${seed}.${skipped.map(({ label, reason }) => ` Left out ${label}: ${reason}.`)}</p>
${models.map((model, m) => modelTuning(model, m, report))}
<details class="card"><summary>To paste into the recipe</summary><pre>${yaml}</pre></details>`;
}

function modelTuning(
  { label, trials, best, start, importance, complete, pruned, failed, searched, seconds }: ModelTuning,
  series: number,
  { metric, direction }: TuneReport,
): Markup {
  const measured = trials.filter((trial) => trial.value !== undefined);
  const bestLine: [number, number][] = []; // in steps
  for (const { number, value, state } of measured) {
    const soFar = bestLine.at(-1)?.[1];
    const better = soFar === undefined || (direction === "minimize" ? value! < soFar : value! > soFar);
    if (state === "complete" && better) bestLine.push([number, soFar ?? value!], [number, value!]);
  }
  if (bestLine.length > 0) bestLine.push([measured.at(-1)!.number, bestLine.at(-1)![1]]);
  const dots = measured.map(({ number, value, state, params }) => ({
    ...{ series, x: number, y: value!, hollow: state === "pruned" },
    title: `trial ${number}${state === "pruned" ? " (stopped early)" : ""}: ${metric} ${figure(value)}, ${JSON.stringify(params)}`,
  }));
  const curves = trials
    .filter(({ reports }) => reports.length > 1)
    .sort((a, b) => +(a.number === best.number) - +(b.number === best.number));
  return html`<h3>${label}</h3>
<p>Best ${metric} ${figure(best.value)} in trial ${best.number}${start !== undefined && `, ${figure(start)} as in the recipe`}; ${complete} trials complete, ${pruned} stopped early, ${failed} failed, ${seconds.toFixed(1)} s.</p>
<div class="charts">
${xyChart({ title: `${label}: ${metric} of the trials; line: best so far, hollow: stopped early`, x: "trial", y: metric, dots, lines: [{ series, points: bestLine, title: "best so far" }] })}
${
  curves.length > 0 &&
  xyChart({
    ...{ title: `${label}: ${metric} while fitting`, x: "step", y: metric },
    lines: curves.map(({ number, reports }) => ({
      series: number === best.number ? series : 7,
      points: reports.map(({ step, value }) => [step, value] as const),
      faint: number !== best.number,
      title: `trial ${number}`,
    })),
  })
}
${
  importance.length > 0 &&
  dotChart(
    importance.map(({ param, importance: value }) => ({ label: param, dots: [{ series, value, title: `${param}: ${value.toFixed(2)}` }] })),
    { title: `${label}: share of the trials' ranks that a parameter alone explains`, bars: true },
  )
}
</div>
${table(
  ["parameter", "best"],
  searched.map((param) => [param, best.params[param] === undefined ? "none" : String(best.params[param])]),
  { numbersFrom: 9 },
)}`;
}
