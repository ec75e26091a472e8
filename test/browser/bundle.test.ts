/** `tastemaker export --format browser`: opened from disk in headless Chromium that is offline, it must recommend what Node does. */

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as TastemakerBrowser from "../../src/browser.js";
import { fit } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { formats } from "../../src/service/export/formats.js";
import { saveModel } from "../../src/store/model-folder.js";
import { SCRIPT_BYTES, scriptName, scriptOf } from "../../src/store/script-files.js";
import { chromiumArguments, findChromium } from "../support/chromium.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";
import { smallParams } from "../support/small-params.js";

declare const tastemaker: typeof TastemakerBrowser;

const executablePath = findChromium();

async function exportTo(folder: string, model: Recommender, saved: string) {
  const itemProperties = { title: Array.from({ length: model.numItems }, (_, item) => `Title №${item}`) };
  const manifest = await saveModel(model, saved, { itemProperties });
  await formats.browser.write({ label: model.name, model, manifest, folder: saved, result: {} as never }, folder, {});
}

describe.skipIf(executablePath === undefined)("an exported page", () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  let model: Recommender;
  const requests: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tastemaker bundle-"));
    model = await fit("als", fixture({ events: 800 }), { factors: 12 }, { seed: 3 });
    await exportTo(join(folder, "site"), model, join(folder, "als"));
    browser = await chromium.launch({ executablePath, args: chromiumArguments });
    const context = await browser.newContext({ offline: true });
    page = await context.newPage();
    page.on("request", (request) => requests.push(request.url()));
    page.on("pageerror", (error) => console.error(error));
    await page.goto(pathToFileURL(join(folder, "site/index.html")).href);
    await page.waitForSelector("#list li");
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const shown = () => page.$$eval("#list li", (rows) => rows.map((row) => (row as HTMLElement).dataset.item));
  const idsOf = async (query: Parameters<Recommender["recommend"]>[0]) => {
    const { itemIndex } = await model.recommend(query, { topK: 10 });
    return Array.from(itemIndex, (item) => model.items.idOf(item));
  };

  it("gives the same ten items as Node", async () => {
    for (const query of [{ userIndex: 5 }, { history: [{ itemIndex: 3 }, { itemIndex: 9, weight: 2 }] }, {}]) {
      const there = await page.evaluate(async (asked) => {
        const loaded = await tastemaker.loadModel("model", { fetch: tastemaker.fetchScripts });
        const { itemIndex, score } = await loaded.recommend(asked, { topK: 10 });
        return { ids: Array.from(itemIndex, (item) => loaded.items.idOf(item)), score: [...score] };
      }, query);
      expect(there.ids).toEqual(await idsOf(query));
      const { score } = await model.recommend(query, { topK: 10 });
      there.score.forEach((value, rank) => {
        expect(value).toBeCloseTo(score[rank], 4);
      });
    }
  });

  it("lets a person search, choose and take back, without any network", async () => {
    expect(await shown()).toEqual(await idsOf({}));
    await page.fill("#search", "TITLE №3");
    await page.click("#found button:text-is('+ Title №3')");
    await page.fill("#search", "№9");
    await page.click("#found button:text-is('+ Title №9')");
    await page.waitForFunction(() => document.querySelectorAll("#liked button").length === 2);
    const both = await idsOf({ history: [{ itemIndex: 3 }, { itemIndex: 9 }] });
    await expect.poll(shown).toEqual(both);
    expect(await page.textContent("#list li")).toBe(`Title №${model.items.indexOf(both[0])}`);
    await page.click("#liked button:text-is('Title №3 ×')");
    await expect.poll(shown).toEqual(await idsOf({ history: [{ itemIndex: 9 }] }));
    expect(requests.length).toBeGreaterThan(5);
    expect(requests.filter((url) => !url.startsWith("file:"))).toEqual([]);
  });

  it("splits files where base64 has no padding", () => {
    expect(SCRIPT_BYTES % 3).toBe(0);
  });

  it("puts a file of several scripts together, and misses one of them", async () => {
    const bytes = Uint8Array.from({ length: 600 }, (_, at) => at % 251);
    for (const part of [0, 1]) {
      const base64 = Buffer.from(bytes.subarray(part * 300, part * 300 + 300)).toString("base64");
      await writeFile(join(folder, "site", scriptName("two.bin", part)), scriptOf(base64, 2));
      await writeFile(join(folder, "site", scriptName(`cut${part}.bin`, 0)), scriptOf(base64, 2));
    }
    const read = (name: string) =>
      page.evaluate(
        (file) =>
          tastemaker.fetchScripts(file).then(
            async (response) => [...new Uint8Array(await response.arrayBuffer())],
            (error: Error) => error.message,
          ),
        name,
      );
    expect(await read("two.bin")).toEqual([...bytes]);
    expect(await read("cut0.bin")).toBe("cut0.bin.1.js is missing.");
  });

  it("refuses a damaged and a missing model in words", async () => {
    const name = (await readdir(join(folder, "site/model/arrays"))).find((file) => file.includes("item_factors"))!;
    const file = join(folder, "site/model/arrays", name);
    const whole = await readFile(file, "utf8");
    await writeFile(file, `${whole.slice(0, -8)}AAAA${whole.slice(-4)}`);
    const other = await browser.newPage();
    const problem = async () => {
      await other.goto(pathToFileURL(join(folder, "site/index.html")).href);
      await other.waitForFunction(() => document.getElementById("problem")?.textContent !== "");
      return other.textContent("#problem");
    };
    expect(await problem()).toMatch(/item_factors\.npy is damaged/);
    await rm(join(folder, "site/model"), { recursive: true });
    expect(await problem()).toMatch(/There is nothing at model\/manifest\.json/);
  });
});

it("a model with a network is refused with the way to go", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tastemaker-bundle-"));
  const model = await fit("mult-vae", fixture(), smallParams["mult-vae"], { seed: 3, threads: 1 });
  await expectError(exportTo(join(folder, "site"), model, join(folder, "saved")), "E_CONFIG", /network.*onnxruntime-web/);
  expect(await readdir(folder)).toEqual(["saved"]);
  await rm(folder, { recursive: true });
});
