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

const grid = { factors: [64, 128, 256], alpha: [0.3, 1, 3] };
/** Plain λ, λ by the root of the counts, λ by the counts (the form of Rendle et al. 2022). */
const penalties = [
  ...[0.01, 3, 10, 30].map((regularization) => ({ regularization, regularizationExponent: 0 })),
  ...[0.25, 0.5].map((regularization) => ({ regularization, regularizationExponent: 0.5 })),
  ...[0.0025, 0.005, 0.01].map((regularization) => ({ regularization, regularizationExponent: 1 })),
];

let best = { value: -1 };
for (const factors of grid.factors) {
  for (const alpha of grid.alpha) {
    for (const penalty of penalties) {
      const params = { factors, alpha, ...penalty, iterations: 15 };
      const model = await fit("als", train, params, { seed: 1 });
      const { "precision@5": value } = await evaluateCases(model, cases, { metrics: ["precision@5"], excludeSeen: false });
      model.dispose();
      if (value > best.value) best = { ...params, value };
      console.log(JSON.stringify({ ...params, "precision@5": Number(value.toFixed(5)) }));
    }
  }
}
console.log(`best: ${JSON.stringify(best)}`);
