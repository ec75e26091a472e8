/**
 * A report as one HTML file that opens without a server and asks for nothing outside: tables, inline SVG, inline style, no script.
 * Called by the commands with `--report`; docs/evaluation.md says what it shows.
 */
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { NotFoundError } from "../../core/errors.js";
import { ioErrors, writeFileAtomically } from "../../store/durable-files.js";
import { tastemakerVersion } from "../../store/version.js";
import type { Recipe } from "../recipe/recipe.js";
import type { Evaluation } from "../run-result.js";
import type { AutoDecision } from "../tune/auto-decision.js";
import type { TuneReport } from "../tune/tune-result.js";
import { dataSection, recipeSection, settingsSection } from "./data-section.js";
import { figure, html, type Markup, pValue, range } from "./html.js";
import { partSection, trainingSection } from "./model-sections.js";
import { style } from "./style.js";
import { tuningSection } from "./tuning-section.js";

/** What is to be shown; sections without content are left out. */
export interface ReportContent {
  title: string;
  recipe?: Recipe;
  evaluation?: Evaluation;
  tuning?: TuneReport;
  decision?: AutoDecision;
  /** Default: now. */
  createdAt?: Date;
}

/** The report as the text of an HTML file. */
export function renderReport({ title, recipe, evaluation, tuning, decision, createdAt = new Date() }: ReportContent): string {
  const data = evaluation?.data ?? tuning?.data;
  const policy = "default-src 'none'; style-src 'unsafe-inline'"; // a browser asks for nothing, whatever stands in the text
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · report</title>
<style>${{ markup: style }}</style>
</head>
<body><main>
<h1>${title}</h1>
<p class="quiet">Made by tastemaker ${evaluation?.tastemaker ?? tastemakerVersion} on ${createdAt.toISOString().slice(0, 16).replace("T", " ")} UTC, Node ${process.versions.node}.</p>
${evaluation?.fast && html`<p class="card"><strong>A smoke run</strong>, on a sample of the data and with fits cut short: its figures mean nothing.</p>`}
${decision && html`<div class="card">${decision.reasons.map((reason) => html`<p>${reason}</p>`)}</div>`}
${evaluation && figuresSection(evaluation, decision === undefined)}
${tuning && tuningSection(tuning)}
${evaluation && trainingSection(evaluation)}
${data && dataSection(data)}
${evaluation && settingsSection(evaluation)}
${recipe && recipeSection(recipe)}
</main></body>
</html>
`;
  return page.markup;
}

/** Champion, tables and charts, scenario by scenario where there are several. */
function figuresSection({ scenarios, ...evaluation }: Evaluation, answered: boolean): Markup {
  if (!scenarios) return html`${answered && answer(evaluation)}${evaluation.parts.map((part) => partSection(part, evaluation))}`;
  return html`${scenarios.map(
    ({ name, title, ...figures }) => html`<h2>${title ? `${name}: ${title}` : name}</h2>
${figuresSection({ ...evaluation, ...figures }, true)}`,
  )}`;
}

/** The champion in a sentence, and how sure that is. */
function answer({ champion, chosenBy, parts, models }: Evaluation): Markup | undefined {
  const [part] = parts;
  const best = models.find(({ label }) => label === champion);
  if (!part || !best) return undefined;
  const interval = range(best.estimates?.[part.name]?.[chosenBy] ?? {});
  const others = models.flatMap(({ label, comparison }) => (comparison?.[part.name] ? [{ label, ...comparison[part.name]! }] : []));
  const alike = others.filter(({ pAdjusted, difference }) => pAdjusted >= 0.05 || difference === 0);
  const names = alike.map(({ label, pAdjusted }) => `${label} (p ${pValue(pAdjusted)})`).join(", ");
  const surety =
    alike.length > 0 ? `Not clearly worse: ${names}.` : others.length > 0 && "The difference from every other model is more than chance.";
  return html`<p class="card answer"><strong>${best.label}</strong> is best by ${chosenBy} on the ${part.name} part: <strong>${figure(best.metrics[part.name]?.[chosenBy])}</strong>${interval && ` (${interval})`}. ${surety}</p>`;
}

/** Writes the report, replacing what is there at once or not at all. Throws what `checkWritable` throws. */
export async function writeReport(file: string, content: ReportContent): Promise<void> {
  await checkWritable(file);
  await writeFileAtomically(resolve(file), renderReport(content));
}

/** Throws NotFoundError when the folder of `file` does not exist, so that nobody waits for a report that cannot be kept. */
export async function checkWritable(file: string): Promise<void> {
  const folder = dirname(resolve(file));
  const found = await ioErrors("look at", folder, () =>
    stat(folder).catch((error) => (error.code === "ENOENT" ? undefined : Promise.reject(error))),
  );
  if (!found?.isDirectory())
    throw new NotFoundError(`There is no folder ${folder} for the report.`, {
      hint: "Make the folder, or name another file.",
      details: { file },
    });
}
