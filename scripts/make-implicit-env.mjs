/**
 * Makes a Python environment with the peer library `implicit`, for benchmarks that measure beside it:
 *   node scripts/make-implicit-env.mjs FOLDER [--native]
 * then IMPLICIT_PYTHON=<printed path> npm run bench -- als. `--native` builds implicit from source with -O3 -march=native
 * (needs a C++ compiler); otherwise its wheel is taken.
 */
import { execFileSync } from "node:child_process";
import path from "node:path";

const [folder, ...flags] = process.argv.slice(2);
if (folder === undefined || folder.startsWith("-")) {
  console.error("usage: node scripts/make-implicit-env.mjs FOLDER [--native]");
  process.exit(64);
}
const windows = process.platform === "win32";
const python = path.resolve(folder, windows ? "Scripts/python.exe" : "bin/python");
const run = (command, args, env = {}) => execFileSync(command, args, { stdio: "inherit", env: { ...process.env, ...env } });

run(windows ? "python" : "python3", ["-m", "venv", folder]);
run(python, ["-m", "pip", "install", "--quiet", "numpy", "scipy"]);
if (flags.includes("--native")) {
  const optimise = "-O3 -march=native";
  run(python, ["-m", "pip", "install", "--quiet", "--no-binary", "implicit", "implicit"], { CXXFLAGS: optimise, CFLAGS: optimise });
} else {
  run(python, ["-m", "pip", "install", "--quiet", "implicit"]);
}
run(python, ["-c", "import implicit; print('implicit', implicit.__version__)"]);
console.log(`IMPLICIT_PYTHON=${python}`);
