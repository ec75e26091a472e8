/** A person's file from the command line to an answer over HTTP, a second run, and runs that are cut off. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { root, start, tastemaker, writeShop } from "./tastemaker.js";

/** Files below a folder, without those of temporary folders, which are named apart. */
function filesUnder(folder: string): { files: string[]; temporary: string[] } {
  const all = existsSync(folder) ? (readdirSync(folder, { recursive: true, encoding: "utf8" }) as string[]).sort() : [];
  return { files: all.filter((file) => !file.includes(".tmp-")), temporary: all.filter((file) => file.includes(".tmp-")) };
}

const columns = ["--user", "buyer", "--item", "product", "--time", "bought at", "--weight", "pieces"];

describe("tastemaker run FILE", () => {
  test("reads, judges, saves; a second run loads what is there; recommend answers", async () => {
    const cwd = temporaryFolder();
    writeShop(cwd);
    const first = await tastemaker(["run", "orders.csv", ...columns, "--json", "--threads", "1"], { cwd });
    expect(first.stderr).toMatch(/kept 1,200 of 1,200 rows, 40 users/);
    expect(first.code).toBe(0);
    expect(first.stdout.trimEnd().split("\n")).toHaveLength(1); // one document and nothing else
    const result = JSON.parse(first.stdout);
    expect(result).toMatchObject({ recipe: "orders", data: { numUsers: 40, numInteractions: 1200 }, chosenBy: "ndcg@10" });
    expect(result.models.map(({ label }: { label: string }) => label)).toContain(result.champion);
    for (const { metrics } of result.models) expect(metrics.test["ndcg@10"]).toBeGreaterThan(0);

    const before = filesUnder(join(cwd, ".tastemaker"));
    expect(before.temporary).toEqual([]);
    const second = await tastemaker(["run", "orders.csv", ...columns, "--threads", "1"], { cwd });
    expect(second.stderr).toMatch(/Nothing has changed/);
    expect(second.stderr).not.toMatch(/training/);
    expect(second.stdout).toMatch(/ndcg@10[\s\S]*\* \w+/);
    expect(filesUnder(join(cwd, ".tastemaker"))).toEqual(before);

    const list = await tastemaker(["recommend", "--user", "u3", "--top-k", "5", "--json"], { cwd });
    expect(JSON.parse(list.stdout).items).toHaveLength(5);
    const folded = await tastemaker(["recommend", "--items", "p1,p2", "--model", "als"], { cwd });
    expect(folded.stdout.trimEnd().split("\n")).toHaveLength(12);
    const unknown = await tastemaker(["recommend", "--items", "p1,p99"], { cwd });
    expect(unknown.code).toBeGreaterThan(0);
    expect(unknown.stderr).toMatch(/p99/);
    expect((await tastemaker(["recommend", "--items", "xyz"], { cwd })).stderr).toMatch(/hint: No known item is like it(?!.*\/v1)/);
    const explained = ["recommend", "--user", "u3", "--model", "repeat", "--top-k", "3", "--no-exclude-seen", "--explain"];
    expect((await tastemaker(explained, { cwd })).stdout).toMatch(/because of\n[\s\S]*(p\d+) .* \1 \+\d/);
    for (const item of JSON.parse((await tastemaker([...explained, "--json"], { cwd })).stdout).items) {
      const { score, base, rest, contributions } = item.explanation;
      expect(score).toBeCloseTo(item.score, 4);
      expect(
        contributions.reduce((sum: number, { contribution }: { contribution: number }) => sum + contribution, base + rest),
      ).toBeCloseTo(score, 4);
    }
    const models = JSON.parse((await tastemaker(["models", "--json"], { cwd })).stdout);
    expect(models.saved).toHaveLength(result.models.length);
  });

  test("other data or parameters are another run; leftovers of a killed one are removed", async () => {
    const cwd = temporaryFolder();
    const file = writeShop(cwd);
    const recipe = (factors: number) =>
      `name: shop\nsource: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at } }\n` +
      `itemProperties: { title: name }\nsplit: { test: { by: leave-last-out, perUser: 2 }, validation: { by: leave-last-out, perUser: 1 } }\n` +
      `models:\n  - { name: als, params: { factors: ${factors}, iterations: 2 } }\n`;
    writeFileSync(join(cwd, "shop.yaml"), recipe(4));
    const run = async () => JSON.parse((await tastemaker(["run", "shop.yaml", "--json"], { cwd })).stdout);
    const first = await run();
    expect(Object.keys(first.models[0].metrics)).toEqual(["validation", "test"]);
    writeFileSync(join(cwd, "shop.yaml"), recipe(5));
    const leftover = join(cwd, ".tastemaker", "shop", "models", "als", ".version.tmp-999999999-0a0a0a0a");
    mkdirSync(leftover, { recursive: true });
    const second = await run();
    expect(second.key).not.toBe(first.key);
    expect(existsSync(leftover)).toBe(false);
    writeFileSync(file, `${readFileSync(file, "utf8")}u1,p1,2024-03-02 10:00:00,1,x\n`);
    const third = await run();
    expect(new Set([first.key, second.key, third.key]).size).toBe(3);
    writeFileSync(join(cwd, "shop.yaml"), recipe(4));
    const answer = await tastemaker(["recommend", "--user", "u1"], { cwd });
    expect(answer.stdout).toMatch(/title[\s\S]*Product "/);
  });

  test("rejected rows are counted with an example, and written out when asked for", async () => {
    const cwd = temporaryFolder();
    const file = writeShop(cwd);
    writeFileSync(file, `${readFileSync(file, "utf8")}u1,p1,2024-03-02 10:00:00,-5,x\n,p2,2024-03-02 10:00:00,1,x\n`);
    const result = await tastemaker(["evaluate", "orders.csv", ...columns, "--rejects", "rejects.csv"], { cwd });
    expect(result.stderr).toMatch(/kept 1,200 of 1,202 rows/);
    expect(result.stderr).toMatch(/Rejected 1 rows?: no user; for example line 1203/);
    expect(result.stderr).toMatch(/Rejected 1 rows?: negative weight; for example line 1202/);
    const rejects = readFileSync(join(cwd, "rejects.csv"), "utf8");
    expect(rejects.trimEnd().split("\n")).toHaveLength(3);
    expect(rejects).toMatch(/negative weight/);
    expect(filesUnder(join(cwd, ".tastemaker")).files.filter((name) => name.endsWith(".npy"))).toEqual([]);
  });

  test("serves at the address it prints until Ctrl-C", async () => {
    const cwd = temporaryFolder();
    writeShop(cwd);
    const server = start(["run", "orders.csv", ...columns, "--serve"], { cwd, env: { PORT: "0" } });
    const [, curl] = await server.seen("stdout", /curl "(http:\S+)"/);
    const answer = await (await fetch(curl)).json();
    expect(answer.items).toHaveLength(10);
    expect(answer).toMatchObject({ modelVersion: expect.any(String), requestId: expect.any(String) });
    await server.seen("stdout", /Ctrl-C stops/);
    server.child.kill("SIGINT");
    expect((await server.finished).code).toBe(0);
  });

  test("a port in use is found before anything is trained", async () => {
    const cwd = temporaryFolder();
    writeShop(cwd);
    const other = createServer();
    await new Promise<void>((ready) => other.listen(0, "127.0.0.1", ready));
    const { port } = other.address() as { port: number };
    const result = await tastemaker(["run", "orders.csv", ...columns, "--serve", "--port", String(port)], { cwd });
    other.close();
    expect(result.stderr).toMatch(new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is already in use`));
    expect(result.code).toBe(74);
    expect(existsSync(join(cwd, ".tastemaker"))).toBe(false);
  });

  test("npm start takes a person's file", async () => {
    const cwd = temporaryFolder();
    const file = writeShop(cwd);
    const args = [file, ...columns, "--workspace", join(cwd, "work")];
    const server = start(args, { cwd, env: { PORT: "0" }, script: join(root, "scripts", "start.mjs") });
    const [, curl] = await server.seen("stdout", /curl "(http:\S+)"/);
    expect((await (await fetch(curl)).json()).items).toHaveLength(10);
    server.child.kill("SIGINT");
    expect((await server.finished).code).toBe(0);
  });
});

describe("a run that cannot go on", () => {
  test("SIGINT during training exits with 130 and leaves no half of a model", async () => {
    const cwd = temporaryFolder();
    writeShop(cwd, { users: 300, items: 200, rows: 20_000 });
    writeFileSync(
      join(cwd, "long.yaml"),
      "name: long\nsource: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at } }\n" +
        "split: { test: { by: last-days, days: 10 } }\nmodels:\n  - { name: als, params: { factors: 128, iterations: 1000 } }\n",
    );
    const run = start(["run", "long.yaml", "--threads", "2"], { cwd });
    await run.seen("stderr", /training als/);
    run.child.kill("SIGINT");
    const { code, stdout, stderr } = await run.finished;
    expect(stderr).toMatch(/cancelled/);
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    const { files, temporary } = filesUnder(join(cwd, ".tastemaker"));
    expect({ files: files.filter((file) => !file.includes("unfinished")), temporary }).toEqual({ files: [], temporary: [] });
  });

  test.each<[string, string, number, RegExp]>([
    ["an empty file", "", 65, /empty/i],
    ["a header only", "user,item,time\n", 65, /no rows|no (usable )?(events|interactions|data)/i],
    ["no item column", "user,date\na,2024-01-01\n", 64, /item/],
    ["one row", "user,item\na,x\n", 65, /train|learn|split/],
  ])("%s is an error that says so", async (_, text, code, message) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "bad.csv"), text);
    const result = await tastemaker(["run", "bad.csv"], { cwd });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/\nhint: /);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(filesUnder(join(cwd, ".tastemaker")).files.filter((file) => file.endsWith(".npy"))).toEqual([]);
  });

  test.each([
    ["one user", (row: number) => `a,p${row % 7}`],
    ["one item", (row: number) => `u${row % 7},x`],
  ])("%s is enough", async (_, line) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "thin.csv"), `user,item\n${Array.from({ length: 60 }, (_, row) => line(row)).join("\n")}\n`);
    const result = await tastemaker(["run", "thin.csv", "--json"], { cwd });
    expect(result.stderr).not.toMatch(/error:/);
    expect(JSON.parse(result.stdout).data.numInteractions).toBe(60);
  });

  test("a workspace that cannot be written is an error with its path", async () => {
    const cwd = temporaryFolder();
    writeShop(cwd);
    writeFileSync(join(cwd, "file"), "");
    const result = await tastemaker(["run", "orders.csv", ...columns, "--workspace", "file"], { cwd });
    expect(result.stderr).toMatch(/error: Could not \w+ .*file[\s\S]*hint: /);
    expect(result.code).toBe(74);
  });
});
