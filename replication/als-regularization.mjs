/**
 * How regularization "auto" of als compares with fixed values: NDCG@10 on validation parts of five data sets, never on their test parts.
 * Run it from the repository: node replication/als-regularization.mjs [data folder, default $TASTEMAKER_DATA]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { evaluate, fit, Interactions, readInteractions, split } from "#dist/index.js";

const dataFolder = process.argv[2] ?? process.env.TASTEMAKER_DATA;
if (!dataFolder) throw new Error("Give the data folder as argument or in TASTEMAKER_DATA.");
const read = (file, options) => readInteractions(join(dataFolder, file), options);
const perUser = { by: "random-per-user", testFraction: 0.25, seed: 1 };
const september = { by: "time", at: Date.parse("2011-09-09"), until: Date.parse("2011-10-09") };
const movies = { user: "column1", item: "column2", timestamp: "column4" };

/** A year's test part is cut off first where the studies have one. */
const cases = {
  "movielens-100k, ratings": async () => split(split(await read("ml-100k/u.data"), { ...perUser, seed: 9 }).train, perUser),
  "movielens-100k, unweighted": async () =>
    split(split(await read("ml-100k/u.data", { columns: { ...movies, weight: null } }), { ...perUser, seed: 9 }).train, perUser),
  "online retail, lines": async () => split(await read("online-retail/online_retail.csv.gz", { columns: { weight: null } }), september),
  "online retail, quantities": async () => split(await read("online-retail/online_retail.csv.gz"), september),
  beauty: async () => split(readSequences(join(dataFolder, "seq/s3rec_Beauty.txt")), { by: "leave-last-out", perUser: 1 }),
  "last.fm, unweighted": async () => split(await read("lastfm-2k/user_artists.dat", { columns: { weight: null } }), perUser),
  "last.fm, plays": async () => split(await read("lastfm-2k/user_artists.dat"), perUser),
};

for (const [name, load] of Object.entries(cases)) {
  const { train, test } = await load();
  const excludeSeen = !name.startsWith("online retail"); // things are bought again there
  for (const regularization of ["auto", 1, 3, 10, 20, 40, 80]) {
    const model = await fit("als", train, { regularization }, { seed: 1 });
    const { "ndcg@10": value } = await evaluate(model, train, test, { metrics: ["ndcg@10"], excludeSeen });
    console.log(JSON.stringify({ data: name, regularization, "ndcg@10": Number(value.toFixed(4)) }));
    model.dispose();
  }
}

/** Sequences without their last item, which is the study's test part. */
function readSequences(file) {
  const rows = readFileSync(file, "utf8").trim().split("\n");
  const items = new Map();
  const userIndex = [];
  const itemIndex = [];
  for (const [user, row] of rows.entries()) {
    for (const item of row.trim().split(/\s+/).slice(1, -1)) {
      if (!items.has(item)) items.set(item, items.size);
      userIndex.push(user);
      itemIndex.push(items.get(item));
    }
  }
  return Interactions.fromArrays({ userIndex, itemIndex });
}
