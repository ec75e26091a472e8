/**
 * A square matrix as an SVG of its own: one cell per pair, darker = larger, the value in the cell's title and, where there is room, in it.
 * Called by the command `features` and by replication/feature-strengths.mjs.
 */
import type { FeatureStrengths } from "../../core/model.js";
import { html } from "./html.js";

const CELL = 44;
/** Values are written into the cells of matrices up to this many rows. */
const WITH_VALUES = 24;

export function heatMap({ names, strengths }: FeatureStrengths, title: string): string {
  const size = names.length;
  const cell = size <= WITH_VALUES ? CELL : Math.max(8, Math.round((CELL * WITH_VALUES) / size));
  const left = 20 + 7 * Math.max(...names.map((name) => name.length));
  const top = 50 + 5 * Math.max(...names.map((name) => name.length));
  const largest = Math.max(...strengths, Number.MIN_VALUE);
  const cells = Array.from(strengths, (value, at) => {
    const [row, column] = [Math.floor(at / size), at % size];
    const share = value / largest;
    const [x, y] = [left + column * cell, top + row * cell];
    const figure =
      size <= WITH_VALUES &&
      html`<text x="${x + cell / 2}" y="${y + cell / 2 + 4}" text-anchor="middle" fill="${share > 0.5 ? "#fff" : "#333"}">${value.toPrecision(2)}</text>`;
    return html`<g><title>${names[row]} × ${names[column]}: ${value.toPrecision(4)}</title><rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="#b93c0b" fill-opacity="${share.toFixed(3)}" stroke="#ddd"/>${figure}</g>`;
  });
  const labels = names.map((name, k) => {
    const middle = k * cell + cell / 2;
    const [x, y] = [left + middle, top - 8];
    return html`<text x="${left - 8}" y="${top + middle + 4}" text-anchor="end">${name}</text><text x="${x}" y="${y}" transform="rotate(-40 ${x} ${y})">${name}</text>`;
  });
  const [width, height] = [left + size * cell + 4 * top, top + size * cell + 12];
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12"><title>${title}</title><rect width="100%" height="100%" fill="#fff"/><text x="10" y="20" font-weight="600">${title}</text>${labels}${cells}</svg>
`.markup;
}
