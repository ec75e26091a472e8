/**
 * The package as a stranger gets it: packed, installed into an empty project without install scripts, imported,
 * type-checked and run from the command line.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const npm = process.platform === "win32" ? "npm.cmd" : "npm";

const program = `
import { evaluate, fit, Interactions, loadModel, readInteractions, saveModel, split } from "tastemaker";

const data = await readInteractions("orders.csv");
const { train, test } = split(data, { by: "random", testFraction: 0.2, seed: 1 });
const model = await fit("als", train, { factors: 8 }, { seed: 1 });
const metrics = await evaluate(model, train, test, { metrics: ["recall@5"], excludeSeen: false });
await saveModel(model, "models/als");
const again = await loadModel("models/als");
const answer = await again.recommend({ userIndex: 0 }, { topK: 3 });
const ids: string[] = Array.from(answer.itemIndex, (item: number) => again.items.idOf(item));
const wrong = await fit("als", Interactions.fromArrays({ userIndex: [], itemIndex: [] })).catch((error: { code: string }) => error.code);
console.log(JSON.stringify({ ids, recall: metrics["recall@5"], wrong }));
`;

describe("the packed tarball", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tastemaker-package-"));
    await run(npm, ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: root });
    const tarball = (await readdir(folder)).find((file) => file.endsWith(".tgz"))!;
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
    await run(npm, ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", `./${tarball}`], {
      cwd: folder,
    });
    const rows = Array.from({ length: 400 }, (_, e) => `u${e % 40},${["a", "b", "c"][(e % 40) % 3]}${(e * 7) % 9},${1 + (e % 3)}`);
    await writeFile(join(folder, "orders.csv"), ["customer,product,quantity", ...rows].join("\n"));
    await writeFile(join(folder, "main.ts"), program);
  }, 300_000);

  afterAll(async () => rm(folder, { recursive: true, force: true }));

  it("type-checks and runs in a stranger's project", async () => {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    await run(process.execPath, [tsc, "main.ts", "--module", "nodenext", "--target", "es2022", "--strict", "--types", ""], { cwd: folder });
    const { stdout } = await run(process.execPath, ["main.js"], { cwd: folder });
    const { ids, recall, wrong } = JSON.parse(stdout);
    expect(ids).toHaveLength(3);
    for (const id of ids) expect(id).toMatch(/^[abc]\d$/);
    expect(recall).toBeGreaterThan(0.2);
    expect(wrong).toBe("E_DATA");
  });

  it("gives the command", async () => {
    const command = join(folder, "node_modules/.bin/tastemaker");
    const { stdout } = await run(command, ["models", "--json"], { cwd: folder, shell: process.platform === "win32" });
    expect(stdout).toContain('"als"');
  });

  it("trains, exports the page for browsers without a bundler, and serves until it is told to stop", async () => {
    const command = join(folder, "node_modules/tastemaker/dist/cli/main.js");
    await run(process.execPath, [command, "run", "orders.csv", "--threads", "1"], { cwd: folder });
    const { stdout } = await run(process.execPath, [command, "export", "page", "--format", "browser", "--model", "als", "--json"], {
      cwd: folder,
    });
    expect(JSON.parse(stdout)).toMatchObject({ format: "browser", model: "als" });
    expect((await readdir(join(folder, "page"))).sort()).toEqual(["index.html", "model", "page.js", "tastemaker.js"]);

    const dockerfile = await readFile(join(root, "Dockerfile"), "utf8");
    const [health] = JSON.parse(`[${/^HEALTHCHECK .*CMD (\[.*\])$/m.exec(dockerfile)![1]}]`);
    const server = spawn(process.execPath, [command, ...JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)![1]), "--json"], {
      cwd: folder,
      env: { ...process.env, HOST: "127.0.0.1", PORT: "0" },
    });
    const ended = once(server, "exit");
    try {
      const [first] = await once(server.stdout.setEncoding("utf8"), "data");
      const { url, example } = JSON.parse(first);
      const answer = await (await fetch(example)).json();
      expect(answer.items).toHaveLength(10);
      const { port } = new URL(url);
      await run(process.execPath, health.slice(1), { env: { ...process.env, PORT: port } });
      server.kill("SIGTERM"); // what a container is sent
      expect(await ended).toEqual([0, null]);
      await expect(run(process.execPath, health.slice(1), { env: { ...process.env, PORT: port } })).rejects.toMatchObject({ code: 1 });
    } finally {
      server.kill("SIGKILL");
    }
  });

  it("has no install script, neither its own nor in what it depends on", async () => {
    const { stdout } = await run(npm, ["query", ":attr(scripts, [install]), :attr(scripts, [postinstall]), :attr(scripts, [preinstall])"], {
      cwd: folder,
    });
    expect(JSON.parse(stdout).map((found: { name: string }) => found.name)).toEqual([]);
  });
});
