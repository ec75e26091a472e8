/** A recipe of recipes/ run on made-up files and served on a free port, as `run --serve` does it, in this process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createServer } from "../../src/server/app.js";
import { type Recipe, readRecipe } from "../../src/service/recipe/recipe.js";
import { type RecipeRun, runRecipe, serveRun } from "../../src/service/run.js";
import type { RunOptions } from "../../src/service/run-result.js";

export interface ServedRecipe {
  run: RecipeRun;
  /** The folder above the files; results are in its subfolder `work`. */
  folder: string;
  url: string;
  /** Status and JSON of an answer; with a body it is a POST. */
  ask: <T = Record<string, unknown>>(path: string, body?: unknown) => Promise<{ status: number; body: T }>;
  /** Stops serving and removes the folder. */
  close: () => Promise<void>;
}

/** `files`: path below the data folder → contents; `change` may cut the recipe's models short. */
export async function serveRecipe(
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  options: Partial<RunOptions> = {},
  change: (recipe: Recipe) => Recipe = (recipe) => recipe,
): Promise<ServedRecipe> {
  const folder = mkdtempSync(join(tmpdir(), "tastemaker-test-"));
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), contents);
  }
  const recipe = change(await readRecipe(new URL(`../../recipes/${name}.yaml`, import.meta.url).pathname));
  const run = await runRecipe(recipe, { workspace: join(folder, "work"), dataFolder: folder, threads: 1, ...options });
  const service = await serveRun(run, { threads: 1 });
  const { title, serving } = run.result;
  const logFile = serving?.log === undefined ? undefined : resolve(run.workspace.folder, serving.log);
  const server = await createServer({
    service,
    host: "127.0.0.1",
    port: 0,
    title,
    routes: serving?.routes ?? [],
    logFile,
    page: serving?.page,
  });
  const { url } = await server.listen();
  return {
    run,
    folder,
    url,
    ask: async (path, body) => {
      const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const answer = await fetch(url + path, body === undefined ? undefined : post);
      return { status: answer.status, body: await answer.json() };
    },
    close: async () => {
      await server.close();
      service.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
