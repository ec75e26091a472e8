/**
 * `npm run dev`: builds, then rebuilds the sources on every change and serves the page with hot reloading;
 * the API runs from dist and restarts when it changes. Arguments go to `tastemaker run` as in `npm start`.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { root, setUp } from "./set-up.mjs";

await setUp();
await build();
const given = process.argv.slice(2);
const modules = join(root, "node_modules");
const children = [
  start(join(modules, "typescript", "bin", "tsc"), ["-p", ".", "--watch", "--preserveWatchOutput"]),
  start("--watch", [
    join(root, "dist", "cli", "main.js"),
    "run",
    ...(given.length > 0 ? given : [join("recipes", "demo.yaml")]),
    "--serve",
  ]),
];
if (existsSync(join(root, "ui", "vite.config.ts"))) children.push(start(join(modules, "vite", "bin", "vite.js"), ["ui"]));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => children.forEach((child) => void child.kill(signal)));

function start(script, args) {
  return spawn(process.execPath, [script, ...args], { cwd: root, stdio: "inherit" });
}
