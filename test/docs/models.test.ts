/** docs/models.md says what the registered models say, and its example runs. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

it("is what scripts/update-models-doc.mjs writes", async () => {
  await run(process.execPath, ["scripts/update-models-doc.mjs", "--check"], { cwd: root });
});

it("has an example that runs", async () => {
  const text = await readFile(join(root, "docs/models.md"), "utf8");
  const [, example] = /```ts\n([\s\S]*?)```/.exec(text)!;
  const folder = await mkdtemp(join(tmpdir(), "tastemaker-docs-"));
  try {
    const library = pathToFileURL(join(root, "dist/index.js")).href;
    await writeFile(join(folder, "example.mjs"), example.replace('from "tastemaker"', `from ${JSON.stringify(library)}`));
    const { stdout } = await run(process.execPath, ["example.mjs"], { cwd: folder });
    expect(stdout).toMatch(/item \d adds [\d.]+ to [\d.]+[\s\S]*source: 'item-knn'/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
