/** Neural models through the command line: killed and resumed, exported, refused devices, and a machine without ONNX Runtime. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { start, tastemaker, writeShop } from "./tastemaker.js";

/** A folder with a shop and a recipe of the given models. */
function shop(models: string): string {
  const cwd = temporaryFolder();
  writeShop(cwd);
  writeFileSync(
    join(cwd, "shop.yaml"),
    `name: shop\nsource: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at } }\nsplit: { test: { by: last-days, days: 10 } }\nmodels: ${models}\n`,
  );
  return cwd;
}

const sasrec = "{ name: sasrec, params: { dimensions: 8, blocks: 1, maxLength: 8, epochs: 5, dropout: 0.2 } }";

/** sha256 of every file of the one saved version, without those that have times in them. */
function savedFiles(cwd: string, model: string): Record<string, string> {
  const root = join(cwd, ".tastemaker", "shop", "models", model);
  const [version] = readdirSync(root).filter((name) => name !== "active.json");
  const sums = readFileSync(join(root, version, "SHA256SUMS"), "utf8")
    .trimEnd()
    .split("\n");
  return Object.fromEntries(
    sums.map((line) => line.split("  ").reverse() as [string, string]).filter(([file]) => file !== "manifest.json"),
  );
}

describe("a neural model", () => {
  test("whose training is killed with -9 goes on from its checkpoint and ends at the same bytes", async () => {
    const models = `[${sasrec}]`;
    const whole = shop(models);
    expect((await tastemaker(["train", "shop.yaml", "--threads", "1"], { cwd: whole })).code).toBe(0);
    const cwd = shop(models);
    const fits = join(cwd, ".tastemaker", "shop", "unfinished", "fits");
    const kept = () =>
      existsSync(fits)
        ? Math.max(0, ...readdirSync(fits, { recursive: true, encoding: "utf8" }).map((path) => Number(/step-(\d+)$/.exec(path)?.[1] ?? 0)))
        : 0;
    const training = start(["train", "shop.yaml", "--checkpoint-seconds", "0", "--threads", "1"], { cwd });
    while (training.child.exitCode === null && kept() < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    training.child.kill("SIGKILL");
    expect((await training.finished).code).toBeNull();
    const resumed = await tastemaker(["train", "shop.yaml", "--threads", "2"], { cwd });
    expect(resumed.stderr).toMatch(/Continues sasrec after step \d+ of 5/);
    expect(resumed.code).toBe(0);
    const files = savedFiles(whole, "sasrec");
    expect(savedFiles(cwd, "sasrec")).toEqual(files);
    expect(Object.keys(files)).toContain("model.onnx");
  });

  test("is saved with its ONNX file, runtime and device, and exported", async () => {
    const cwd = shop(`[{ name: popularity }, ${sasrec}]`);
    const { stdout, code } = await tastemaker(["train", "shop.yaml", "--device", "cpu", "--json"], { cwd });
    expect(code).toBe(0);
    const { version } = JSON.parse(stdout).models[1];
    const folder = join(cwd, ".tastemaker", "shop", "models", "sasrec", version);
    const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    expect(manifest.runtime).toEqual({ name: expect.stringMatching(/^onnxruntime-node \d/), device: "cpu" });
    const bytes = readFileSync(join(folder, "model.onnx"));
    expect(manifest.files["model.onnx"]).toEqual({ bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });

    expect((await tastemaker(["export", "out/net.onnx", "--model", "sasrec"], { cwd })).stderr).toMatch(
      /Wrote sasrec, version .*net\.onnx/,
    );
    expect(readFileSync(join(cwd, "out", "net.onnx")).equals(bytes)).toBe(true);
    const session = await InferenceSession.create(bytes);
    const feeds = {
      history: new Tensor("int64", new BigInt64Array(8), [1, 8]),
      length: new Tensor("int64", [1n], [1]),
      topK: new Tensor("int64", [3n], [1]),
    };
    const { topItems } = await session.run(feeds);
    const items = JSON.parse(readFileSync(join(cwd, await exportedArrays(cwd), "items.json"), "utf8")) as string[];
    const ids = Array.from(topItems.data as BigInt64Array, (item) => items[Number(item)]);
    const answer = await tastemaker(
      ["recommend", "--items", items[0], "--no-exclude-seen", "--model", "sasrec", "--top-k", "3", "--json"],
      { cwd },
    );
    expect(JSON.parse(answer.stdout).items.map(({ itemId }: { itemId: string }) => itemId)).toEqual(ids);
  });

  test("refuses a device that is not there before it reads anything", async () => {
    const cwd = shop(`[${sasrec}]`);
    const { code, stderr } = await tastemaker(["train", "shop.yaml", "--device", "abacus"], { cwd });
    expect(stderr).toMatch(/error: There is no device "abacus"\.\nhint: onnxruntime-node [\d.]+ knows cpu/);
    expect(stderr).not.toMatch(/rows/);
    expect(code).toBe(64);
  });
});

/** Exports sasrec as arrays; the folder. */
async function exportedArrays(cwd: string): Promise<string> {
  const { code } = await tastemaker(["export", "arrays", "--format", "npy", "--model", "sasrec", "--json"], { cwd });
  expect(code).toBe(0);
  expect(readdirSync(join(cwd, "arrays", "arrays"))).toContain("items.npy");
  return "arrays";
}

describe("without onnxruntime-node", () => {
  test("classic models work, and a neural one says the command that adds it", async () => {
    const cwd = shop("[{ name: popularity }, { name: als, params: { factors: 8, iterations: 2 } }]");
    const hooks = `export async function resolve(name, context, next) {
      if (name === "onnxruntime-node") throw Object.assign(new Error("Cannot find package 'onnxruntime-node'"), { code: "ERR_MODULE_NOT_FOUND" });
      return next(name, context);
    }`;
    const register = `import { register } from "node:module"; register("data:text/javascript," + encodeURIComponent(${JSON.stringify(hooks)}));`;
    writeFileSync(join(cwd, "hide.mjs"), register);
    const env = { NODE_OPTIONS: `--import=${pathToFileURL(join(cwd, "hide.mjs")).href}` };
    expect((await tastemaker(["run", "shop.yaml"], { cwd, env })).code).toBe(0);
    expect((await tastemaker(["recommend", "--user", "u3"], { cwd, env })).code).toBe(0);
    const neural = shop(`[{ name: popularity }, ${sasrec}]`);
    const { code, stderr } = await tastemaker(["run", "shop.yaml"], { cwd: neural, env });
    expect(stderr).toMatch(/error: Neural models need ONNX Runtime.*\nhint: .*npm install onnxruntime-node --ignore-scripts/);
    expect(stderr).not.toMatch(/rows|Judged/);
    expect(code).toBe(71);
    expect((await tastemaker(["doctor"], { cwd, env })).stdout).toMatch(/ONNX Runtime: none; .*npm install onnxruntime-node/);
  });
});
