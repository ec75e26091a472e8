/**
 * The four files of Google's WALS sample. With a Python that has numpy (NUMPY_PYTHON, IMPLICIT_PYTHON or python3) the article's snippet
 * must find the same lists as `recommend`; without one that check is skipped.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { exportModel } from "../../src/service/export.js";
import { readRecipe } from "../../src/service/recipe/recipe.js";
import { runRecipe, serveRun } from "../../src/service/run.js";
import { decodeNpy, npyOfText } from "../../src/store/npy.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const python = [process.env.NUMPY_PYTHON, process.env.IMPLICIT_PYTHON, "python3"].find(
  (path) => path && spawnSync(path, ["-c", "import numpy"]).status === 0,
);
if (!python) console.log("the check by numpy is skipped: NUMPY_PYTHON names no Python with numpy");

/** Arguments: the folder, then JSON lines of [user, rated, k]; prints the ids of each list. The searches are the article's. */
const script = `
import json, sys
import numpy as np

def generate_recommendations(user_idx, user_rated, row_factor, col_factor, k):
    scores = col_factor.dot(row_factor[user_idx])
    best = [int(i) for i in np.argsort(-scores, kind="stable") if i not in user_rated]
    return best[:k]

model_dir = sys.argv[1]
user_map = np.load(model_dir + "/user.npy")
item_map = np.load(model_dir + "/item.npy")
row_factor = np.load(model_dir + "/row.npy")
col_factor = np.load(model_dir + "/col.npy")
for line in sys.stdin:
    user_address, already_rated, k = json.loads(line)
    user_idx = np.searchsorted(user_map, user_address)
    user_rated = [np.searchsorted(item_map, i) for i in already_rated]
    assert user_map[user_idx] == user_address
    recommendations = generate_recommendations(user_idx, user_rated, row_factor, col_factor, k)
    print(json.dumps([str(item_map[i]) for i in recommendations]))
`;

/** Ready ratings with duplicates, mixed case and odd values, through recipes/tokens-ratings.yaml. */
async function ratedTokens() {
  const folder = temporaryFolder();
  const random = createRandom(3);
  const address = (kind: string, number: number) => `0x${kind}${((number * 2654435761) >>> 0).toString(16).padStart(8, "0")}`;
  const rows = ["token_address,user_address,rating"];
  for (let user = 0; user < 60; user++)
    for (let token = 0; token < 20; token++)
      if (random.uniform() < (token % 3 === user % 3 ? 0.6 : 0.1))
        rows.push(
          `${address("t", token)},${address("U", user)},${random.uniform() + 0.01}`,
          `${address("T", token)},${address("u", user)},0.5`,
        );
  rows.push("0xodd,0xodd,much", "0xodd,0xodd,-1", "0xodd,0xodd,nan", "0xodd,0xodd,");
  mkdirSync(join(folder, "tokens"));
  writeFileSync(join(folder, "tokens", "seed_test1.csv"), `${rows.join("\n")}\n`);
  const recipe = await readRecipe(new URL("../../recipes/tokens-ratings.yaml", import.meta.url).pathname);
  const run = await runRecipe(recipe, { workspace: join(folder, "work"), dataFolder: folder, threads: 1 });
  return { folder, run, pairs: rows.filter((row) => row.startsWith("0xT")).length };
}

describe("export --format wals", () => {
  test("gives sorted ids and factors by which the article's snippet recommends what we do", async (context) => {
    const { folder, run, pairs } = await ratedTokens();
    expect(run.result.data.numInteractions).toBe(pairs); // duplicates summed, odd values left out
    const target = join(folder, "model");
    await exportModel(run, target, { format: "wals", model: "als" });
    expect(readdirSync(target).sort()).toEqual(["col.npy", "item.npy", "row.npy", "user.npy"]);
    expect(decodeNpy(readFileSync(join(target, "row.npy"))).shape).toEqual([run.result.data.numUsers, 5]);
    const { model } = await run.workspace.models.load("als");
    const service = await serveRun(run, { threads: 1 });
    const { offsets, indices } = model.seen;
    const asked = [...model.users.ids()].map((user, u) => {
      const rated = [...indices.subarray(offsets[u], offsets[u + 1])].map((item) => model.items.idOf(item));
      return { user, rated, topK: 5 };
    });
    const ours = [];
    for (const { user, topK } of asked)
      ours.push((await service.recommend({ user, topK, model: "als" })).items.map(({ itemId }) => itemId));
    service.dispose();
    model.dispose();
    if (!python) return context.skip("no Python with numpy");
    const input = asked.map(({ user, rated, topK }) => JSON.stringify([user, rated, topK])).join("\n");
    const { stdout, stderr } = spawnSync(python, ["-c", script, target], { input, encoding: "utf8" });
    expect(stderr).toBe("");
    const theirs = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(theirs).toEqual(ours);
  });

  test("is for models made of vectors only", async () => {
    const { folder, run } = await ratedTokens();
    await expectError(exportModel(run, join(folder, "none"), { format: "wals", model: "item-mean" }), "E_CONFIG", /not made of vectors/);
  });
});

test("strings in .npy have the width of the longest, by code points", () => {
  const bytes = Buffer.concat([...npyOfText(["0xab", "é", "🪙🪙"])]);
  expect(bytes.toString("latin1")).toContain("'descr': '<U4', 'fortran_order': False, 'shape': (3,)");
  const values = new Uint32Array(new Uint8Array(bytes.subarray(bytes.length - 3 * 4 * 4)).buffer);
  expect(String.fromCodePoint(...values.filter((value) => value !== 0))).toBe("0xabé🪙🪙");
});
