/** Recipes whose source is a query; the tokens recipe on a small ledger, from transfers to a served answer. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { parseRecipe, readRecipe } from "../../src/service/recipe/recipe.js";
import { runRecipe, serveRun } from "../../src/service/run.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

function writeTransfers(folder: string, transfers = 600): void {
  const random = createRandom(3);
  const address = (a: number) => `0x${(a + 1).toString(16).padStart(40, "0")}`;
  const rows = Array.from({ length: transfers }, () => {
    const holder = random.integer(60);
    const token = (holder % 3) * 4 + random.integer(6); // three kinds of holders
    return `${address(1000 + token)},${address(-1)},${address(holder)},${1 + random.integer(1e9)}000000000000`;
  });
  mkdirSync(join(folder, "tokens"), { recursive: true });
  writeFileSync(join(folder, "tokens", "token_transfers_1.csv"), `token_address,from_address,to_address,value\n${rows.join("\n")}\n`);
}

describe("the tokens recipe", () => {
  test("goes from transfers to a served answer, and runs its query only when something changed", async () => {
    const folder = temporaryFolder();
    writeTransfers(folder);
    const recipe = await readRecipe(new URL("../../recipes/tokens.yaml", import.meta.url).pathname);
    const options = { workspace: join(folder, "work"), dataFolder: folder, threads: 1 };
    const stages: string[] = [];
    const run = await runRecipe(recipe, { ...options, onProgress: ({ stage }) => stages.push(stage) });
    expect(stages).toContain("running the source's SQL");
    const service = await serveRun(run, { threads: 1 });
    try {
      const { items } = await service.recommend({ user: "0x0000000000000000000000000000000000000001", topK: 3, model: "als" });
      expect(items.length).toBe(3);
      for (const { itemId, source } of items) expect([itemId, source]).toEqual([expect.stringMatching(/^0x[0-9a-f]{40}$/), "als"]);
    } finally {
      service.dispose();
    }
    stages.length = 0;
    expect((await runRecipe(recipe, { ...options, onProgress: ({ stage }) => stages.push(stage) })).result.key).toBe(run.result.key);
    expect(stages).not.toContain("running the source's SQL");
    writeTransfers(folder, 700);
    expect((await runRecipe(recipe, options)).result.key).not.toBe(run.result.key);
    expect(readdirSync(join(folder, "work", "tokens", "data")).length).toBe(1);
  });

  test("the holders' recipe goes from one csv for each token to rmse, lists and a served answer", async () => {
    const folder = temporaryFolder();
    const random = createRandom(8);
    mkdirSync(join(folder, "tokens", "holders_2021-03-17"), { recursive: true });
    for (let token = 0; token < 12; token++) {
      const rows = Array.from({ length: 80 }, (_, holder) =>
        random.uniform() < (token % 3 === holder % 3 ? 0.7 : 0.1)
          ? `"0xA${holder}","${(random.uniform() * 1e6).toFixed(6)}","No"`
          : undefined,
      );
      const text = ['"HolderAddress","Balance","PendingBalanceUpdate"', ...rows.filter(Boolean)].join("\n");
      writeFileSync(join(folder, "tokens", "holders_2021-03-17", `T${token}.csv`), text);
    }
    const recipe = await readRecipe(new URL("../../recipes/tokens-holders.yaml", import.meta.url).pathname);
    const run = await runRecipe(recipe, { workspace: join(folder, "work"), dataFolder: folder, threads: 1 });
    const figures = Object.fromEntries(run.result.models.map(({ label, metrics }) => [label, metrics.test!]));
    expect(figures.als["train-rmse"]).toBeLessThan(figures.zero["train-rmse"]);
    expect(figures["item-mean"].rmse).toBeLessThan(figures.zero.rmse);
    expect(figures["als-held"]["ndcg@5"]).toBeGreaterThan(figures.zero["ndcg@5"]);
    const service = await serveRun(run, { threads: 1 });
    try {
      const { items } = await service.recommend({ user: "0xa5", topK: 3, model: "als-held" });
      expect(items.map(({ itemId }) => itemId)).toEqual(items.map(() => expect.stringMatching(/^t\d+$/)));
    } finally {
      service.dispose();
    }
  });

  test("says what is missing or contradictory", async () => {
    const folder = temporaryFolder();
    const recipe = await readRecipe(new URL("../../recipes/tokens.yaml", import.meta.url).pathname);
    mkdirSync(join(folder, "tokens"));
    await expectError(runRecipe(recipe, { workspace: join(folder, "work"), dataFolder: folder }), "E_NOT_FOUND", /token_transfers_\*\.csv/);
    const parse = (source: string) =>
      parseRecipe(`name: x\nsource: ${source}\nmodels: [{ name: popularity }]\n`, { file: join(folder, "x.yaml") });
    await expectError(() => parse("{ sql: a.sql }"), "E_CONFIG", /tables/);
    await expectError(
      () => parse("{ sql: a.sql, file: b.csv, tables: { t: c.csv } }"),
      "E_CONFIG",
      /a file, a generator, a query or a catalogue/,
    );
    await expectError(() => parse("{ file: b.csv, parameters: { x: 1 } }"), "E_CONFIG", /query/);
  });
});
