/** Help, misspelt words and machine output of every verb, through the real command. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { tastemaker } from "./tastemaker.js";

const verbs = ["run", "init", "train", "evaluate", "tune", "auto", "recommend", "serve", "models", "replicate", "doctor"];

describe("tastemaker", () => {
  test("lists all verbs, and each explains itself with examples", async () => {
    const cwd = temporaryFolder();
    const all = await tastemaker(["--help"], { cwd });
    expect(all).toMatchObject({ code: 0, stderr: "" });
    for (const verb of verbs) {
      expect(all.stdout).toMatch(new RegExp(`^  ${verb}\\b`, "m"));
      const help = await tastemaker([verb, "--help"], { cwd });
      expect(help, verb).toMatchObject({ code: 0, stderr: "" });
      expect(help.stdout, verb).toMatch(/--json[\s\S]*Examples:\n {2}\$ tastemaker/);
    }
    expect((await tastemaker(["--version"], { cwd })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [["rnu", "demo"], 64, /unknown command 'rnu'[\s\S]*Did you mean run/],
    [["models", "--jsno"], 64, /unknown option '--jsno'[\s\S]*Did you mean --json/],
    [["run"], 64, /missing required argument/],
    [["run", "demo", "--port", "many"], 64, /--port.*many[\s\S]*whole number/],
    [["run", "nowhere.csv"], 66, /There is no file nowhere\.csv; looked for .*\nhint: .*--data/],
    [["run", "nowhere.yaml"], 66, /There is no recipe nowhere\.yaml/],
    [["recommend"], 64, /Nobody to recommend to[\s\S]*--user/],
    [["recommend", "--user", "u1"], 66, /Nothing was trained yet[\s\S]*tastemaker run/],
    [["serve", "--recipe", "shop"], 66, /Nothing was trained for the recipe "shop"/],
    [["replicate", "retial", "--data", "."], 66, /no study "retial"[\s\S]*Did you mean retail/],
    [["replicate", "retail"], 64, /--data DIR or in TASTEMAKER_DATA/],
  ])("%j exits with %i and says what to do", async (args, code, message) => {
    const result = await tastemaker(args, { cwd: temporaryFolder() });
    expect(result.stderr).toMatch(message);
    expect(result).toMatchObject({ code, stdout: "" });
  });

  test("PORT is checked like the flag", async () => {
    const result = await tastemaker(["serve"], { cwd: temporaryFolder(), env: { PORT: "eighty" } });
    expect(result.code).toBe(66); // nothing was trained; the port comes after
    const run = await tastemaker(["run", "demo"], { cwd: temporaryFolder(), env: { PORT: "eighty" } });
    expect(run.stderr).toMatch(/PORT is "eighty"/);
    expect(run.code).toBe(64);
  });

  test("a stack is shown only with --debug", async () => {
    const cwd = temporaryFolder();
    expect((await tastemaker(["run", "nowhere.csv"], { cwd })).stderr).not.toMatch(/\n {4}at /);
    expect((await tastemaker(["run", "nowhere.csv", "--debug"], { cwd })).stderr).toMatch(/\n {4}at /);
  });

  test("models as JSON name every parameter with its default", async () => {
    const result = await tastemaker(["models", "--json"], { cwd: temporaryFolder() });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const { models, saved } = JSON.parse(result.stdout);
    expect(saved).toEqual([]);
    const als = models.find(({ name }: { name: string }) => name === "als");
    expect(als.params.find(({ name }: { name: string }) => name === "factors")).toMatchObject({
      type: "integer",
      default: 128,
      help: expect.any(String),
    });
    expect((await tastemaker(["models"], { cwd: temporaryFolder() })).stdout).toMatch(/als: [\s\S]*factors \(integer, default 128\)/);
  });

  test("doctor finds this machine fit, and a file in the way", async () => {
    const cwd = temporaryFolder();
    const well = await tastemaker(["doctor", "--json"], { cwd });
    const { ok, findings } = JSON.parse(well.stdout);
    expect(findings.filter((finding: { ok: boolean }) => !finding.ok)).toEqual([]);
    expect(ok).toBe(true);
    expect(findings.find(({ name }: { name: string }) => name === "kernels").detail).toMatch(/plain|relaxed/);
    writeFileSync(join(cwd, "file"), "");
    const ill = await tastemaker(["doctor", "--workspace", "file"], { cwd });
    expect(ill.code).toBe(69);
    expect(ill.stdout).toMatch(/PROBLEM {2}folder file: .*--workspace/);
  });
});
