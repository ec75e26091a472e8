/** `tastemaker evaluate` as a child process: intervals in table and JSON, and the report, which Chromium opens from its file. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { describe, expect, test } from "vitest";
import { chromiumArguments, findChromium } from "../support/chromium.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { tastemaker, writeShop } from "./tastemaker.js";

const executablePath = findChromium();

function shop(): string {
  const cwd = temporaryFolder();
  writeShop(cwd);
  writeFileSync(
    join(cwd, "shop.yaml"),
    `name: shop
title: "<script>alert('shop')</script>"
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at } }
split: { test: { by: last-days, days: 15 } }
models: [{ name: popularity }, { name: repeat }, { name: als, params: { factors: 8, iterations: 5 } }]
`,
  );
  const lists = Array.from({ length: 40 }, (_, user) => [1, 2, 3, 4].map((rank) => `u${user},p${rank},${rank}`)).flat();
  writeFileSync(join(cwd, "peer.csv"), `user,item,rank\n${lists.join("\n")}\n`);
  return cwd;
}

describe("tastemaker evaluate", () => {
  test("--json has intervals and comparisons, of lists too; --report writes them as a page", async () => {
    const cwd = shop();
    const args = ["evaluate", "shop.yaml", "--json", "--lists", "<i>peer</i>=peer.csv", "--report", "report.html", "--threads", "1"];
    const { code, stdout, stderr } = await tastemaker([...args, "--resamples", "200"], { cwd });
    expect(stderr).toMatch(/Wrote report\.html/);
    expect(code).toBe(0);
    const { models, champion, intervals, lists } = JSON.parse(stdout);
    expect(intervals).toEqual({ level: 0.95, resamples: 200, seed: 42 });
    expect(lists[0].comparison).toMatchObject({ best: champion, pAdjusted: expect.any(Number) });
    const text = readFileSync(join(cwd, "report.html"), "utf8");
    for (const { estimates, comparison, label } of models) {
      expect(text).toContain(estimates.test["ndcg@10"].value.toFixed(4));
      expect(comparison !== undefined).toBe(label !== champion);
    }
    expect(text).toContain("&lt;i&gt;peer&lt;/i&gt; (lists)");
    expect(text).toContain("<h1>&lt;script&gt;alert(&#39;shop&#39;)&lt;/script&gt;</h1>");
    expect(text).not.toMatch(/<script|https?:/);
  });

  test("the table has half the interval and who differs from the best; --resamples 0 has neither", async () => {
    const cwd = shop();
    const { stdout } = await tastemaker(["evaluate", "shop.yaml"], { cwd });
    expect(stdout).toMatch(/ndcg@10 .* differs from best +time/);
    expect(stdout).toMatch(/^ {2}popularity( +\d\.\d{4} ± \d\.\d{4}){4} +(lower|no), p [=<] 0\.\d+ /m);
    expect(stdout).toMatch(/^\* \w+( +\d\.\d{4} ± \d\.\d{4}){4} +best /m);
    expect(stdout).toMatch(/± half of the 95 % interval; p: paired bootstrap by ndcg@10, Holm/);
    const plain = await tastemaker(["evaluate", "shop.yaml", "--resamples", "0"], { cwd });
    expect(plain.stdout).toMatch(/\* \w+/);
    expect(plain.stdout).not.toMatch(/±|differs/);
  });

  test("a report that cannot be kept is an error before anything is read", async () => {
    const cwd = shop();
    const { code, stderr } = await tastemaker(["evaluate", "shop.yaml", "--report", "none/report.html"], { cwd });
    expect(stderr).toMatch(/error: There is no folder .*none for the report[\s\S]*hint: /);
    expect(stderr).not.toMatch(/Read /);
    expect(code).toBe(66);
    expect(existsSync(join(cwd, ".tastemaker"))).toBe(false);
  });

  test.skipIf(executablePath === undefined)("the report opens in Chromium without a fault or a request", async () => {
    const cwd = shop();
    await tastemaker(["evaluate", "shop.yaml", "--report", "report.html", "--resamples", "200"], { cwd });
    const browser = await chromium.launch({ executablePath, args: chromiumArguments });
    try {
      for (const colorScheme of ["light", "dark"] as const) {
        const page = await browser.newPage({ colorScheme, viewport: { width: 400, height: 800 } });
        const faults: string[] = [];
        const requests: string[] = [];
        page.on("console", (message) => faults.push(message.text()));
        page.on("pageerror", ({ message }) => faults.push(message));
        page.on("request", (request) => requests.push(request.url()));
        const address = pathToFileURL(join(cwd, "report.html")).href;
        await page.goto(address);
        expect(await page.title()).toBe("<script>alert('shop')</script> · report");
        const seen = await page.evaluate(() => ({
          circles: [...document.querySelectorAll("figure circle")]
            .map((circle) => circle.getBoundingClientRect())
            .filter(({ width }) => width > 1).length,
          outside: [...document.querySelectorAll("figure svg")].flatMap((svg) => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text, circle, line, polyline")]
              .map((mark) => ({ text: mark.textContent, ...mark.getBoundingClientRect().toJSON() }))
              .filter(
                ({ left, right, top, bottom }) =>
                  left < frame.left - 2 || right > frame.right + 2 || top < frame.top - 2 || bottom > frame.bottom + 2,
              );
          }),
          wider: document.documentElement.scrollWidth > innerWidth,
          ground: getComputedStyle(document.body).backgroundColor,
        }));
        expect(seen).toMatchObject({
          outside: [],
          wider: false,
          ground: colorScheme === "light" ? "rgb(250, 248, 245)" : "rgb(22, 20, 18)",
        });
        expect(seen.circles).toBeGreaterThan(20);
        expect({ faults, requests }).toEqual({ faults: [], requests: [address] });
        await page.close();
      }
    } finally {
      await browser.close();
    }
  });
});
