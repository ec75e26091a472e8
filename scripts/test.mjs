/**
 * `npm test`: everything that CI runs, in order: set-up, build (which type-checks src), format and lint,
 * types of the rest, tests. Arguments go to vitest: `npm test -- test/store`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { root, runTool, say, setUp } from "./set-up.mjs";

await setUp();
await build();
await step("format and lint", () => runTool("@biomejs/biome", "biome", ["ci", "--error-on-warnings"]));
for (const project of ["test", "ui"]) {
  if (existsSync(join(root, project, "tsconfig.json"))) {
    await step(`types of ${project}`, () => runTool("typescript", "tsc", ["-p", project, "--noEmit"]));
  }
}
await step("tests", () => runTool("vitest", "vitest", ["run", ...process.argv.slice(2)]));

async function step(name, work) {
  say(`${name} …`);
  const start = performance.now();
  await work();
  say(`${name}: passed in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
