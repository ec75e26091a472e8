/**
 * Makes a Python environment with PyTorch, for `npm run bench -- nn` beside it:
 *   node scripts/make-torch-env.mjs FOLDER [--index-url URL]
 * then TORCH_PYTHON=<printed path> npm run bench -- nn. PyPI's wheels for Linux have MKL, and GPU libraries of some GB that are not used;
 * where pytorch.org can be reached, `--index-url https://download.pytorch.org/whl/cpu` gives a small one. A PyTorch without MKL is
 * Debian's and Ubuntu's python3-torch (OpenBLAS): apt install python3-torch, TORCH_PYTHON=/usr/bin/python3.
 */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { "index-url": { type: "string" } } });
const [folder] = positionals;
if (folder === undefined) {
  console.error("usage: node scripts/make-torch-env.mjs FOLDER [--index-url URL]");
  process.exit(64);
}
const windows = process.platform === "win32";
const python = path.resolve(folder, windows ? "Scripts/python.exe" : "bin/python");
const run = (command, args) => execFileSync(command, args, { stdio: "inherit" });

run(windows ? "python" : "python3", ["-m", "venv", folder]);
run(python, ["-m", "pip", "install", "--quiet", "numpy"]);
run(python, ["-m", "pip", "install", "--quiet", ...(values["index-url"] ? ["--index-url", values["index-url"]] : []), "torch"]);
run(python, ["-c", "import torch; print('torch', torch.__version__, 'MKL' if torch.backends.mkl.is_available() else 'no MKL')"]);
console.log(`TORCH_PYTHON=${python}`);
