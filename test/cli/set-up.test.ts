/** scripts/set-up.mjs in a copy of the repository's skeleton, with an npm that only tells that it was called. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.js";
import { root } from "./tastemaker.js";

function skeleton() {
  const folder = temporaryFolder();
  for (const name of ["scripts", "elsewhere"]) mkdirSync(join(folder, name));
  copyFileSync(join(root, "scripts", "set-up.mjs"), join(folder, "scripts", "set-up.mjs"));
  writeFileSync(join(folder, "package-lock.json"), "{}");
  const npm = join(folder, "npm-cli.js");
  writeFileSync(npm, `const fs = require("node:fs"); fs.mkdirSync("node_modules", { recursive: true }); fs.writeFileSync("npm-ran", "");`);
  const script = "import { setUp } from './scripts/set-up.mjs'; await setUp(); console.log('went on');";
  const run = () =>
    spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, npm_execpath: npm },
    });
  return { folder, run };
}

test("installs where node_modules is missing", () => {
  const { folder, run } = skeleton();
  expect(run()).toMatchObject({ status: 0, stdout: "went on\n" });
  expect(existsSync(join(folder, "npm-ran"))).toBe(true);
});

test("never installs through a link, which would empty its target", () => {
  const { folder, run } = skeleton();
  symlinkSync(join(folder, "elsewhere"), join(folder, "node_modules"), "junction");
  expect(run()).toMatchObject({
    status: 0,
    stdout: "went on\n",
    stderr: expect.stringMatching(/node_modules is a link.*nothing is installed/),
  });
  expect(existsSync(join(folder, "npm-ran"))).toBe(false);
});
