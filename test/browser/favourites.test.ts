/** The web page in headless Chromium over a served shop: three search boxes, the button, the list, and what is refused. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createServer, type Server } from "../../src/server/app.js";
import type { RecommendService } from "../../src/service/recommend-service.js";
import { shopService } from "../server/shop.js";
import { chromiumArguments, findChromium } from "../support/chromium.js";

const executablePath = findChromium();
const uiFolder = fileURLToPath(new URL("../../dist/ui", import.meta.url));
const isBuilt = existsSync(uiFolder);
if (!isBuilt) console.log("tests of the web page are skipped: dist/ui is not built (npm run build)");

describe.skipIf(executablePath === undefined || !isBuilt)("the page of favourites", () => {
  let service: RecommendService;
  let server: Server;
  let browser: Browser;
  let page: Page;
  let url: string;

  beforeAll(async () => {
    service = await shopService();
    server = await createServer({ service, port: 0, uiFolder, title: "Corner shop", page: { favourites: 3 } });
    ({ url } = await server.listen());
    browser = await chromium.launch({ executablePath, args: chromiumArguments });
    page = await browser.newPage();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    service?.dispose();
  });

  beforeEach(async () => {
    await page.goto("about:blank");
    await page.goto(`${url}/`);
    await page.getByRole("heading", { name: "Your favourites" }).waitFor();
  });

  const box = (number: number) => page.getByRole("combobox", { name: `Favourite ${number}` });
  const recommend = () => page.getByRole("button", { name: "Recommend" }).click();
  /** Types into a box and takes the match of that title. */
  const pick = async (number: number, text: string, title: string) => {
    await box(number).fill(text);
    await page.getByRole("option", { name: title }).click();
  };

  it("recommends from three favourites without them, as the API does", async () => {
    expect(await page.getByRole("combobox").count()).toBe(3);
    await pick(1, "tea", "Tea pot");
    await pick(2, "blue", "Mug, blue");
    await box(3).fill("café");
    await box(3).press("Enter"); // before the matches are there: the best of them is taken when they come
    await page.getByRole("button", { name: "Take out Café crème" }).waitFor();
    await recommend();
    const list = page.getByRole("list", { name: "For you" });
    await list.waitFor();
    const titles = await list.locator(".title").allTextContents();
    const history = ["tea pot", "mug", "café/crème"].map((itemId) => ({ itemId }));
    const { items } = await service.recommend({ history, topK: 20 });
    expect(titles).toEqual(items.map(({ properties }) => properties!.title));
    for (const own of ["Tea pot", "Mug, blue", "Café crème"]) expect(titles).not.toContain(own);
  });

  it("says what is missing, and refuses a favourite twice", async () => {
    await recommend();
    expect(await page.getByRole("alert").textContent()).toBe("3 favourites are missing: choose 3.");
    await pick(1, "tea", "Tea pot");
    await pick(2, "tea", "Tea pot");
    expect(await page.getByRole("alert").textContent()).toBe("“Tea pot” is favourite 1 already: choose another.");
    await pick(2, "blue", "Mug, blue");
    await recommend();
    expect(await page.getByRole("alert").textContent()).toBe("One favourite is missing: choose 3.");
    await page.getByRole("button", { name: "Take out Tea pot" }).click();
    expect(await page.getByRole("combobox").count()).toBe(2);
    await box(1).fill("no such thing");
    await page.getByText("Nothing matches “no such thing”.").waitFor();
  });

  it("leads to the lists of known users and back", async () => {
    await page.getByRole("link", { name: "Explore" }).click();
    await page.getByRole("heading", { name: "For whom?" }).waitFor();
    await page.getByRole("link", { name: "Favourites" }).click();
    await page.getByRole("heading", { name: "Your favourites" }).waitFor();
  });

  it("shows the server's own words where an answer fails", async () => {
    for (const [number, text, title] of [
      [1, "tea", "Tea pot"],
      [2, "blue", "Mug, blue"],
      [3, "senc", "Sencha"],
    ] as const)
      await pick(number, text, title);
    await page.route("**/v1/recommendations", (route) =>
      route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        body: JSON.stringify({ detail: "The server is closing.", hint: "Ask again." }),
      }),
    );
    await recommend();
    await page.getByText("The server is closing.").waitFor();
    await page.unroute("**/v1/recommendations");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("list", { name: "For you" }).waitFor();
  });
});
