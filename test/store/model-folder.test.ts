/**
 * Model folders with real models: bit-equal scores after loading, and every kind of damage refused by name.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createIdMap } from "../../src/data/id-map.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit, getModel, listModels } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { sha256 } from "../../src/store/manifest.js";
import { loadItemProperties, loadModel, readManifest, saveModel } from "../../src/store/model-folder.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";
import { featuresFor } from "../support/item-features.js";
import { smallParams } from "../support/small-params.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const data = fixture();

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => statSync(join(folder, file)).isFile())
    .sort();
}

async function answers(model: Recommender) {
  const users = Int32Array.from({ length: data.numUsers }, (_, user) => user);
  const known = await model.recommendBatch(users, { topK: 12, excludeSeen: true });
  const unseen = await model.recommend({ history: [{ itemIndex: 3, weight: 2 }, { itemIndex: 9 }] }, { topK: 12 });
  return { known, unseen };
}

describe.each(listModels().map(({ name }) => name))("a saved %s", (name) => {
  test("answers with the same bits, and equal trainings give equal files", async () => {
    const folder = temporaryFolder();
    const params = smallParams[name] ?? {};
    const context = { threads: 1, ...featuresFor(getModel(name), data) };
    const model = await fit(name, data, params, context);
    const manifest = await saveModel(model, join(folder, "a"), { metrics: { "ndcg@10": 0.5 }, seed: 42, dataFingerprint: "abc" });
    const loaded = await loadModel(join(folder, "a"), { threads: 1 });
    expect(await answers(loaded)).toEqual(await answers(model));
    expect(loaded.params).toEqual(model.params);
    expect(await readManifest(join(folder, "a"))).toEqual(JSON.parse(JSON.stringify(manifest)));
    expect(manifest).toMatchObject({ model: name, seed: 42, dataFingerprint: "abc", numUsers: data.numUsers, metrics: { "ndcg@10": 0.5 } });

    const again = await saveModel(await fit(name, data, params, context), join(folder, "b"), { seed: 42, dataFingerprint: "abc" });
    expect(again.version).toBe(manifest.version);
    for (const file of filesOf(join(folder, "a")).filter((file) => file.endsWith(".npy"))) {
      expect(readFileSync(join(folder, "b", file)).equals(readFileSync(join(folder, "a", file))), file).toBe(true);
    }
  });
});

describe("a model folder", () => {
  let model: Recommender;
  beforeAll(async () => {
    model = await fit("popularity", data, {}, { threads: 1 });
  });

  test("keeps ids with newlines, quotes and any script, and item properties", async () => {
    const folder = join(temporaryFolder(), "model");
    const users = createIdMap(["a\nb", 'say "hi"', "日本語 🛒", "", " ", "\u0000", "\uFEFFbom"]);
    const items = createIdMap(["x,y", "x\r\ny"]);
    const odd = Interactions.fromArrays({ userIndex: [0, 2, 5], itemIndex: [0, 1, 1], users, items });
    const itemProperties = { title: ['A "quoted"\ntitle', null], price: [1.5, 2] };
    await saveModel(await fit("popularity", odd), folder, { itemProperties });
    const loaded = await loadModel(folder);
    expect([...loaded.users.ids()]).toEqual([...users.ids()]);
    expect([...loaded.items.ids()]).toEqual([...items.ids()]);
    expect(await loadItemProperties(folder)).toEqual(itemProperties);
  });

  test("half a surrogate pair in an id is refused and leaves nothing", async () => {
    const folder = temporaryFolder();
    const odd = Interactions.fromArrays({ userIndex: [0], itemIndex: [0], users: createIdMap(["a\ud800"]) });
    await expectError(saveModel(await fit("popularity", odd), join(folder, "model")), "E_DATA", /not valid Unicode/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a flipped bit in every file is found, and the file named", async () => {
    const folder = temporaryFolder();
    const good = join(folder, "good");
    await saveModel(model, good, { itemProperties: { title: Array.from({ length: data.numItems }, (_, i) => `t${i}`) } });
    const files = filesOf(good);
    expect(files).toContain("item-properties.json");
    expect(files.length).toBeGreaterThan(9);
    const bad = join(folder, "bad");
    for (const file of files) {
      const bytes = readFileSync(join(good, file));
      for (const at of new Set([0, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2), bytes.length - 1])) {
        cpSync(good, bad, { recursive: true });
        const flipped = Buffer.from(bytes);
        flipped[at] ^= 1 << (at % 8);
        writeFileSync(join(bad, file), flipped);
        const error = await expectError(loadModel(bad), "E_MODEL_FORMAT");
        expect(error.message, `${file} at ${at}`).toMatch(/manifest\.json|SHA256SUMS/.test(file) ? /manifest\.json|SHA256SUMS/ : file);
        expect(error.details, `${file} at ${at}`).toMatchObject({ got: expect.anything(), expected: expect.anything() });
        rmSync(bad, { recursive: true });
      }
    }
  });

  test("a missing, cut or longer file is refused, and the file named", async () => {
    const folder = temporaryFolder();
    const good = join(folder, "good");
    await saveModel(model, good);
    for (const file of filesOf(good).filter((file) => file !== "manifest.json")) {
      for (const damage of ["missing", "cut", "longer"]) {
        const bad = join(folder, "bad");
        cpSync(good, bad, { recursive: true });
        const bytes = readFileSync(join(bad, file));
        if (damage === "missing") rmSync(join(bad, file));
        else writeFileSync(join(bad, file), damage === "cut" ? bytes.subarray(0, -1) : Buffer.concat([bytes, Buffer.from("\n")]));
        const error = await expectError(loadModel(bad), "E_MODEL_FORMAT");
        expect(error.message, `${damage} ${file}`).toContain(file);
        rmSync(bad, { recursive: true });
      }
    }
    rmSync(join(good, "manifest.json"));
    await expectError(loadModel(good), "E_NOT_FOUND", /holds no model/);
    await expectError(loadModel(join(folder, "nowhere")), "E_NOT_FOUND", /holds no model/);
  });

  test("a newer format is refused before anything else is judged", async () => {
    const folder = join(temporaryFolder(), "model");
    await saveModel(model, folder);
    const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, formatVersion: 2, novelty: true }));
    const error = await expectError(loadModel(folder), "E_MODEL_FORMAT", /format 2.*Update tastemaker/);
    expect(error.details).toMatchObject({ got: 2, expected: 1 });
  });

  test("the checksums are those of sha256sum", async () => {
    const folder = join(temporaryFolder(), "model");
    await saveModel(model, folder);
    const lines = readFileSync(join(folder, "SHA256SUMS"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => line.slice(66)).sort()).toEqual(filesOf(folder).filter((file) => file !== "SHA256SUMS"));
    for (const line of lines) expect(sha256(readFileSync(join(folder, line.slice(66))))).toBe(line.slice(0, 64));
  });

  test("saving again replaces the model; a folder of other files is left alone", async () => {
    const folder = temporaryFolder();
    await saveModel(model, join(folder, "model"), { seed: 1 });
    await saveModel(model, join(folder, "model"), { seed: 2 });
    expect((await readManifest(join(folder, "model"))).seed).toBe(2);
    mkdirSync(join(folder, "photos"));
    writeFileSync(join(folder, "photos", "cat.jpg"), "meow");
    await expectError(saveModel(model, join(folder, "photos")), "E_IO", /cat\.jpg/);
    expect(readdirSync(join(folder, "photos"))).toEqual(["cat.jpg"]);
    expect(readdirSync(folder).sort()).toEqual(["model", "photos"]);
  });

  test("cancelled, it leaves an earlier model as it was and nothing beside it", async () => {
    const folder = temporaryFolder();
    await saveModel(model, join(folder, "model"), { seed: 1 });
    await expectError(saveModel(model, join(folder, "model"), { seed: 2, signal: AbortSignal.abort() }), "E_CANCELLED");
    expect((await readManifest(join(folder, "model"))).seed).toBe(1);
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  test("a path through a file is an IoError with a hint", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    const error = await expectError(saveModel(model, join(folder, "file", "model")), "E_IO", /ENOTDIR|EEXIST/);
    expect(error.hint).toBeTruthy();
  });

  test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "a read-only folder is an IoError with a hint (not as root)",
    async () => {
      const folder = temporaryFolder();
      chmodSync(folder, 0o555);
      const error = await expectError(saveModel(model, join(folder, "model")), "E_IO", /EACCES/);
      chmodSync(folder, 0o755);
      expect(error.hint).toMatch(/permission/);
    },
  );
});
