/**
 * Draws how times grow with the data: `node scripts/plot-scaling.mjs FILE …` reads JSON lines of `npm run bench -- als bpr knn --json`,
 * takes the cases whose names end in `pairs=…` (such as `als-cg3 f=64 threads=2 pairs=1.0M`) and have two sizes or more, and writes
 * docs/scaling.svg and, with it, the table between the markers `<!-- scaling -->` and `<!-- /scaling -->` of docs/performance.md.
 * `--out FOLDER` writes scaling.svg and scaling.md there instead. A case measured twice counts by its last line.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: "string" } } });
if (positionals.length === 0) {
  console.error("Give one or more files with the output of `npm run bench -- als bpr knn --json`.");
  process.exit(64);
}
const series = readSeries(positionals.map((file) => readFileSync(file, "utf8")).join("\n"));
if (series.length === 0) {
  console.error("No case of these files has pairs=… in its name and two sizes or more.");
  process.exit(65);
}
const docs = fileURLToPath(new URL("../docs", import.meta.url));
writeFileSync(join(values.out ?? docs, "scaling.svg"), picture(series));
if (values.out !== undefined) writeFileSync(join(values.out, "scaling.md"), `${table(series)}\n`);
else insertTable(join(docs, "performance.md"), table(series));
console.log(`${series.length} panels, ${series.reduce((sum, { points }) => sum + points.length, 0)} points`);

/** [{title, peerName, points: [{pairs, ours, peer, ratio, peakMiB, peerPeakMiB}] ascending}], seconds. */
function readSeries(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    if (!line.startsWith("{")) continue;
    const { case: name, ours, peer, ratio, memory } = JSON.parse(line);
    const match = /^(.*?)\s*pairs=([\d.]+)([kM]?)\b(.*)$/.exec(name);
    if (match === null) continue;
    const [, before, size, unit, after] = match;
    const title = `${before}${after}`.trim();
    const pairs = Math.round(Number(size) * { "": 1, k: 1e3, M: 1e6 }[unit]);
    const seconds = (timing) => timing && timing.median / (timing.unit === "ms" ? 1000 : 1);
    const entry = found.get(title) ?? { title, points: new Map() };
    if (peer) entry.peerName = peer.name;
    entry.points.set(pairs, { pairs, ours: seconds(ours), peer: seconds(peer), ratio, ...memory });
    found.set(title, entry);
  }
  return [...found.values()]
    .map(({ points, ...rest }) => ({ ...rest, points: [...points.values()].sort((a, b) => a.pairs - b.pairs) }))
    .filter(({ points }) => points.length >= 2);
}

function table(series) {
  const mib = (value) => (value === undefined ? "–" : String(Math.round(value)));
  const rows = series.flatMap(({ title, peerName, points }) =>
    points.map(({ pairs, ours, peer, ratio, peakMiB, peerPeakMiB }) =>
      [
        title,
        short(pairs),
        time(ours),
        peer === undefined ? "–" : `${time(peer)} (${peerName})`,
        ratio?.toFixed(2) ?? "–",
        mib(peakMiB),
        mib(peerPeakMiB),
      ].join(" | "),
    ),
  );
  return [
    "| case | pairs | ours, s | peer, s | ratio | our peak memory, MiB | the peer's |",
    "|---|---|---|---|---|---|---|",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}

function insertTable(file, rows) {
  const text = readFileSync(file, "utf8");
  const markers = /(<!-- scaling -->\n)[\s\S]*?(<!-- \/scaling -->)/;
  if (!markers.test(text)) {
    console.error(`${file} lacks the lines <!-- scaling --> and <!-- /scaling -->; the table:\n${rows}`);
    process.exit(65);
  }
  writeFileSync(
    file,
    text.replace(markers, (_, open, close) => `${open}![Seconds by number of interactions](scaling.svg)\n\n${rows}\n${close}`),
  );
}

/** One panel per series, three to a row, all with axes of their own in the same powers of ten per pixel where they fit. */
function picture(series) {
  const columns = Math.min(3, series.length);
  const panel = { width: 330, height: 240, left: 52, right: 64, top: 34, bottom: 40 };
  const width = columns * panel.width;
  const height = Math.ceil(series.length / columns) * panel.height;
  const panels = series.map((one, index) => {
    const x = (index % columns) * panel.width;
    const y = Math.floor(index / columns) * panel.height;
    return `<g transform="translate(${x} ${y})">${drawPanel(one, panel)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">Seconds by number of interactions, ours and the peer's, both axes logarithmic</title>
<style>
  text { font: 11px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a; }
  .title { font-weight: 600; fill: #1f2328; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .ours { stroke: #0969da; } .peer { stroke: #9a6700; stroke-dasharray: 5 3; }
  .ours-fill { fill: #0969da; } .peer-fill { fill: #9a6700; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; } .title { fill: #f0f6fc; } .grid { stroke: #3d444d; }
    .ours { stroke: #4493f8; } .peer { stroke: #d29922; } .ours-fill { fill: #4493f8; } .peer-fill { fill: #d29922; }
  }
</style>
${panels.join("\n")}
</svg>
`;
}

function drawPanel({ title, peerName, points }, { width, height, left, right, top, bottom }) {
  const seconds = points.flatMap(({ ours, peer }) => (peer === undefined ? [ours] : [ours, peer]));
  const x = scale(
    points.map(({ pairs }) => pairs),
    left,
    width - right,
  );
  const y = scale(seconds, height - bottom, top, 0.12);
  const parts = [`<text class="title" x="${left}" y="18">${escaped(title)}</text>`];
  for (const tick of y.ticks) {
    parts.push(`<line class="grid" x1="${left}" x2="${width - right}" y1="${y.at(tick)}" y2="${y.at(tick)}"/>`);
    parts.push(`<text x="${left - 6}" y="${y.at(tick) + 4}" text-anchor="end">${time(tick)} s</text>`);
  }
  const isLegible = ({ pairs }, p) => p === points.length - 1 || x.at(points.at(-1).pairs) - x.at(pairs) > 34;
  for (const { pairs } of points.filter(isLegible))
    parts.push(`<text x="${x.at(pairs)}" y="${height - bottom + 16}" text-anchor="middle">${short(pairs)}</text>`);
  parts.push(`<text x="${(left + width - right) / 2}" y="${height - bottom + 32}" text-anchor="middle">interactions</text>`);
  const lines = [["ours", "ours"], ...(points.some(({ peer }) => peer !== undefined) ? [["peer", peerName.split(" ")[0]]] : [])];
  const labels = [];
  for (const [key, label] of lines) {
    const own = points.filter((point) => point[key] !== undefined);
    const places = own.map((point) => `${x.at(point.pairs)},${y.at(point[key])}`);
    parts.push(`<polyline class="line ${key}" points="${places.join(" ")}"/>`);
    for (const point of own)
      parts.push(
        `<circle class="${key}-fill" cx="${x.at(point.pairs)}" cy="${y.at(point[key])}" r="3"><title>${label}, ${short(point.pairs)}: ${time(point[key])} s</title></circle>`,
      );
    labels.push({ key, label, y: y.at(own[own.length - 1][key]) + 4 });
  }
  if (labels.length === 2 && Math.abs(labels[0].y - labels[1].y) < 13) {
    const [upper, lower] = labels[0].y <= labels[1].y ? labels : [labels[1], labels[0]];
    const middle = (upper.y + lower.y) / 2;
    upper.y = middle - 6.5;
    lower.y = middle + 6.5;
  }
  for (const { key, label, y } of labels)
    parts.push(`<text class="${key}-fill" x="${width - right + 8}" y="${y}">${escaped(label)}</text>`);
  return parts.join("\n");
}

/** Logarithmic: values → pixels from `start` to `end`, rounded; ticks at 1, 2, 5 × powers of ten, or powers alone over long ranges. */
function scale(values, start, end, margin = 0) {
  const low = Math.log10(Math.min(...values));
  const high = Math.log10(Math.max(...values));
  const span = Math.max(high - low, 0.3);
  const from = low - margin * span;
  const to = low + span + margin * span;
  const at = (value) => Math.round((start + ((Math.log10(value) - from) / (to - from)) * (end - start)) * 10) / 10;
  const ticks = [];
  for (let power = Math.floor(from); power <= Math.ceil(to); power++)
    for (const step of to - from > 2.4 ? [1] : [1, 2, 5]) {
      const tick = step * 10 ** power;
      if (Math.log10(tick) >= from && Math.log10(tick) <= to) ticks.push(tick);
    }
  return { at, ticks };
}

function time(seconds) {
  return String(Number(seconds.toPrecision(3)));
}

function short(pairs) {
  return pairs >= 1e6 ? `${Number((pairs / 1e6).toPrecision(3))}M` : `${Number((pairs / 1e3).toPrecision(3))}k`;
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
