/** `tastemaker evaluate` with lists, leaks and logs, through the real command. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { tastemaker, writeShop } from "./tastemaker.js";

const columns = ["--user", "buyer", "--item", "product", "--time", "bought at", "--weight", "none"];

test("lists of another system get a row of the table, and what is missing is said", async () => {
  const cwd = temporaryFolder();
  writeShop(cwd);
  writeFileSync(
    join(cwd, "peer.csv"),
    `user,item,score\n${Array.from({ length: 30 }, (_, item) => `u1,p${item},${-item}`).join("\n")}\nghost,p1,1\n`,
  );
  const args = ["evaluate", "orders.csv", ...columns, "--lists", "peer=peer.csv", "--threads", "1"];
  const result = await tastemaker(args, { cwd });
  expect(result.code).toBe(0);
  expect(result.stdout).toMatch(/^ {2}peer \(lists\) +\d\.\d{4}/m);
  expect(result.stderr).toMatch(/Guessed score = score .*--list-columns score=COLUMN/);
  expect(result.stderr).toMatch(/peer: 1 rows are of 1 users that the data does not have, such as "ghost"/);
  expect(result.stderr).toMatch(/Warning \(peer\): \d+ of \d+ test users have no list; each counts as 0/);
  const json = JSON.parse((await tastemaker([...args, "--json"], { cwd })).stdout);
  expect(json.lists).toMatchObject([{ label: "peer", report: { rowsKept: 31 } }]);
});

test("a leak is refused with exit code 65, and judged with --allow-leaks", async () => {
  const cwd = temporaryFolder();
  const [header, ...rows] = readFileSync(writeShop(cwd), "utf8").trimEnd().split("\n");
  writeFileSync(join(cwd, "a.csv"), [header, ...rows.slice(0, 910)].join("\n"));
  writeFileSync(join(cwd, "b.csv"), [header, ...rows.slice(900)].join("\n"));
  writeFileSync(
    join(cwd, "shop.yaml"),
    `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at, weight: null, basket: null } }
split: { test: { by: files, files: [{ train: a.csv, test: b.csv }] } }
models: [{ name: popularity }]
`,
  );
  const refused = await tastemaker(["evaluate", "shop.yaml"], { cwd });
  expect(refused).toMatchObject({ code: 65, stdout: "" });
  expect(refused.stderr).toMatch(/error: The test part leaks: \d+ of 300 test rows .*are also in train.*\nhint: .*--allow-leaks/);
  const allowed = await tastemaker(["evaluate", "shop.yaml", "--allow-leaks"], { cwd });
  expect(allowed.code).toBe(0);
  expect(allowed.stderr).toMatch(/Leak, allowed \(test\): \d+ of 300 test rows/);
});

test("policies on a log of impressions, and what is missing to judge them", async () => {
  const cwd = temporaryFolder();
  const rows = Array.from(
    { length: 400 },
    (_, row) => `u${row % 20},p${row % 4},0.25,${row % 4 === 3 ? 1 : 0},${row % 4 === 3 ? 0.7 : 0.1}`,
  );
  writeFileSync(join(cwd, "log.csv"), `user,item,propensity,reward,target_probability\n${rows.join("\n")}\n`);
  const table = await tastemaker(["evaluate", "--impressions", "log.csv"], { cwd });
  expect(table.code).toBe(0);
  expect(table.stdout).toMatch(/\(as logged\) +mean +0\.2500/);
  expect(table.stdout).toMatch(/target_probability +IPS +0\.7000 .* 192 +2\.80/); // (Σw)² / Σw² = 400² / (100 · 2.8² + 300 · 0.4²)
  expect(table.stdout).toMatch(/target_probability +SNIPS +0\.7000/);
  const json = JSON.parse(
    (await tastemaker(["evaluate", "--impressions", "log.csv", "--policy", "target_probability", "--clip", "2", "--json"], { cwd })).stdout,
  );
  expect(json.policies[0]).toMatchObject({ maxWeight: 2, warnings: [expect.stringMatching(/clipped at 2/)] });
  for (const [args, message] of [
    [["--policy", "target_probability"], /--policy needs --impressions/],
    [[], /nothing to evaluate/],
    [["--impressions", "log.csv", "--policy", "targt_probability"], /no column "targt_probability".*\nhint: Did you mean/],
    [["--impressions", "log.csv", "--clip", "-1"], /--clip.*above 0/],
    [["orders.csv", "--lists", "peer"], /--lists.*NAME=FILE/],
  ] as const) {
    const result = await tastemaker(["evaluate", ...args], { cwd });
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(64);
  }
});
