/** `tastemaker tune` and `auto` as real processes: results, kills, going on, bad input, and the recipe that is written. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { start, tastemaker, writeShop } from "./tastemaker.js";

const source = "name: shop\nsource: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at } }\n";
const splits = "split: { test: { by: last-days, days: 8 }, validation: { by: last-days, days: 8 } }\n";
const models = "models:\n  - name: popularity # the baseline\n  - { name: als, params: { factors: 4, iterations: 3 } }\n";
const evaluation = "evaluation: { metrics: [ndcg@10, recall@10], excludeSeen: false }\n";
const quick = "tune: { space: { als: { factors: [2, 4, 8], iterations: { min: 1, max: 6 }, cgSteps: 2 } } }\n";

/** What would make a page ask for something outside, or show a figure that is none. */
const outside = /https?:|\/\/\w|<script|<link|<img|url\(|@import|NaN|undefined|\[object/;

function shop(extra = quick, over: { splits?: string; models?: string } = {}): string {
  const cwd = temporaryFolder();
  writeShop(cwd);
  writeFileSync(join(cwd, "shop.yaml"), source + (over.splits ?? splits) + (over.models ?? models) + evaluation + extra);
  return cwd;
}

/** A report without what differs from run to run. */
function lasting(stdout: string) {
  const { data: _, ...report } = JSON.parse(stdout);
  for (const model of report.models) {
    delete model.seconds;
    delete model.resumed;
    for (const trial of model.trials) delete trial.seconds;
  }
  return report;
}

describe("tastemaker tune", () => {
  test("finds parameters at least as good as the recipe's, and writes them with the comments kept", async () => {
    const cwd = shop();
    const run = await tastemaker(["tune", "shop.yaml", "--trials", "12", "--write"], { cwd });
    expect(run.stderr).not.toMatch(/error/);
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/Tuning by ndcg@10 on the last 8 days.*The test part is not looked at/);
    expect(run.stdout).toMatch(/\* (als|popularity)[\s\S]*importance[\s\S]*To paste into the recipe:\n\nmodels:\n {2}- name: popularity/);
    const written = readFileSync(join(cwd, "shop.tuned.yaml"), "utf8");
    expect(written).toMatch(/# the baseline/);
    expect(written).toMatch(/cgSteps: 2/);
    const again = await tastemaker(["tune", "shop.yaml", "--trials", "12", "--resume", "--json"], { cwd });
    const report = JSON.parse(again.stdout);
    expect(again.stderr).toMatch(/going on after 12 trials that were kept/);
    for (const { start: before, best, trials, resumed } of report.models) {
      expect(best.value).toBeGreaterThanOrEqual(before);
      expect({ trials: trials.length, resumed }).toEqual({ trials: 12, resumed: 12 });
    }
    const als = report.models.find(({ label }: { label: string }) => label === "als");
    expect(als.trials.every(({ params }: { params: { cgSteps: number } }) => params.cgSteps === 2)).toBe(true);
    expect((await tastemaker(["evaluate", "shop.tuned.yaml", "--json"], { cwd })).code).toBe(0);
  });

  test("--report writes curves, trials and importance as a page; a folder that is not there is told before anything is read", async () => {
    const cwd = shop();
    const args = ["tune", "shop.yaml", "--model", "als", "--trials", "12", "--scheduler", "asha", "--json", "--report"];
    const { code, stdout, stderr } = await tastemaker([...args, "report.html"], { cwd });
    expect(stderr).toMatch(/Wrote report\.html/);
    expect(code).toBe(0);
    const [als] = JSON.parse(stdout).models;
    const text = readFileSync(join(cwd, "report.html"), "utf8");
    expect(text).toContain(`Best ndcg@10 ${als.best.value.toFixed(4)} in trial ${als.best.number}`);
    expect(text).toMatch(/line: best so far/);
    expect(text.match(/<title>trial \d+[ :(]/g)!.length).toBeGreaterThanOrEqual(als.complete);
    for (const { param, importance } of als.importance) expect(text).toContain(`<title>${param}: ${importance.toFixed(2)}</title>`);
    expect(text).not.toMatch(outside);
    const refused = await tastemaker([...args, "none/report.html"], { cwd: shop() });
    expect(refused.stderr).toMatch(/error: There is no folder .*none for the report/);
    expect(refused.stderr).not.toMatch(/Read /);
    expect(refused.code).toBe(66);
  });

  test("killed with -9 it goes on where it was, to the result of a run that was never killed", async () => {
    const args = ["tune", "shop.yaml", "--model", "als", "--trials", "30", "--scheduler", "asha", "--json"];
    const whole = await tastemaker(args, { cwd: shop() });
    const cwd = shop();
    let kept = 0;
    for (const least of [3, 12]) {
      const run = start(args, { cwd });
      const file = join(cwd, ".tastemaker", "shop", "trials.db");
      while (run.child.exitCode === null && countTrials(file) < least) await new Promise((resolve) => setTimeout(resolve, 5));
      run.child.kill("SIGKILL");
      expect((await run.finished).code).toBeNull();
      kept = countTrials(file);
      expect(kept).toBeGreaterThanOrEqual(least);
    }
    expect(kept).toBeLessThan(30);
    const rest = await tastemaker([...args, "--resume"], { cwd });
    expect(rest.stderr).toMatch(new RegExp(`going on after ${kept} trials`));
    expect(lasting(rest.stdout)).toEqual(lasting(whole.stdout));
    expect(JSON.parse(rest.stdout).models[0].pruned).toBeGreaterThan(0);
  });

  test("Ctrl-C keeps the trials and says so; --fresh forgets them", async () => {
    const cwd = shop();
    const args = ["tune", "shop.yaml", "--model", "als", "--trials", "5000"];
    const run = start(args, { cwd });
    await run.seen("stderr", /Trial \d+ of als/);
    run.child.kill("SIGINT");
    const { code, stderr } = await run.finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/finished trials are kept[\s\S]*goes on from there/);
    expect(countTrials(join(cwd, ".tastemaker", "shop", "trials.db"))).toBeGreaterThan(0);
    const fresh = await tastemaker(["tune", "shop.yaml", "--model", "als", "--trials", "2", "--fresh", "--json"], { cwd });
    expect(JSON.parse(fresh.stdout).models[0]).toMatchObject({ resumed: 0, complete: 2 });
  });

  test("--resume goes on with a search that had not come to all models", async () => {
    const cwd = shop();
    await tastemaker(["tune", "shop.yaml", "--model", "popularity", "--trials", "3"], { cwd });
    const rest = await tastemaker(["tune", "shop.yaml", "--trials", "3", "--resume", "--json"], { cwd });
    expect(JSON.parse(rest.stdout).models.map(({ resumed }: { resumed: number }) => resumed)).toEqual([3, 0]);
  });

  test("a recipe without a validation part gets one of the kind of its test part; a data file needs no recipe", async () => {
    const cwd = shop(quick, { splits: "split: { test: { by: leave-last-out, perUser: 2 } }\n" });
    const run = await tastemaker(["tune", "shop.yaml", "--trials", "2", "--json"], { cwd });
    expect(JSON.parse(run.stdout).part).toBe("the last 2 events of each user");
    const file = await tastemaker(["tune", "orders.csv", "--model", "repeat", "--trials", "3", "--write", "--user", "buyer"], { cwd });
    expect(file.stderr).toMatch(/Wrote orders\.tuned\.yaml/);
    expect((await tastemaker(["evaluate", "orders.tuned.yaml", "--json"], { cwd })).code).toBe(0);
  });

  test("the same trials on one thread and two", async () => {
    const cwd = shop();
    const run = async (threads: string) =>
      lasting((await tastemaker(["tune", "shop.yaml", "--trials", "14", "--threads", threads, "--fresh", "--json"], { cwd })).stdout);
    expect(await run("1")).toEqual(await run("2"));
  });

  test("a time budget ends the search", async () => {
    const run = await tastemaker(["tune", "shop.yaml", "--seconds", "1", "--json"], { cwd: shop() });
    const report = JSON.parse(run.stdout);
    expect(report.models.map(({ stoppedBy }: { stoppedBy: string }) => stoppedBy)).toEqual(["seconds", "seconds"]);
    for (const { complete } of report.models) expect(complete).toBeGreaterThan(0);
  });

  test.each<[string, string, string[], number, RegExp]>([
    [
      "an unknown parameter",
      "tune: { space: { als: { factor: [2, 4] } } }\n",
      [],
      64,
      /shop\.yaml:8: tune\.space\.als: .*"factor"[\s\S]*Did you mean factors/,
    ],
    ["no trials", quick, ["--trials", "0"], 64, /--trials[\s\S]*whole number, 1 or more/],
    ["an unknown metric", quick, ["--metric", "ndgc@10"], 64, /no metric "ndgc"[\s\S]*Did you mean ndcg/],
    ["an unknown sampler", quick, ["--sampler", "bayes"], 64, /--sampler[\s\S]*Allowed choices are grid, random, sobol, tpe/],
    ["an unknown model", quick, ["--model", "alz"], 64, /no model "alz"[\s\S]*Did you mean als/],
    ["nothing to resume", quick, ["--resume"], 64, /no search of popularity with these settings[\s\S]*--resume/],
    ["--resume with --fresh", quick, ["--resume", "--fresh"], 64, /cannot be used with/],
    [
      "nothing to tune",
      "tune: { space: { popularity: { count: users, windowDays: null, halfLifeDays: null } } }\n",
      ["--model", "popularity"],
      64,
      /nothing to tune: every parameter of popularity is fixed[\s\S]*tune\.space/,
    ],
  ])("%s is an error that says so", async (_, extra, args, code, message) => {
    const cwd = shop(extra);
    const result = await tastemaker(["tune", "shop.yaml", ...args], { cwd });
    expect(result.stderr).toMatch(message);
    expect(result).toMatchObject({ code, stdout: "" });
  });

  test("a validation part with nothing in it is an error that says which", async () => {
    const empty = shop(quick, { splits: "split: { validation: { by: time, at: 2030-01-01 } }\n" });
    const result = await tastemaker(["tune", "shop.yaml"], { cwd: empty });
    expect(result.stderr).toMatch(/No validation part can be held out for tuning: .*no events in test/);
    expect(result.code).toBe(65);
    const cwd = temporaryFolder();
    const rows = Array.from({ length: 40 }, (_, row) => `u${row},p${row % 7},2024-01-01 00:00:${String(row).padStart(2, "0")}`); // no one comes twice
    writeFileSync(join(cwd, "once.csv"), `user,item,time\n${rows.join("\n")}\n`);
    const held = "split: { validation: { by: held-out-users, testFraction: 0.2 } }\n";
    writeFileSync(join(cwd, "once.yaml"), `name: once\nsource: { file: once.csv }\n${held}models: [{ name: popularity }]\n`);
    const once = await tastemaker(["tune", "once.yaml"], { cwd });
    expect(once.stderr).toMatch(/validation part/);
    expect(once.code).toBe(65);
  });
});

describe("tastemaker auto", () => {
  test("chooses, explains, trains and serves", async () => {
    const cwd = temporaryFolder();
    writeShop(cwd, { users: 120, items: 60, rows: 6000 });
    const run = await tastemaker(
      ["auto", "orders.csv", "--user", "buyer", "--item", "product", "--seconds", "120", "--trials", "2", "--json"],
      { cwd },
    );
    expect(run.stderr).not.toMatch(/error/);
    const result = JSON.parse(run.stdout);
    const { decision } = result;
    const names: string[] = decision.candidates.map(({ model }: { model: string }) => model);
    expect(names.slice(0, 2)).toEqual(["popularity", "repeat"]); // the simplest first
    expect(names).toEqual(expect.arrayContaining(["als", "ease", "blend"]));
    for (const sequential of ["markov", "svd"]) expect(names).not.toContain(sequential); // no times, no ratings
    expect(result.champion).toBe(decision.champion);
    expect(decision.challenges.length).toBeGreaterThan(0);
    for (const { won, pAdjusted, difference } of decision.challenges) expect(won).toBe(pAdjusted < 0.05 && difference > 0);
    expect(decision.reasons.join(" ")).toMatch(/Tried popularity[\s\S]*ndcg@10 0\.\d{4}[\s\S]*interval[\s\S]*Champion: \w+\./);
    const list = await tastemaker(["recommend", "--user", "u3", "--top-k", "3", "--json"], { cwd });
    expect(JSON.parse(list.stdout).items[0].source).toMatch(new RegExp(`^${decision.champion}$|fallback`));
    const again = await tastemaker(["auto", "orders.csv", "--user", "buyer", "--item", "product", "--seconds", "120", "--trials", "2"], {
      cwd,
    });
    expect(again.stderr).toMatch(/going on after 2 trials/);
    expect(again.stdout).toContain(decision.reasons.join("\n"));
  });

  test("--report writes decision, search and figures as a page", async () => {
    const cwd = temporaryFolder();
    writeShop(cwd);
    const args = ["auto", "orders.csv", "--user", "buyer", "--item", "product", "--seconds", "60", "--trials", "11", "--json"];
    const { code, stdout } = await tastemaker([...args, "--report", "report.html"], { cwd });
    expect(code).toBe(0);
    const { decision, models } = JSON.parse(stdout);
    const text = readFileSync(join(cwd, "report.html"), "utf8");
    const escaped = (words: string) =>
      words.replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? "&#39;");
    for (const reason of decision.reasons) expect(text).toContain(`<p>${escaped(reason)}</p>`);
    expect(text).toMatch(/<h2>Tuning<\/h2>[\s\S]*share of the trials&#39; ranks/);
    expect(text).not.toMatch(/is best by/); // the decision says who is champion, and why
    for (const { estimates } of models) expect(text).toContain(estimates.test["ndcg@10"].value.toFixed(4));
    expect(text).not.toMatch(outside);
  });

  test("leaves out what does not suit the data, and says why", async () => {
    const cwd = temporaryFolder();
    const lines = Array.from({ length: 60 }, (_, u) => Array.from({ length: 6 }, (_, i) => `u${u},p${(u * 7 + i * 5) % 40}`)).flat();
    writeFileSync(join(cwd, "films.csv"), `user,item\n${lines.join("\n")}\n`);
    const run = await tastemaker(["auto", "films.csv", "--seconds", "4", "--trials", "4"], { cwd });
    expect(run.stdout).toMatch(/Left out repeat: only 0\.0 % of the events repeat an earlier one/);
    expect(run.code).toBe(0);
  });

  test("a metric without a value for each question cannot decide", async () => {
    const cwd = shop();
    const run = await tastemaker(["auto", "shop.yaml", "--metric", "coverage@10"], { cwd });
    expect(run.stderr).toMatch(/cannot be chosen by coverage@10/);
    expect(run.code).toBe(64);
    expect(existsSync(join(cwd, ".tastemaker"))).toBe(false);
  });
});

function countTrials(file: string): number {
  if (!existsSync(file)) return 0;
  const database = new Database(file, { readonly: true } as never);
  try {
    return (database.prepare("SELECT count(*) AS n FROM trials").get() as { n: number }).n;
  } catch {
    return 0; // the tables are just being made
  } finally {
    database.close();
  }
}
