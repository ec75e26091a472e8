/**
 * The search behind the als parameters of config.yaml: inside the training part of the first split (seed 1), 75 % of each
 * user's training ratings to fit, the rest to judge by NDCG@10, seen items left out. The test part is never looked at.
 * Run it from the repository: node replication/movielens-100k/tune-als.mjs [data folder, default $TASTEMAKER_DATA]
 */
import { join } from "node:path";
import { evaluate, fit, readInteractions, split } from "#dist/index.js";

const dataFolder = process.argv[2] ?? process.env.TASTEMAKER_DATA;
if (!dataFolder) throw new Error("Give the data folder as argument or in TASTEMAKER_DATA.");
const spec = { by: "random-per-user", testFraction: 0.25, seed: 1 };
const columns = { user: "column1", item: "column2", timestamp: "column4" };

let best = { value: -1 };
for (const weight of ["column3", null]) {
  const data = await readInteractions(join(dataFolder, "ml-100k/u.data"), { columns: { ...columns, weight } });
  const { train, test } = split(split(data, spec).train, spec);
  for (const factors of [32, 64, 96, 128]) {
    for (const alpha of [0.5, 1, 2, 4]) {
      for (const regularization of ["auto", 10, 20, 30, 45]) {
        const params = { factors, alpha, regularization, iterations: 15 };
        const model = await fit("als", train, params, { seed: 1 });
        const { "ndcg@10": value } = await evaluate(model, train, test, { metrics: ["ndcg@10"] });
        model.dispose();
        if (value > best.value) best = { unweighted: weight === null, ...params, value };
        console.log(JSON.stringify({ unweighted: weight === null, ...params, "ndcg@10": Number(value.toFixed(5)) }));
      }
    }
  }
}
console.log(`best: ${JSON.stringify(best)}`);
