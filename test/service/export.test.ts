/**
 * `tastemaker export`: safetensors (decoded here byte by byte, and by Python's safetensors where SAFETENSORS_PYTHON names one), Parquet (read
 * back by DuckDB), and what all formats have in common.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";
import { fit } from "../../src/models/registry.js";
import { formats } from "../../src/service/export/formats.js";
import { exportModel } from "../../src/service/export.js";
import { recipeForFile } from "../../src/service/recipe/recipe.js";
import { runRecipe } from "../../src/service/run.js";
import { loadModel, saveModel } from "../../src/store/model-folder.js";
import { decodeNpy } from "../../src/store/npy.js";
import { safetensors } from "../../src/store/safetensors.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const python = [process.env.SAFETENSORS_PYTHON, "python3"].find(
  (path) => path && spawnSync(path, ["-c", "import safetensors.numpy"]).status === 0,
);
if (!python) console.log("the check by Python's safetensors is skipped: SAFETENSORS_PYTHON names no Python that has it");

async function exportable(name: string, params: Record<string, unknown> = {}) {
  const folder = join(temporaryFolder(), "model");
  const model = await fit(name, fixture(), params, { seed: 1, threads: 1 });
  const manifest = await saveModel(model, folder);
  return { label: name, model, manifest, folder, result: {} as never };
}

/** By the format's description, with typed arrays only. */
function decodeSafetensors(file: string) {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...header } = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  const body = bytes.subarray(8 + length);
  const read = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array };
  const spans: [number, number][] = [];
  const arrays: Record<string, { shape: number[]; data: ArrayLike<number> }> = {};
  for (const [name, { dtype, shape, data_offsets: span }] of Object.entries<Record<string, never>>(header)) {
    const type = read[dtype as keyof typeof read];
    expect((8 + length + span[0]) % type.BYTES_PER_ELEMENT).toBe(0);
    arrays[name] = { shape, data: new type(Uint8Array.from(body.subarray(span[0], span[1])).buffer) };
    spans.push(span);
  }
  spans.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  expect(spans.map(([start]) => start)).toEqual([0, ...spans.map(([, end]) => end).slice(0, -1)]); // no gaps, no overlaps
  expect(spans.at(-1)![1]).toBe(body.length);
  return { metadata, arrays };
}

describe("safetensors", () => {
  test.each(["als", "item-knn", "markov"])("%s has the arrays of npy", async (name) => {
    const source = await exportable(name);
    const folder = temporaryFolder();
    await formats.safetensors.write(source, join(folder, "m.safetensors"), {});
    await formats.npy.write(source, join(folder, "npy"), {});
    const { metadata, arrays } = decodeSafetensors(join(folder, "m.safetensors"));
    expect(metadata).toMatchObject({ model: name, version: source.manifest.version, params: JSON.stringify(source.model.params) });
    const files = readdirSync(join(folder, "npy/arrays"));
    const ids = ["items.lengths", "items.utf8", "users.lengths", "users.utf8"];
    expect(Object.keys(arrays).sort()).toEqual([...files.map((file) => file.slice(0, -".npy".length)), ...ids].sort());
    for (const file of files) {
      const { shape, data } = decodeNpy(readFileSync(join(folder, "npy/arrays", file)));
      expect(arrays[file.slice(0, -".npy".length)]).toEqual({ shape, data });
    }
    const text = Buffer.from(arrays["items.utf8"].data as Uint8Array);
    let at = 0;
    const items = Array.from(arrays["items.lengths"].data, (bytes) => {
      at += bytes;
      return text.toString("utf8", at - bytes, at);
    });
    expect(items).toEqual(JSON.parse(readFileSync(join(folder, "npy/items.json"), "utf8")));
  });

  test("keeps every type, empty arrays and names of any letters", () => {
    const file = join(temporaryFolder(), "all.safetensors");
    const arrays = {
      bytes: { shape: [3], data: Uint8Array.of(1, 2, 255) },
      "größe 2": { shape: [2, 1], data: Float64Array.of(Math.PI, -0) },
      whole: { shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1) },
      none: { shape: [0, 4], data: new Float32Array(0) },
      some: { shape: [1], data: Float32Array.of(0.1) },
    };
    writeFileSync(file, Buffer.concat([...safetensors(arrays, { kind: "test" })]));
    expect(decodeSafetensors(file)).toEqual({ metadata: { kind: "test" }, arrays });
  });

  test("is read by Python's safetensors", async (context) => {
    if (!python) return context.skip("no Python with safetensors");
    const file = join(temporaryFolder(), "als.safetensors");
    const source = await exportable("als", { factors: 4 });
    await formats.safetensors.write(source, file, {});
    const script = `import sys, json; from safetensors.numpy import load_file; a = load_file(sys.argv[1]); print(json.dumps({k: v.tolist() for k, v in a.items()}))`;
    const { stdout, stderr } = spawnSync(python, ["-c", script, file], { encoding: "utf8" });
    expect(stderr).toBe("");
    const { item_factors: read } = JSON.parse(stdout);
    expect(read.flat().map(Math.fround)).toEqual([...source.model.fitted.state().arrays.item_factors.data]);
  });
});

describe("Parquet", () => {
  async function query(sql: string) {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
    connection.closeSync();
    return rows as Record<string, never>[];
  }

  test("a model of vectors: their products are its scores, its neighbours those of similarItems", async () => {
    const source = await exportable("als", { factors: 6 });
    const { model } = source;
    const folder = join(temporaryFolder(), "it's a folder");
    await formats.parquet.write(source, folder, {});
    expect(readdirSync(folder).sort()).toEqual(["items.parquet", "neighbours.parquet", "users.parquet"]);
    const scored =
      await query(`SELECT item_id, list_sum(list_transform(list_zip(u.vector::FLOAT[], i.vector::FLOAT[]), p -> p[1] * p[2])) AS score
      FROM '${folder.replaceAll("'", "''")}/users.parquet' u, '${folder.replaceAll("'", "''")}/items.parquet' i
      WHERE user_id = '${model.users.idOf(5)}' ORDER BY score DESC LIMIT 5`);
    const { itemIndex, score } = await model.recommend({ userIndex: 5 }, { topK: 5, excludeSeen: false });
    expect(scored.map(({ item_id }) => item_id)).toEqual(Array.from(itemIndex, (item) => model.items.idOf(item)));
    for (const [place, row] of scored.entries()) expect(row.score).toBeCloseTo(score[place], 4);
    const near = await query(
      `FROM '${folder.replaceAll("'", "''")}/neighbours.parquet' WHERE item_id = '${model.items.idOf(3)}' ORDER BY place`,
    );
    const similar = await model.similarItems(3, { topK: 20 });
    expect(near.map(({ neighbour_id }) => neighbour_id)).toEqual(Array.from(similar.itemIndex, (item) => model.items.idOf(item)));
    expect(near.map(({ score }) => Math.fround(score))).toEqual([...similar.score]);
    const [{ users, items }] = await query(
      `SELECT (SELECT count(*)::INT FROM '${folder.replaceAll("'", "''")}/users.parquet') AS users, count(*)::INT AS items
       FROM '${folder.replaceAll("'", "''")}/items.parquet'`,
    );
    expect([users, items]).toEqual([model.numUsers, model.numItems]);
  });

  test("a model of neighbours has that table alone; one without either is refused and leaves nothing", async () => {
    const folder = join(temporaryFolder(), "knn");
    await formats.parquet.write(await exportable("item-knn"), folder, {});
    expect(readdirSync(folder)).toEqual(["neighbours.parquet"]);
    const none = join(temporaryFolder(), "bias");
    await expectError(formats.parquet.write(await exportable("bias"), none, {}), "E_CONFIG", /no tables to write.*--format npy/);
    expect(existsSync(none)).toBe(false);
  });
});

test("model: a folder that loadModel answers from with the same scores; a damaged one is not passed on", async () => {
  const source = await exportable("als", { factors: 6 });
  const folder = join(temporaryFolder(), "als");
  await formats.model.write(source, folder, {});
  const again = await loadModel(folder, { threads: 1 });
  expect(await again.recommend({ userIndex: 5 })).toEqual(await source.model.recommend({ userIndex: 5 }));
  writeFileSync(join(source.folder, "arrays/popularity.npy"), "cut");
  const other = join(temporaryFolder(), "damaged");
  await expectError(formats.model.write(source, other, {}), "E_MODEL_FORMAT", /popularity\.npy is damaged/);
  expect(existsSync(other)).toBe(false);
});

describe("every format", () => {
  test("names the model, the version and the place; unknown names and taken folders are refused", async () => {
    const folder = temporaryFolder();
    const rows = Array.from({ length: 400 }, (_, e) => `u${e % 40},${["a", "b", "c"][(e % 40) % 3]}${(e * 7) % 9}`);
    writeFileSync(join(folder, "orders.csv"), ["user,item", ...rows].join("\n"));
    const run = await runRecipe(await recipeForFile(join(folder, "orders.csv")), { workspace: join(folder, "work"), threads: 1 });
    const target = join(folder, "deep/er/als.safetensors");
    expect(await exportModel(run, target, { model: "als" })).toMatchObject({ model: "als", format: "safetensors", path: target });
    expect(existsSync(target)).toBe(true);
    await expectError(exportModel(run, target, { model: "alz" }), "E_NOT_FOUND", /"alz".*als/);
    await expectError(exportModel(run, target, { format: "npz" }), "E_NOT_FOUND", /"npz".*npy/);
    mkdirSync(join(folder, "taken"));
    writeFileSync(join(folder, "taken/letter.txt"), "mine");
    for (const format of ["npy", "parquet", "wals"])
      await expectError(exportModel(run, join(folder, "taken"), { model: "als", format }), "E_IO", /not empty/);
    await expectError(exportModel(run, join(folder, "taken/letter.txt/x"), { model: "als", format: "safetensors" }), "E_IO");
    const cancelled = AbortSignal.abort();
    await expectError(exportModel(run, join(folder, "late"), { model: "als", format: "safetensors", signal: cancelled }), "E_CANCELLED");
    expect(readdirSync(folder).sort()).toEqual(["deep", "orders.csv", "taken", "work"]);
  });
});
