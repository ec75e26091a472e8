/**
 * `npm start`: set-up, build, then the demo shop end to end, served until Ctrl-C. With arguments the same for
 * a person's own file or recipe: `npm start -- orders.csv --user buyer`.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { root, setUp } from "./set-up.mjs";

stopWithParent();
await setUp();
await build();
const given = process.argv.slice(2);
const target = given.some((argument) => !argument.startsWith("-")) ? [] : [join(root, "recipes", "demo.yaml")];
const main = join(root, "dist", "cli", "main.js");
process.argv = [process.execPath, main, "run", ...target, ...given, "--serve"]; // in this process, so that Ctrl-C arrives once
await import(pathToFileURL(main).href);

/** npm passes SIGTERM to a shell that dies of it without telling us: when the parent is gone, end as if told. */
function stopWithParent() {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, 500);
  watch.unref();
}
