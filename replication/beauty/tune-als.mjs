/**
 * The search behind the als parameters of config.yaml: fitted on all but the last two items of each user, judged by NDCG@10 on the
 * second last, seen items left out. The last items, the study's test part, are never looked at.
 * Run it from the repository: node replication/beauty/tune-als.mjs [data folder, default $TASTEMAKER_DATA]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { evaluate, fit, Interactions, split } from "#dist/index.js";

const dataFolder = process.argv[2] ?? process.env.TASTEMAKER_DATA;
if (!dataFolder) throw new Error("Give the data folder as argument or in TASTEMAKER_DATA.");
const items = new Map();
const userIndex = [];
const itemIndex = [];
const rows = readFileSync(join(dataFolder, "seq/s3rec_Beauty.txt"), "utf8").trim().split("\n");
for (const [user, row] of rows.entries()) {
  for (const item of row.trim().split(/\s+/).slice(1, -1)) {
    if (!items.has(item)) items.set(item, items.size);
    userIndex.push(user);
    itemIndex.push(items.get(item));
  }
}
const { train, test } = split(Interactions.fromArrays({ userIndex, itemIndex }), { by: "leave-last-out", perUser: 1 });

const grid = [
  { factors: 64, alpha: 1, regularization: 3 },
  { factors: 128, alpha: 1, regularization: 3 },
  { factors: 256, alpha: 1, regularization: 1 },
  { factors: 256, alpha: 1, regularization: 3 },
  { factors: 256, alpha: 1, regularization: 10 },
  { factors: 256, alpha: 4, regularization: 3 },
  { factors: 256, alpha: 4, regularization: 10 },
];
let best = { value: -1 };
for (const params of grid) {
  const model = await fit("als", train, params, { seed: 1 });
  const { "ndcg@10": value } = await evaluate(model, train, test, { metrics: ["ndcg@10"] });
  model.dispose();
  if (value > best.value) best = { ...params, value };
  console.log(JSON.stringify({ ...params, "ndcg@10": Number(value.toFixed(5)) }));
}
console.log(`best: ${JSON.stringify(best)}`);
