/** examples/browser-page with an exported model beside it, opened from disk in Chromium that is offline. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { formats } from "../../src/service/export/formats.js";
import { root } from "../cli/tastemaker.js";
import { chromiumArguments, findChromium } from "../support/chromium.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { idsFor, saveSmallModel } from "./saved-model.js";

const executablePath = findChromium();

test.skipIf(executablePath === undefined)("recommends without a server", async () => {
  const folder = temporaryFolder();
  const saved = await saveSmallModel(join(folder, "model"));
  cpSync(join(root, "examples/browser-page"), join(folder, "page"), { recursive: true });
  await formats.browser.write(saved, join(folder, "page/shop"), {});
  const browser = await chromium.launch({ executablePath, args: chromiumArguments });
  try {
    const page = await (await browser.newContext({ offline: true })).newPage();
    await page.goto(pathToFileURL(join(folder, "page/index.html")).href);
    const shown = () => page.$$eval("#list li", (rows) => rows.map((row) => row.textContent));
    await expect.poll(shown).toEqual(await idsFor(saved.model, {}));
    await page.fill("#items", [3, 9].map((item) => saved.model.items.idOf(item)).join(", "));
    await expect.poll(shown).toEqual(await idsFor(saved.model, { history: [{ itemIndex: 3 }, { itemIndex: 9 }] }));
  } finally {
    await browser.close();
  }
});
