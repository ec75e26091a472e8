/** Real files: only where TASTEMAKER_DATA names their folder. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDataset } from "../../src/data/readers/read-dataset.js";
import { split } from "../../src/data/splits.js";

const folder = process.env.TASTEMAKER_DATA ?? "";
if (folder === "") console.log("real data is skipped: TASTEMAKER_DATA does not name its folder");

describe.skipIf(folder === "")("real data", () => {
  test("Online Retail: guessed columns, and the counts of the published study", async () => {
    const file = join(folder, "online-retail", "online_retail.csv.gz");
    const { report } = await readDataset(file, { maxRows: 50_000 });
    expect(report.columns).toEqual({
      user: "CustomerID",
      item: "StockCode",
      timestamp: "InvoiceDate",
      weight: "Quantity",
      basket: "InvoiceNo",
    });
    const { interactions, report: full } = await readDataset(file, {
      columns: { weight: null },
      keepUnknownUsers: true,
      drop: [{ reason: "returned", where: "InvoiceNo LIKE 'C%'" }],
    });
    expect([full.rowsRead, full.rowsKept, full.rejected[0].count]).toEqual([541_909, 532_621, 9_288]);
    const validation = split(interactions, { by: "time", at: Date.UTC(2011, 9, 9), until: Date.UTC(2011, 10, 9) });
    const test = split(interactions, { by: "time", at: Date.UTC(2011, 10, 9) });
    expect([validation.train.numInteractions, validation.test.numInteractions, test.test.numInteractions]).toEqual([
      378_470, 64_460, 89_691,
    ]);
  });

  test.each([
    ["ml-100k/u.data", { user: "column1", item: "column2", weight: "column3", timestamp: "column4" }, 100_000, 943, 1_682],
    ["lastfm-2k/user_artists.dat", { user: "userID", item: "artistID", weight: "weight" }, 92_834, 1_892, 17_632],
    ["bookcrossing/BX-Ratings.csv", { user: "User-ID", item: "ISBN", weight: "Book-Rating" }, 204_164, 48_299, 18_185],
    ["beers/long_matrix.txt", { user: "UID", item: "beer_name", weight: "rating" }, 86_133, 2_205, 32_264],
    ["msd/taste_triplets_42739.txt", { user: "column1", item: "column2", weight: "column3" }, 42_739, undefined, undefined],
  ])("%s", async (name, columns, rows, users, items) => {
    const { report, interactions } = await readDataset(join(folder, name));
    expect(report.columns).toEqual(columns);
    expect([report.rowsRead, report.rowsKept]).toEqual([rows, rows]);
    if (users) expect([interactions.numUsers, interactions.numItems]).toEqual([users, items]);
  });
});
