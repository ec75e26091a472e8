/**
 * Writes the part of docs/models.md that follows from the registered models; the routes are looked up in a model of each, fitted on
 * a little data. Needs a build.
 *   node scripts/update-models-doc.mjs            node scripts/update-models-doc.mjs --check   (changes nothing; fails when it would)
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fit, Interactions, listModels } from "../dist/index.js";
import { knowsSimilar } from "../dist/ranking/similar.js";
import { describeModel } from "../dist/service/describe-model.js";

const file = fileURLToPath(new URL("../docs/models.md", import.meta.url));
const text = readFileSync(file, "utf8");
const models = [];
for (const definition of listModels()) models.push({ ...describeModel(definition), routes: await routesOf(definition) });
const generated = [overview(), ...models.map(section)].join("\n\n");
const updated = text.replace(
  /(<!-- models: [^\n]*-->\n)[\s\S]*?(<!-- \/models -->)/,
  (_, open, close) => `${open}${generated}\n\n${close}`,
);

if (process.argv.includes("--check")) {
  if (updated === text) process.exit(0);
  const [before, after] = [text.split("\n"), updated.split("\n")];
  const at = after.findIndex((line, l) => line !== before[l]);
  console.error(`docs/models.md is not what the models say, from line ${at + 1}:\n- ${before[at]}\n+ ${after[at]}`);
  console.error("Run `npm run build && node scripts/update-models-doc.mjs`.");
  process.exit(1);
}
writeFileSync(file, updated);
console.log(`${models.length} models written to docs/models.md`);
process.exit(0);

/** What a fitted model offers. */
async function routesOf({ name, needs, requires }) {
  const events = Array.from({ length: 360 }, (_, e) => e);
  const data = Interactions.fromArrays({
    userIndex: events.map((e) => e % 20),
    itemIndex: events.map((e) => ((e % 20) % 3) * 6 + ((e * 7 + (e >> 3)) % 11)),
    weight: events.map((e) => 1 + (e % 5)),
    timestamp: events.map((e) => 1_700_000_000_000 + e * 3_600_000),
    basket: events.map((e) => Math.floor(e / 2)),
  });
  const values = Array.from({ length: data.numItems }, (_, item) => `kind ${item % 3}`);
  const kinds = { numRows: data.numItems, columns: { kind: { kind: "category", values } } };
  const model = await fit(name, data, needs ? { epochs: 1 } : {}, { seed: 1, threads: 1, ...(requires ? { itemFeatures: kinds } : {}) });
  const histories = [
    [1, 3, 5],
    [14, 16],
  ].map((items) => items.map((itemIndex) => ({ itemIndex, weight: 4 })));
  const lists = [];
  for (const history of histories) lists.push(String((await model.recommend({ history }, { topK: 12, excludeSeen: false })).score));
  const routes = {
    foldIn: lists[0] !== lists[1],
    explains: model.fitted.explain !== undefined,
    items: knowsSimilar(model.fitted, "item"),
    users: knowsSimilar(model.fitted, "user"),
  };
  model.dispose();
  return routes;
}

function overview() {
  const yes = (value) => (value ? "yes" : "–");
  const rows = models.map(({ name, title, task, routes, partialRefit }) => [
    `\`${name}\``,
    title,
    task,
    yes(routes.foldIn),
    yes(routes.explains),
    yes(routes.items),
    yes(routes.users),
    yes("how" in partialRefit),
  ]);
  const header = ["model", "what", "task", "unseen users", "explains", "similar items", "similar users", "partial refit"];
  return table([header, ...rows]);
}

function section({ name, title, description, reference, params, partialRefit }) {
  const refit = "how" in partialRefit ? `Partial refit: ${partialRefit.how}` : `No partial refit: ${partialRefit.unavailable}.`;
  const rows = params.map(({ name: param, type, default: value, range, scale, tune, help }) => [
    `\`${param}\``,
    cell(type),
    value === undefined ? "–" : `\`${JSON.stringify(value)}\``,
    searched({ type, range, scale, tune }),
    cell(help),
  ]);
  return [
    `### ${name}`,
    `${title}. ${description}`,
    ...(rows.length > 0 ? [table([["parameter", "type", "default", "searched", ""], ...rows])] : []),
    `${refit}\n\nSource: ${reference.replace(/\.$/, "")}.`,
  ].join("\n\n");
}

function searched({ type, range, scale, tune }) {
  if (tune === false) return "–";
  if (range) return `${range[0]} to ${range[1]}${scale === "log" ? ", log" : ""}`;
  return type === "boolean" || type.includes("|") ? "each" : "–";
}

function table([header, ...rows]) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(header), `|${header.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

function cell(words) {
  return words.replaceAll("|", "\\|");
}
