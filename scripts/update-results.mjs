/**
 * Writes the results table of README.md from the studies, run now or read from a file of their JSON lines:
 *   node scripts/update-results.mjs DATA_FOLDER          node scripts/update-results.mjs --from results.jsonl
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [first, second] = process.argv.slice(2);
if (first === undefined || (first === "--from" && second === undefined)) {
  console.error("Give the folder of the data sets, or --from FILE with the output of `tastemaker replicate --all --json`.");
  process.exit(64);
}

const lines = first === "--from" ? readFileSync(second, "utf8") : replicateAll(first);
const results = lines
  .split("\n")
  .filter((line) => line.startsWith("{"))
  .map((line) => JSON.parse(line))
  .filter(({ segment }) => segment === undefined)
  // what to compare with: the baseline, what was published, and the model chosen on validation; all others stand in replication/
  .filter(({ model, variant, published, selected }) => selected || published !== undefined || (model === "popularity" && !variant));

const titles = { retail: "Online Retail", "movielens-100k": "MovieLens 100k", beauty: "Amazon Beauty" };
const rows = results.map(({ study, scenario, model, variant, metric, value, sd, published, selected }) => {
  const ours = `${value.toFixed(4)}${sd === undefined ? "" : ` ± ${sd.toFixed(4)}`}`;
  const name = `\`${variant ?? model}\`${selected ? " (selected)" : ""}`;
  return `| ${titles[study] ?? study}${scenario ? `, ${scenario}` : ""} | ${name} | ${metric} | ${ours} | ${published?.toFixed(4) ?? "–"} |`;
});
const table = ["| data, scenario | model | metric | ours | published |", "|---|---|---|---|---|", ...rows].join("\n");

const readme = fileURLToPath(new URL("../README.md", import.meta.url));
const text = readFileSync(readme, "utf8");
const updated = text.replace(/(<!-- results: [^\n]*-->\n)[\s\S]*?(<!-- \/results -->)/, (_, open, close) => `${open}${table}\n${close}`);
writeFileSync(readme, updated);
console.log(`${rows.length} rows written to README.md`);

function replicateAll(dataFolder) {
  const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const run = spawnSync(process.execPath, [main, "replicate", "--all", "--data", dataFolder, "--json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 26,
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
  return run.stdout;
}
