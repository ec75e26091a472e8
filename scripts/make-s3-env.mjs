/**
 * Makes a Python environment with moto, a local server that speaks S3, for the tests of models in S3:
 *   node scripts/make-s3-env.mjs [FOLDER]
 * By default where the tests look for it, below node_modules; else S3_SERVER=<printed path> npm test. Needs python3 and PyPI.
 */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { root } from "./set-up.mjs";

const folder = path.resolve(process.argv[2] ?? path.join(root, "node_modules/.cache/tastemaker/s3-env"));
const windows = process.platform === "win32";
const bin = path.join(folder, windows ? "Scripts" : "bin");
const run = (command, args) => execFileSync(command, args, { stdio: "inherit" });

run(windows ? "python" : "python3", ["-m", "venv", folder]);
run(path.join(bin, windows ? "python.exe" : "python"), ["-m", "pip", "install", "--quiet", "moto[server]"]);
console.log(`S3_SERVER=${path.join(bin, windows ? "moto_server.exe" : "moto_server")}`);
