/**
 * An independent check of exported files: trains each small network on generated data, saves it, and lets Python's onnxruntime score
 * model.onnx; lists and scores must be ours.  ONNX_PYTHON=/path/to/python node scripts/check-onnx.mjs
 * (a Python with onnxruntime and numpy: `python3 -m venv FOLDER && FOLDER/bin/pip install onnxruntime numpy`). Without one it says so and ends well.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fit, Interactions, listModels, saveModel } from "#dist/index.js";

const python = process.env.ONNX_PYTHON ?? process.env.TORCH_PYTHON;
const script = fileURLToPath(new URL("check-onnx.py", import.meta.url));
if (!python || !hasRuntime()) {
  console.log(`check-onnx skipped: ${python ? `${python} has no onnxruntime` : "ONNX_PYTHON names no Python with onnxruntime"}`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "tastemaker-onnx-"));
try {
  for (const { name, params } of listModels().filter(({ needs }) => needs === "onnxruntime")) {
    const small = params.parse({ epochs: 3 });
    const model = await fit(name, rings(), small, { seed: 1, threads: 1 });
    if (!model.fitted.toOnnx) {
      console.log(`${name}: no export`);
      continue;
    }
    await saveModel(model, join(folder, name));
    const cases = [];
    if ("deepWidth" in small) cases.push(await pairsCase(model));
    else
      for (const history of [[4], [2, 9, 7, 1], [20, 21, 22]]) {
        const query = { history: history.map((itemIndex) => ({ itemIndex })) };
        const { itemIndex, score } = await model.recommend(query, { topK: 8, excludeSeen: false });
        cases.push({ feeds: feedsOf(small, history), items: [...itemIndex], scores: [...score] });
      }
    const input = JSON.stringify({ file: join(folder, name, "model.onnx"), cases });
    console.log(execFileSync(python, [script], { input, encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] }).trim());
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(0);

function hasRuntime() {
  try {
    execFileSync(python, ["-c", "import onnxruntime, numpy"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** All items for one user, for files that score pairs. */
async function pairsCase(model) {
  const item = Array.from({ length: model.numItems }, (_, index) => index);
  const scores = new Float32Array(model.numItems);
  await model.fitted.scoreCandidates([{ userIndex: 3 }], Int32Array.from(item), scores);
  return { feeds: { user: item.map(() => 3), item }, scores: [...scores] };
}

/** By what the files say of their inputs: attention reads a padded history, recurrent layers borders, the others sets of items. */
function feedsOf({ maxLength, units, userInputs }, history) {
  const topK = [8];
  if (units !== undefined) return { history: [[-1, ...history]], length: [history.length + 1], topK };
  if (maxLength === undefined) return { history: [[...history, -1, -1]], ...(userInputs ? { user: [-1] } : {}), topK };
  return { history: [[...history, ...new Array(maxLength - history.length).fill(0)]], length: [history.length], topK };
}

/** 100 users who walk through a ring of 40 items. */
function rings() {
  const [userIndex, itemIndex] = [[], []];
  for (let user = 0; user < 100; user++)
    for (let k = 0; k < 8; k++) {
      userIndex.push(user);
      itemIndex.push((user * 7 + k) % 40);
    }
  return Interactions.fromArrays({ userIndex, itemIndex, timestamp: itemIndex.map((_, event) => event), numUsers: 100, numItems: 40 });
}
