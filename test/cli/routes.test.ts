/** Routes and log of a recipe, served by the real command: by `run --serve`, and later by `serve` without the recipe. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { start, writeShop } from "./tastemaker.js";

const recipe = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product, timestamp: bought at, weight: null } }
models: [{ name: popularity }, { name: repeat }]
serve:
  model: repeat
  log: given.jsonl
  routes:
    - { path: "/for/{who}", answers: recommend, request: { user: who }, fixed: { topK: 2 }, response: { list: [$itemId], by: $modelVersion } }
`;

test("routes and log outlive the recipe", async () => {
  const cwd = temporaryFolder();
  writeShop(cwd);
  writeFileSync(join(cwd, "shop.yaml"), recipe);
  const log = () =>
    readFileSync(join(cwd, ".tastemaker", "shop", "given.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
  for (const [lines, args] of [
    [1, ["run", "shop.yaml", "--serve"]],
    [2, ["serve"]],
  ] as const) {
    const server = start(args, { cwd, env: { PORT: "0" } });
    const [, url] = await server.seen("stdout", /Open (http:\S+)\/ in/);
    expect((await server.seen("stdout", /Routes of the recipe: (.*)/))[1]).toBe("GET /for/{who}");
    await server.seen("stdout", /Ctrl-C stops/);
    const answer = (await (await fetch(`${url}/for/u1`)).json()) as { list: string[]; by: string };
    const { models } = (await (await fetch(`${url}/v1/models`)).json()) as {
      models: { name: string; version: string; default: boolean }[];
    };
    expect(answer.list).toHaveLength(2);
    expect(models.find((model) => model.default)).toMatchObject({ name: "repeat", version: answer.by });
    server.child.kill("SIGINT");
    expect((await server.finished).code).toBe(0);
    expect(log()).toHaveLength(lines);
    rmSync(join(cwd, "shop.yaml"), { force: true });
  }
  expect(JSON.parse(log()[1])).toMatchObject({ route: "GET /for/{who}", user: "u1", items: [{}, {}] });
});
