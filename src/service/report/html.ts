/**
 * Markup that cannot be injected into: everything put into an `html` template is escaped unless it is markup itself.
 * And how figures are written in a report.
 */

export interface Markup {
  readonly markup: string;
}

type Part = Markup | string | number | readonly Part[] | undefined | false;

/** Strings and numbers are escaped, markup stays, lists are joined, undefined and false are nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: strings.map((text, s) => text + (s < parts.length ? written(parts[s]) : "")).join("") };
}

function written(part: Part): string {
  if (part === undefined || part === false) return "";
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return "markup" in part ? part.markup : part.map(written).join("");
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

/** Four places, as in the terminal; "–" when there is no value. */
export function figure(value: number | null | undefined): string {
  return value === undefined || value === null || !Number.isFinite(value) ? "–" : value.toFixed(4);
}

export function range({ low, high }: { low?: number | null; high?: number | null }): string {
  return Number.isFinite(low ?? Number.NaN) ? `${figure(low)} to ${figure(high)}` : "";
}

export function count(value: number): string {
  return value.toLocaleString("en");
}

export function pValue(p: number): string {
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

/** A table; cells of the columns from `numbersFrom` to `numbersTo` (both counted from 0) are set to the right. */
export function table(
  header: readonly Part[],
  rows: readonly (readonly Part[])[],
  { numbersFrom = 1, numbersTo = header.length - 1, marked = -1 }: { numbersFrom?: number; numbersTo?: number; marked?: number } = {},
): Markup {
  const kind = (c: number) => (c >= numbersFrom && c <= numbersTo ? "number" : "");
  const head = header.map((part, c) => html`<th scope="col" class="${kind(c)}">${part}</th>`);
  const cells = (row: readonly Part[]) => row.map((part, c) => html`<td class="${kind(c)}">${part}</td>`);
  const body = rows.map((row, r) => html`<tr class="${r === marked ? "marked" : ""}">${cells(row)}</tr>`);
  return html`<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}
