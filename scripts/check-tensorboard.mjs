/**
 * An independent check of event files: trains small models on the demo shop with --tensorboard and lets Python's tensorboard read what
 * they left.  TENSORBOARD_PYTHON=/path/to/python node scripts/check-tensorboard.mjs
 * (`python3 -m venv FOLDER && FOLDER/bin/pip install tensorboard`). Without one it says so and ends well.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const python = process.env.TENSORBOARD_PYTHON;
if (!python || !hasTensorboard()) {
  console.log(
    `check-tensorboard skipped: ${python ? `${python} has no tensorboard` : "TENSORBOARD_PYTHON names no Python with tensorboard"}`,
  );
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "tastemaker-curves-"));
try {
  const recipe = {
    name: "curves",
    source: { generator: { name: "demo", customers: 200, products: 60 } },
    split: { test: { by: "random", testFraction: 0.2 } },
    models: [
      { name: "bpr", params: { factors: 8, epochs: 5 } },
      { name: "two-tower", params: { dimensions: 8, epochs: 4, patience: 4 } },
      {
        name: "two-stage",
        params: { retriever: { model: "als", params: { factors: 8 } }, ranker: { model: "dcn", params: { epochs: 3 } } },
      },
    ],
  };
  writeFileSync(join(folder, "curves.yaml"), JSON.stringify(recipe));
  const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const options = ["--workspace", join(folder, "workspace"), "--tensorboard", join(folder, "curves"), "--threads", "1", "--json"];
  const result = JSON.parse(
    execFileSync(process.execPath, [cli, "evaluate", join(folder, "curves.yaml"), ...options], { encoding: "utf8" }),
  );
  const expected = Object.fromEntries(result.models.map(({ label, losses }) => [label, losses?.test ?? null]));
  const script = fileURLToPath(new URL("check-tensorboard.py", import.meta.url));
  const input = JSON.stringify({ folder: join(folder, "curves"), expected });
  console.log(execFileSync(python, [script], { input, encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] }).trim());
} finally {
  rmSync(folder, { recursive: true });
}

function hasTensorboard() {
  try {
    execFileSync(python, ["-c", "import tensorboard"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
