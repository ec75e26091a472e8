/** Trainings that are killed or interrupted, as real processes: the next equal command goes on and ends at the same result. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { start, tastemaker, writeShop } from "./tastemaker.js";

const ALS = "{ name: als, params: { factors: 32, iterations: 40 } }";

/** A shop whose second model takes long enough to be killed in the middle. */
function shop(models = `[{ name: popularity }, ${ALS}]`): string {
  const cwd = temporaryFolder();
  writeShop(cwd, { users: 200, items: 150, rows: 10_000 });
  writeFileSync(
    join(cwd, "shop.yaml"),
    "name: shop\nsource: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at } }\n" +
      `split: { test: { by: last-days, days: 10 }, validation: { by: last-days, days: 10 } }\nmodels: ${models}\n`,
  );
  return cwd;
}

/** A result without what differs from run to run. */
function lasting(stdout: string) {
  const { createdAt: _, ...result } = JSON.parse(stdout);
  for (const model of result.models) delete model.seconds;
  return { ...result, data: { ...result.data, report: undefined } };
}

const unfinished = (cwd: string) => join(cwd, ".tastemaker", "shop", "unfinished");

function journalFile(cwd: string): string | undefined {
  const names = existsSync(unfinished(cwd)) ? readdirSync(unfinished(cwd)) : [];
  const [name] = names.filter((entry) => /^[0-9a-f]+\.json$/.test(entry));
  return name && join(unfinished(cwd), name);
}

function journal(cwd: string): string {
  const file = journalFile(cwd);
  return file ? readFileSync(file, "utf8") : "";
}

/** The last step whose state is kept, of the one fit in progress; 0 when there is none, or while its files move. */
function stepKept(cwd: string): number {
  const fits = join(unfinished(cwd), "fits");
  try {
    const found = readdirSync(fits, { recursive: true, encoding: "utf8" });
    return Math.max(0, ...found.map((path) => Number(/^[0-9a-f]+.step-(\d+)$/.exec(path)?.[1] ?? 0)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}

const run = ["run", "shop.yaml", "--json"];

describe("an interrupted training", () => {
  test("killed with -9 again and again it goes on, to the result of one that was never killed", async () => {
    const whole = await tastemaker(run, { cwd: shop() });
    const cwd = shop();
    const killed = async (ready: () => boolean) => {
      const training = start([...run, "--checkpoint-seconds", "0"], { cwd });
      while (training.child.exitCode === null && !ready()) await new Promise((resolve) => setTimeout(resolve, 2));
      training.child.kill("SIGKILL");
      const { code, stderr } = await training.finished;
      expect(code).toBeNull();
      return stderr;
    };
    await killed(() => stepKept(cwd) >= 7); // while als learns for the first part
    const first = stepKept(cwd);
    const second = await killed(() => stepKept(cwd) >= first + 9);
    expect(second).toMatch(/Goes on with an interrupted training: popularity is judged/);
    expect(second).toMatch(new RegExp(`Continues als after step ${first} of 40 \\(--fresh`));
    await killed(() => /"label":"als"/.test(journal(cwd)));
    const { code, stdout, stderr } = await tastemaker(run, { cwd });
    expect(stderr).toMatch(/Goes on with an interrupted training: popularity, als are judged/);
    expect(stderr).not.toMatch(/Judged/);
    expect(code).toBe(0);
    expect(lasting(stdout)).toEqual(lasting(whole.stdout));
    expect(existsSync(unfinished(cwd))).toBe(false);
    expect((await tastemaker(run, { cwd })).stderr).toMatch(/Nothing has changed/);
  });

  test("Ctrl-C keeps what is done and says so; --fresh forgets it, and damage means doing it again", async () => {
    const cwd = shop();
    const interrupted = start(["train", "shop.yaml"], { cwd });
    await interrupted.seen("stderr", /Judged popularity/);
    interrupted.child.kill("SIGINT");
    const { code, stderr } = await interrupted.finished;
    expect(stderr).toMatch(/what it had done is kept[\s\S]*goes on from there; --fresh/);
    expect(code).toBe(130);
    const file = journalFile(cwd)!;
    writeFileSync(file, readFileSync(file).subarray(0, 40));
    const damaged = start(["train", "shop.yaml"], { cwd });
    await damaged.seen("stderr", /Judged popularity/);
    damaged.child.kill("SIGKILL");
    await damaged.finished;
    const fresh = await tastemaker(["train", "shop.yaml", "--fresh", "--json"], { cwd });
    expect(fresh.stderr).not.toMatch(/Goes on|Continues/);
    expect(fresh.stderr).toMatch(/Judged popularity/);
    expect(existsSync(unfinished(cwd))).toBe(false);
  });
});
