/** `tastemaker train --refit` as a real process, and answers from a run of which one model is damaged. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { tastemaker, writeShop } from "./tastemaker.js";

function shop(): { cwd: string; file: string } {
  const cwd = temporaryFolder();
  const file = writeShop(cwd);
  writeFileSync(
    join(cwd, "shop.yaml"),
    "name: shop\nsource: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at } }\n" +
      "split: { test: { by: last-days, days: 5 } }\nmodels: [{ name: popularity }, { name: repeat }]\n",
  );
  return { cwd, file };
}

test("train --refit takes in a new customer and says what it did", async () => {
  const { cwd, file } = shop();
  const early = await tastemaker(["train", "shop.yaml", "--refit"], { cwd });
  expect(early.stderr).toMatch(/Nothing was trained[\s\S]*hint: /);
  expect(early.code).toBe(66);
  await tastemaker(["train", "shop.yaml"], { cwd });
  const days = [10, 11, 12, 13, 14, 15];
  writeFileSync(file, `${readFileSync(file, "utf8")}${days.map((day) => `newcomer,p${day},2024-03-${day} 10:00:00,1,x\n`).join("")}`);
  const { code, stdout, stderr } = await tastemaker(["train", "shop.yaml", "--refit"], { cwd });
  expect(stderr).toMatch(/Judging repeat on the test part by a (partial refit|full fit)/);
  expect(stderr).toMatch(/Refitting repeat: [A-Z].*\./);
  expect(stderr).toMatch(/Saved repeat as version \w+, refitted from \w+\./);
  expect(stdout).toMatch(/\* \w+ is best/);
  expect(code).toBe(0);
  const list = await tastemaker(["recommend", "--user", "newcomer", "--model", "repeat", "--no-exclude-seen", "--json"], { cwd });
  expect(JSON.parse(list.stdout).items[0]).toMatchObject({ itemId: expect.stringMatching(/^p1[0-5]$/), source: "repeat" });
  expect((await tastemaker(["run", "shop.yaml"], { cwd })).stderr).toMatch(/Nothing has changed/);
  expect((await tastemaker(["train", "shop.yaml", "--refit", "--fresh"], { cwd })).code).toBe(64);
});

test("recommend answers from the models that are whole, and warns of the damaged one", async () => {
  const { cwd } = shop();
  const { champion, models } = JSON.parse((await tastemaker(["run", "shop.yaml", "--json"], { cwd })).stdout);
  const { version } = models.find(({ label }: { label: string }) => label === champion);
  const arrays = join(cwd, ".tastemaker", "shop", "models", champion, version, "arrays");
  const file = join(arrays, readdirSync(arrays)[0]);
  writeFileSync(file, readFileSync(file).subarray(1));
  const rest = await tastemaker(["recommend", "--user", "u3", "--json"], { cwd });
  expect(rest.stderr).toMatch(new RegExp(`Warning: ${champion} is left out, the other models answer\\. .*damaged`));
  expect(JSON.parse(rest.stdout).items[0].source).not.toBe(champion);
  const asked = await tastemaker(["recommend", "--user", "u3", "--model", champion], { cwd });
  expect(asked.code).toBe(76);
  expect(asked.stderr).toMatch(/error: .*damaged[\s\S]*hint: /);
});
