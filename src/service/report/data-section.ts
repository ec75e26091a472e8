/** What a report rests on: the data and what of it was rejected, the parts, leaks, the models' parameters, and the recipe. */
import { stringify } from "yaml";
import type { Recipe } from "../recipe/recipe.js";
import type { DataSummary, Evaluation } from "../run-result.js";
import { count, html, type Markup, table } from "./html.js";

export function dataSection({ report, numUsers, numItems, numInteractions }: DataSummary): Markup {
  const { file, format, sha256, rowsRead, rowsKept, rejected, columns, guessed } = report;
  const order = ["user", "item", "timestamp", "weight", "basket"];
  const byRole = Object.entries(columns).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  const sources = byRole.map(([role, column]) => {
    const guess = guessed.find((one) => one.role === role);
    return [role, column ?? "none", guess ? `guessed: ${guess.why}` : "as told"];
  });
  const reasons = rejected.map(({ reason, count: rows, example }) => [reason, count(rows), `line ${example.line}: ${example.value}`]);
  return html`<h2>Data</h2>
<p><code>${file}</code> (${format}): ${count(rowsKept)} of ${count(rowsRead)} rows kept, ${count(rowsRead - rowsKept)} rejected; ${count(numInteractions)} events of ${count(numUsers)} users with ${count(numItems)} items.</p>
<p class="quiet">sha256 <code>${sha256}</code></p>
${table(["role", "column", ""], sources, { numbersFrom: 9 })}
${reasons.length > 0 && table(["rejected because", "rows", "for example"], reasons, { numbersTo: 1 })}`;
}

export function settingsSection({ parts, excludeSeen, leaks = [], models, seed, champion }: Evaluation): Markup {
  const partRows = parts.map(({ name, description, trainInteractions, testInteractions, folds = 1 }) => [
    name,
    description,
    count(trainInteractions),
    count(testInteractions),
    folds,
  ]);
  const findings = leaks.flatMap(({ part, findings: found }) =>
    found.map(({ severity, message }) => html`<li>${severity} (${part}): ${message}</li>`),
  );
  const params = (values: Record<string, unknown>) =>
    Object.entries(values)
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
      .join(", ");
  const modelRows = models.map(({ label, model, params: values, version }) => [
    label === champion ? html`<strong>${label}</strong>` : label,
    model,
    html`<code>${params(values) || "none"}</code>`,
    version ?? "",
  ]);
  return html`<h2>Settings</h2>
<p>Items that a user had before ${excludeSeen ? "are neither recommended nor count" : "may be recommended again, and count"}.${seed !== undefined && ` Seed of every fit: ${seed}.`}</p>
${partRows.length > 0 && table(["part", "what it holds", "events to learn from", "to judge on", "folds"], partRows, { numbersFrom: 2 })}
<p>The leak check found ${findings.length === 0 ? "nothing." : "this:"}</p>
${findings.length > 0 && html`<ul>${findings}</ul>`}
${table(["label", "model", "parameters", modelRows.some(([, , , version]) => version) && "version"], modelRows, { numbersFrom: 9 })}
`;
}

export function recipeSection({ folder: _, ...recipe }: Recipe): Markup {
  const known = JSON.parse(JSON.stringify(recipe));
  return html`<details class="card"><summary>The recipe with all its defaults</summary><pre>${stringify(known)}</pre></details>`;
}
