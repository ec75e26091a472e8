/** Trainings that are killed or interrupted, as real processes: the next equal command goes on and ends at the same result. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { start, tastemaker, writeShop } from "./tastemaker.js";

const ALS = "{ name: als, params: { factors: 32, iterations: 60 } }";

/** A shop whose second model takes long enough to be killed in the middle. */
function shop(models = `[{ name: popularity }, ${ALS}]`): string {
  const cwd = temporaryFolder();
  writeShop(cwd, { users: 400, items: 300, rows: 30_000 });
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
const run = ["run", "shop.yaml", "--json"];

describe("an interrupted training", () => {
  test("killed with -9 again and again it goes on, to the result of one that was never killed", async () => {
    const whole = await tastemaker(run, { cwd: shop() });
    const cwd = shop();
    for (const text of [/Judged popularity/, /Judged als/]) {
      const killed = start([...run, "--checkpoint-seconds", "0"], { cwd });
      await killed.seen("stderr", text);
      killed.child.kill("SIGKILL");
      expect((await killed.finished).code).toBeNull();
    }
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
    const [journal] = readdirSync(unfinished(cwd)).filter((name) => name.endsWith(".json"));
    const file = join(unfinished(cwd), journal);
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
