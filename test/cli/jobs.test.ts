/** `tastemaker jobs`: real processes in the background, watched, cancelled and killed. */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { jobReport } from "../../src/service/jobs/job-files.js";
import { cancelJob } from "../../src/service/jobs/jobs.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { tastemaker, writeShop } from "./tastemaker.js";

function shop({ factors, iterations }: { factors: number; iterations: number }): string {
  const cwd = temporaryFolder();
  writeShop(cwd, { users: 200, items: 150, rows: 10_000 });
  writeFileSync(
    join(cwd, "shop.yaml"),
    "name: shop\nsource: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at } }\n" +
      `split: { test: { by: last-days, days: 10 } }\nmodels: [{ name: als, params: { factors: ${factors}, iterations: ${iterations} } }]\n`,
  );
  return cwd;
}

/** Minutes, in short steps. */
const long = { factors: 512, iterations: 1000 };

const json = async (args: string[], cwd: string) => {
  const { code, stdout, stderr } = await tastemaker(["jobs", ...args, "--json"], { cwd });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

/** Submits the training of a shop that takes long; it is killed when the test ends. */
async function submitLong(cwd: string): Promise<string> {
  const { id } = await json(["submit", "train", "shop.yaml", "--threads", "1"], cwd);
  onTestFinished(async () => void (await tastemaker(["jobs", "cancel", id, "--force"], { cwd })));
  await expect.poll(async () => (await jobReport(join(cwd, ".tastemaker"), id)).last, { timeout: 30_000, interval: 200 }).toMatch(/als/);
  return id;
}

test("a job trains in the background, and its log and result can be read", async () => {
  const cwd = shop({ factors: 8, iterations: 3 });
  const { id, args } = await json(["submit", "train", "shop.yaml", "--threads", "1"], cwd);
  expect(args).toEqual(["train", "shop.yaml", "--threads", "1", "--json"]);
  const followed = await tastemaker(["jobs", "logs", id, "--follow"], { cwd });
  expect(followed.code).toBe(0);
  expect(JSON.parse(followed.stdout).models[0].label).toBe("als");
  expect(followed.stderr).toContain("orders.csv");
  expect(await json(["status", id], cwd)).toMatchObject({ id, state: "done", exitCode: 0 });
  expect((await tastemaker(["recommend", "--user", "u5", "--json"], { cwd })).code).toBe(0); // its models are the latest run
});

test("a cancelled job ends where nothing is broken, and one that ended stays as it is", async () => {
  const cwd = shop(long);
  const id = await submitLong(cwd);
  expect(await json(["cancel", id], cwd)).toMatchObject({ id, state: "cancelled", exitCode: 130 });
  expect(await cancelJob(join(cwd, ".tastemaker"), id)).toMatchObject({ state: "cancelled" });
  expect(existsSync(join(cwd, ".tastemaker/shop/runs"))).toBe(false); // no result of half a training
});

test("a job whose processes are killed is seen to be lost, one that fails says why", async () => {
  const cwd = shop(long);
  const id = await submitLong(cwd);
  const { pid, command } = await json(["status", id], cwd);
  for (const victim of [pid, command]) process.kill(victim, "SIGKILL");
  await expect.poll(async () => (await jobReport(join(cwd, ".tastemaker"), id)).state, { timeout: 40_000, interval: 200 }).toBe("lost");
  expect((await tastemaker(["jobs", "status", id], { cwd })).stdout).toContain("Submit it again");

  const failed = (await json(["submit", "train", "no-such.csv"], cwd)).id;
  expect((await tastemaker(["jobs", "logs", failed, "--follow"], { cwd })).stderr).toContain("no-such.csv");
  const all: { state: string; exitCode?: number }[] = await json(["list"], cwd);
  expect(all.map(({ state, exitCode }) => [state, exitCode])).toEqual([
    ["lost", undefined],
    ["failed", 66],
  ]);
});

test("wrong words are refused before anything starts", async () => {
  const cwd = temporaryFolder();
  for (const [args, code, words] of [
    [["submit", "trian", "x.csv"], 64, "Did you mean train"],
    [["submit", "run", "x.csv", "--serve"], 64, "never ends"],
    [["cancel", "none"], 66, "no job"],
  ] as const) {
    const { code: got, stderr } = await tastemaker(["jobs", ...args], { cwd });
    expect([got, stderr]).toEqual([code, expect.stringContaining(words)]);
  }
  expect(readdirSync(cwd)).toEqual([]);
});
