/**
 * The charts of a report as inline SVG, pure functions from figures to markup. Colours are classes (`s0` … `s7`, see style.ts), so
 * that they follow light and dark; every mark has a title that a pointer shows. Figures that are no numbers are left out.
 */
import { linearAxis } from "./axis.js";
import { html, type Markup } from "./html.js";

const WIDTH = 480;
const SERIES = 8;

export interface Dot {
  /** Number of the series, which gives the colour. */
  series: number;
  value: number;
  low?: number | null;
  high?: number | null;
  title: string;
}

export interface DotRow {
  label: string;
  dots: readonly Dot[];
}

/** One line per row, its dots with interval bars below one another; with `bars` a bar from 0 to the value. */
export function dotChart(rows: readonly DotRow[], { title, bars = false }: { title: string; bars?: boolean }): Markup {
  const left = 12 + Math.min(170, 6.6 * Math.max(...rows.map(({ label }) => shortened(label).length)));
  const gap = 15;
  const heights = rows.map(({ dots }) => Math.max(1, dots.length) * gap + 11);
  const bottom = heights.reduce((sum, height) => sum + height, 6);
  const values = rows.flatMap(({ dots }) => dots.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]));
  const axis = linearAxis(bars ? [0, ...values] : values, [left, WIDTH - 18]);
  let top = 6;
  const lines = rows.map(({ label, dots }, r) => {
    const from = top;
    top += heights[r];
    const marks = dots.map(({ series, value, low, high, title: words }, d) => {
      if (!Number.isFinite(value)) return undefined;
      const y = from + 5.5 + gap * (d + 0.5);
      const x = axis.at(value);
      const bar = bars
        ? html`<rect x="${px(axis.at(0))}" y="${px(y - 5)}" width="${px(Math.max(0, x - axis.at(0)))}" height="10" rx="2"/>`
        : html`${interval([axis.at(low ?? value), y], [axis.at(high ?? value), y])}<circle cx="${px(x)}" cy="${px(y)}" r="4.5"/>`;
      return html`<g class="s${series % SERIES}"><title>${words}</title>${bar}</g>`;
    });
    const middle = from + heights[r] / 2 + 4;
    const rule = r > 0 && html`<line class="rule" x1="0" x2="${WIDTH}" y1="${px(from)}" y2="${px(from)}"/>`;
    return html`${rule}<text x="0" y="${px(middle)}"><title>${label}</title>${shortened(label)}</text>${marks}`;
  });
  const grid = axis.ticks.map(
    ({ value, text }) =>
      html`<line class="grid" x1="${px(axis.at(value))}" x2="${px(axis.at(value))}" y1="4" y2="${px(bottom)}"/><text class="tick" text-anchor="middle" x="${px(axis.at(value))}" y="${px(bottom + 15)}">${text}</text>`,
  );
  return svg(title, bottom + 22, html`${grid}${lines}`);
}

export interface XyChart {
  title: string;
  x: string;
  y: string;
  /** Points in the order in which they are joined. */
  lines?: readonly { series: number; faint?: boolean; points: readonly (readonly [number, number])[]; title: string }[];
  dots?: readonly {
    series: number;
    x: number;
    y: number;
    xLow?: number | null;
    xHigh?: number | null;
    yLow?: number | null;
    yHigh?: number | null;
    label?: string;
    hollow?: boolean;
    title: string;
  }[];
}

/** Two axes with lines and dots, the latter with interval bars and labels where they have some. */
export function xyChart({ title, x, y, lines = [], dots = [] }: XyChart): Markup {
  const [left, top, right, bottom] = [56, 22, WIDTH - 14, 236];
  const ys = [
    ...lines.flatMap(({ points }) => points.map((point) => point[1])),
    ...dots.flatMap((dot) => [dot.y, dot.yLow ?? dot.y, dot.yHigh ?? dot.y]),
  ];
  const xs = [
    ...lines.flatMap(({ points }) => points.map((point) => point[0])),
    ...dots.flatMap((dot) => [dot.x, dot.xLow ?? dot.x, dot.xHigh ?? dot.x]),
  ];
  const [across, up] = [linearAxis(xs, [left, right], 5), linearAxis(ys, [bottom, top])];
  const place = (px0: number, py0: number) => [across.at(px0), up.at(py0)] as const;
  const grid = [
    ...up.ticks.map(
      ({ value, text }) =>
        html`<line class="grid" x1="${left}" x2="${right}" y1="${px(up.at(value))}" y2="${px(up.at(value))}"/><text class="tick" text-anchor="end" x="${left - 7}" y="${px(up.at(value) + 4)}">${text}</text>`,
    ),
    ...across.ticks.map(
      ({ value, text }) => html`<text class="tick" text-anchor="middle" x="${px(across.at(value))}" y="${bottom + 17}">${text}</text>`,
    ),
  ];
  const drawn = lines.map(({ series, faint, points, title: words }) => {
    const finite = points.filter((point) => point.every(Number.isFinite)).map(([px0, py0]) => place(px0, py0).map(px).join(","));
    return html`<polyline class="s${series % SERIES} line${faint && " faint"}" points="${finite.join(" ")}"><title>${words}</title></polyline>`;
  });
  const shown = dots.filter((dot) => Number.isFinite(dot.x) && Number.isFinite(dot.y)).sort((a, b) => b.y - a.y);
  let lastLabel = Number.NEGATIVE_INFINITY;
  const marks = shown.map((dot) => {
    const [cx, cy] = place(dot.x, dot.y);
    const bars = [
      dot.xLow != null && interval(place(dot.xLow, dot.y), place(dot.xHigh ?? dot.x, dot.y)),
      dot.yLow != null && interval(place(dot.x, dot.yLow), place(dot.x, dot.yHigh ?? dot.y)),
    ];
    const atLeft = cx > (left + right) / 2;
    if (dot.label !== undefined) lastLabel = Math.max(cy - 7, lastLabel + 13); // labels never lie upon one another
    const label =
      dot.label !== undefined &&
      html`<text text-anchor="${atLeft ? "end" : "start"}" x="${px(cx + (atLeft ? -9 : 9))}" y="${px(lastLabel)}">${shortened(dot.label)}</text>`;
    return html`<g class="s${dot.series % SERIES}"><title>${dot.title}</title>${bars}<circle class="${dot.hollow ? "hollow" : ""}" cx="${px(cx)}" cy="${px(cy)}" r="4"/></g>${label}`;
  });
  const names = html`<text class="tick" x="${left - 50}" y="11">${y}</text><text class="tick" text-anchor="end" x="${right}" y="${bottom + 34}">${x}</text>`;
  return svg(title, bottom + 40, html`${grid}${names}${drawn}${marks}`);
}

/** What colour stands for what. */
export function legend(labels: readonly string[]): Markup {
  const entry = (label: string, s: number) =>
    html`<span class="s${s % SERIES}"><svg viewBox="0 0 10 10"><circle cx="5" cy="5" r="4.5"/></svg>${label}</span>`;
  return html`<p class="legend">${labels.map(entry)}</p>`;
}

function interval([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): Markup {
  return html`<line class="interval" x1="${px(x1)}" x2="${px(x2)}" y1="${px(y1)}" y2="${px(y2)}"/>`;
}

function svg(title: string, height: number, content: Markup): Markup {
  return html`<figure><figcaption>${title}</figcaption><svg role="img" aria-label="${title}" viewBox="0 0 ${WIDTH} ${px(height)}">${content}</svg></figure>`;
}

function shortened(label: string): string {
  return label.length > 26 ? `${label.slice(0, 25)}…` : label;
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
