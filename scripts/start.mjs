/**
 * `npm start`: set-up, build, then the demo shop end to end, served until Ctrl-C. With arguments the same for
 * a person's own file or recipe: `npm start -- orders.csv --user buyer`.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { root, setUp } from "./set-up.mjs";

await setUp();
await build();
const given = process.argv.slice(2);
const target = given.some((argument) => !argument.startsWith("-")) ? [] : [join(root, "recipes", "demo.yaml")];
const main = join(root, "dist", "cli", "main.js");
process.argv = [process.execPath, main, "run", ...target, ...given, "--serve"]; // in this process, so that Ctrl-C arrives once
await import(pathToFileURL(main).href);
