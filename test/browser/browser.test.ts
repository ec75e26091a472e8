/**
 * `tastemaker/browser` for real: bundled by Vite, run in headless Chromium, fed with a model that Node exported.
 */

import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as TastemakerBrowser from "../../src/browser.js";
import { fit } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { saveModel } from "../../src/store/model-folder.js";
import { chromiumArguments, findChromium } from "../support/chromium.js";
import { fixture } from "../support/fixture.js";

declare const tastemaker: typeof TastemakerBrowser;

const executablePath = findChromium();
const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

describe.skipIf(executablePath === undefined)("tastemaker/browser in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  let page: Page;
  let address: string;
  let model: Recommender;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tastemaker-browser-"));
    await cp(new URL("./page", import.meta.url), join(folder, "page"), { recursive: true });
    const entry = fileURLToPath(new URL("../../dist/browser.js", import.meta.url));
    await build({
      root: join(folder, "page"),
      configFile: false,
      logLevel: "error",
      resolve: { alias: { "tastemaker/browser": entry } },
      build: { outDir: join(folder, "site"), target: "es2022", assetsInlineLimit: 0 },
    });
    model = await fit("als", fixture({ events: 800 }), { factors: 12 }, { seed: 3 });
    await saveModel(model, join(folder, "site/model"));
    server = createServer(async (request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://x");
      const file = pathname === "/" ? "/index.html" : pathname;
      try {
        const body = await readFile(join(folder, "site", file));
        response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" }).end(body);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath, args: chromiumArguments });
    page = await browser.newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(address);
    await page.waitForFunction(() => "tastemaker" in globalThis);
  }, 420_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("loads an exported als model and gives the same ten items as Node", async () => {
    for (const query of [{ userIndex: 5 }, { history: [{ itemIndex: 3 }, { itemIndex: 9, weight: 2 }] }, {}]) {
      const there = await page.evaluate(async (asked) => {
        const loaded = await tastemaker.loadModel("model");
        const { itemIndex, score, source } = await loaded.recommend(asked, { topK: 10 });
        return { itemIndex: [...itemIndex], score: [...score], source };
      }, query);
      const here = await model.recommend(query, { topK: 10 });
      expect(there.itemIndex).toEqual([...here.itemIndex]);
      expect(there.source).toBe(here.source);
      there.score.forEach((score, r) => {
        expect(score).toBeCloseTo(here.score[r], 4);
      });
    }
  });

  it("fits and evaluates every classic model in the page", async () => {
    const judged = await page.evaluate(async () => {
      const userIndex = Array.from({ length: 300 }, (_, e) => e % 30);
      const itemIndex = Array.from({ length: 300 }, (_, e) => ((e % 30) % 3) * 10 + ((e * 7) % 11));
      const data = tastemaker.Interactions.fromArrays({ userIndex, itemIndex });
      const { train, test } = tastemaker.split(data, { by: "random", testFraction: 0.2, seed: 1 });
      const values: Record<string, number> = {};
      for (const { name, task, needs, requires } of tastemaker.listModels()) {
        if (task === "rate" || needs || requires) continue; // without ratings all predictions are equal; the page has no ONNX Runtime and no features
        const fitted = await tastemaker.fit(name, train, {}, { seed: 1 });
        values[name] = (await tastemaker.evaluate(fitted, train, test, { metrics: ["recall@10"], excludeSeen: false }))["recall@10"];
      }
      return values;
    });
    expect(Object.keys(judged).length).toBeGreaterThanOrEqual(3);
    for (const value of Object.values(judged)) expect(value > 0 && value <= 1).toBe(true);
    expect(judged.als).toBeGreaterThan(judged.popularity);
  });

  it("refuses a damaged model and a missing one", async () => {
    const codes = await page.evaluate(async () => {
      const codeOf = (work: Promise<unknown>) =>
        work.then(
          () => "none",
          (error: { code: string }) => error.code,
        );
      const flipped: typeof fetch = async (url, options) => {
        const response = await fetch(url, options);
        if (!String(url).endsWith("popularity.npy")) return response;
        const bytes = new Uint8Array(await response.arrayBuffer());
        bytes[bytes.length - 1] ^= 1;
        return new Response(bytes);
      };
      return [await codeOf(tastemaker.loadModel("model", { fetch: flipped })), await codeOf(tastemaker.loadModel("nothing-here"))];
    });
    expect(codes).toEqual(["E_MODEL_FORMAT", "E_NOT_FOUND"]);
  });
});
