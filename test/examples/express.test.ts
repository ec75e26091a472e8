/** examples/express as its README runs it: a process of its own, asked over HTTP. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, start } from "../cli/tastemaker.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { idsFor, saveSmallModel } from "./saved-model.js";

const script = join(root, "examples/express/server.mjs");

test("ten lines recommend over HTTP", async () => {
  expect(readFileSync(script, "utf8").trim().split("\n").length).toBeLessThanOrEqual(11); // ten and an empty one
  const folder = temporaryFolder();
  const { model } = await saveSmallModel(join(folder, "model"));
  const PORT = String(20_000 + (process.pid % 20_000));
  start([], { cwd: folder, script, env: { PORT } });
  const ask = async (user: string) => (await fetch(`http://127.0.0.1:${PORT}/recommendations/${user}`)).json();
  await expect.poll(() => ask("0").catch(() => undefined), { timeout: 20_000, interval: 100 }).toBeDefined();
  expect(await ask(model.users.idOf(5))).toEqual({ source: "als", items: await idsFor(model, { userIndex: 5 }) });
  expect(await ask("nobody")).toEqual({ source: "popularity fallback", items: await idsFor(model, {}) });
});
