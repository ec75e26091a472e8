/**
 * The search behind the als parameters of config.yaml, on a part of train only: fitted on the rows before 2011-09-09,
 * judged on the invoices of the month from 2011-09-09 to 2011-10-09 by the same precision@5 as the study.
 * Run it from the repository: node replication/retail/tune-als.mjs [data folder, default $TASTEMAKER_DATA]
 */
import { join } from "node:path";
import { evaluateCases, fit } from "#dist/index.js";
import { invoiceCases, readRetail } from "#dist/service/studies/retail.js";

const dataFolder = process.argv[2] ?? process.env.TASTEMAKER_DATA;
if (!dataFolder) throw new Error("Give the data folder as argument or in TASTEMAKER_DATA.");

const { train, validation } = await readRetail(
  join(dataFolder, "online-retail/online_retail.csv.gz"),
  {
    drop: [{ reason: "cancelled invoice", where: "InvoiceNo LIKE 'C%'" }],
    columns: { user: "CustomerID", item: "StockCode", timestamp: "InvoiceDate", basket: "InvoiceNo" },
    validationFrom: "2011-09-09",
    testFrom: "2011-10-09",
  },
  {},
);
const cases = invoiceCases(validation);

/** Coordinate search: each step varies one or two parameters around the best so far. */
const steps = [
  { factors: [16, 32, 64, 128, 256] },
  { alpha: [0.3, 1, 3, 10, 30, 100] },
  { regularization: [0.001, 0.01, 0.1, 1, 10] },
  { regularizationExponent: [0, 0.5, 1], regularization: [0.0003, 0.003, 0.03, 0.3] },
  { unobservedWeight: [0.03, 0.1, 0.3, 1] },
  { iterations: [5, 10, 15, 30] },
  { factors: [64, 128, 192, 256], alpha: [1, 3, 10, 30] },
];
let best = { params: {}, value: -1 };
for (const step of steps) {
  for (const change of combinations(step)) {
    const params = { ...best.params, ...change };
    const values = [];
    for (const seed of [1, 2]) {
      const model = await fit("als", train, params, { seed });
      values.push((await evaluateCases(model, cases, { metrics: ["precision@5"], excludeSeen: false }))["precision@5"]);
      model.dispose();
    }
    const value = values.reduce((a, b) => a + b) / values.length;
    if (value > best.value) best = { params, value };
    console.log(JSON.stringify({ ...params, "precision@5": Number(value.toFixed(5)) }));
  }
}
console.log(`best: ${JSON.stringify(best)}`);

function combinations(step) {
  return Object.entries(step).reduce((all, [name, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))), [{}]);
}
