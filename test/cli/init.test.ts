/** `tastemaker init` and the smoke run of what it writes, through the real command. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { tastemaker, writeShop } from "./tastemaker.js";

test("a recipe is written, said, not replaced, and runs", async () => {
  const cwd = temporaryFolder();
  writeShop(cwd);
  const args = ["init", "orders.csv", "--time", "bought at", "--weight", "none"];
  const written = await tastemaker(args, { cwd });
  expect(written.code).toBe(0);
  expect(written.stderr).toMatch(/Wrote orders\.yaml\..*tastemaker run orders\.yaml --fast/);
  expect(written.stdout).toContain(readFileSync(join(cwd, "orders.yaml"), "utf8"));

  const again = await tastemaker(args, { cwd });
  expect(again).toMatchObject({ code: 64, stdout: "" });
  expect(again.stderr).toMatch(/orders\.yaml is there already\.\nhint: .*--force/);
  const forced = JSON.parse((await tastemaker([...args, "--force", "--json"], { cwd })).stdout);
  expect(forced).toMatchObject({ recipe: "orders.yaml", facts: { numUsers: 40 } });
  expect(forced.models).toContain("als");
  expect((await tastemaker(["init", "orders.yaml"], { cwd })).stderr).toMatch(/orders\.yaml is a recipe already/);

  const run = await tastemaker(["run", "orders.yaml", "--fast", "--json", "--threads", "1", "--report", "r.html"], { cwd });
  expect(run.code).toBe(0);
  expect(readFileSync(join(cwd, "r.html"), "utf8")).toMatch(/A smoke run[\s\S]*Intervals: 95 %/);
  const result = JSON.parse(run.stdout);
  expect(result).toMatchObject({ recipe: "orders.fast", fast: true });
  expect(result.models.map(({ label }: { label: string }) => label)).toEqual(forced.models);
  expect(existsSync(join(cwd, ".tastemaker", "orders.fast", "runs"))).toBe(true);
  expect(existsSync(join(cwd, ".tastemaker", "orders"))).toBe(false);
  const table = await tastemaker(["run", "orders.yaml", "--fast", "--threads", "1"], { cwd });
  expect(table.stdout).toMatch(/Fast: .*figures mean nothing/);
  expect(table.stderr).toMatch(/serve --recipe orders\.fast/);
  const refused = await tastemaker(["tune", "orders.yaml", "--fast", "--write"], { cwd });
  expect(refused.code).toBe(64);
  expect(refused.stderr).toMatch(/--fast.*cannot be used with.*--write/);
});
