/** The style of a report: one column of cards, light and dark, and the colours of the series. */
const light = ["#2a6fdb", "#c2410c", "#0d8567", "#8b46c9", "#a87800", "#c2306e", "#4b7f1f", "#5b6472"];
const dark = ["#6ea8ff", "#ff9a5c", "#3ecfa5", "#c49bff", "#e3b341", "#ff86b4", "#9ccc65", "#a9b3c1"];

const series = (colours: readonly string[]) => colours.map((colour, s) => `.s${s}{--c:${colour}}`).join("");

export const style = `
:root{color-scheme:light dark;--ground:#faf8f5;--card:#fff;--line:#e4ded6;--text:#1f1b16;--quiet:#6b6258;--accent:#b93c0b;--soft:#fbeae1}
${series(light)}
@media (prefers-color-scheme:dark){:root{--ground:#161412;--card:#201d1a;--line:#38332d;--text:#f1ece6;--quiet:#a89e92;--accent:#ff9a5c;--soft:#3a2417}${series(dark)}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}
h1{margin:0;font-size:28px;line-height:1.2}
h2{margin:40px 0 12px;font-size:20px}
h3{margin:24px 0 8px;font-size:15px}
p{margin:6px 0}
.quiet,figcaption,.legend{color:var(--quiet)}
.quiet{font-size:13px}
.card,figure{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.answer{margin-top:20px;border-left:4px solid var(--accent);font-size:16px}
.charts{columns:2 380px;column-gap:14px;margin:14px 0 0}
figure{margin:0 0 14px;break-inside:avoid}
figcaption{font-size:13px;font-weight:600;margin-bottom:6px}
figure svg{display:block;width:100%;height:auto;font:12px system-ui,sans-serif}
svg text{fill:var(--text)}
svg .tick{fill:var(--quiet);font-size:11px}
svg .grid,svg .rule{stroke:var(--line);stroke-width:1}
svg .rule{stroke-dasharray:1 3}
svg circle,svg rect{fill:var(--c)}
svg circle.hollow{fill:var(--card);stroke:var(--c);stroke-width:1.5}
svg .interval{stroke:var(--c);stroke-width:2.5;stroke-linecap:round;opacity:.55}
svg .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
svg .faint{stroke-width:1.2;opacity:.5}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:13px}
.legend svg{width:10px;height:10px;margin-right:6px}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;margin:10px 0}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:7px 12px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child td{border-bottom:0}
th{color:var(--quiet);font-size:13px;font-weight:600;white-space:nowrap}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.number small{display:block;color:var(--quiet)}
.marked{background:var(--soft)}
code,pre{font:13px/1.45 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{margin:8px 0 0;white-space:pre-wrap}
summary{cursor:pointer}
@media print{body{background:none}figure,tr{break-inside:avoid}}
`;
