import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fit } from "../../src/models/registry.js";
import { removeLeftovers, writeFileAtomically } from "../../src/store/durable-files.js";
import { openModelStore } from "../../src/store/model-store.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const model = () => fit("popularity", fixture(), {}, { threads: 1 });

describe("a model store", () => {
  test("publishes versions, serves the active one, and keeps equal ones once", async () => {
    const root = temporaryFolder();
    const store = openModelStore(root);
    expect(await store.list()).toEqual([]);
    const first = await store.publish(await model(), { name: "best-sellers", seed: 1 });
    const second = await store.publish(await model(), { name: "best-sellers", seed: 2 });
    const same = await store.publish(await model(), { name: "best-sellers", seed: 2 });
    expect(second.version).not.toBe(first.version);
    expect(same).toEqual(JSON.parse(JSON.stringify(second)));
    expect((await store.list("best-sellers")).map(({ version }) => version)).toEqual([first.version, second.version]);
    expect(readdirSync(join(root, "best-sellers")).sort()).toEqual([first.version, second.version].sort());

    await expectError(store.load("best-sellers"), "E_NOT_FOUND", /no active version/);
    await store.activate("best-sellers", first.version);
    expect(await store.activeVersion("best-sellers")).toBe(first.version);
    expect((await store.load("best-sellers")).manifest.seed).toBe(1);
    expect((await store.load("best-sellers", { version: second.version })).manifest.seed).toBe(2);
    expect((await openModelStore(root).list()).filter(({ active }) => active).map(({ version }) => version)).toEqual([first.version]);
  });

  test("publishing again mends a damaged version", async () => {
    const root = temporaryFolder();
    const store = openModelStore(root);
    const { version } = await store.publish(await model());
    const file = join(root, "popularity", version, "arrays", "popularity.npy");
    const good = readFileSync(file);
    writeFileSync(file, Buffer.concat([good.subarray(0, -1), Buffer.from([good.at(-1)! ^ 1])]));
    await expectError(store.load("popularity", { version }), "E_MODEL_FORMAT", /popularity\.npy/);
    expect((await store.publish(await model())).version).toBe(version);
    await store.load("popularity", { version });
    expect(readdirSync(join(root, "popularity"))).toEqual([version]);
  });

  test("prunes old versions but never the active one", async () => {
    const store = openModelStore(temporaryFolder());
    const versions: string[] = [];
    for (let seed = 0; seed < 4; seed++) versions.push((await store.publish(await model(), { seed, version: `v${seed}` })).version);
    await store.activate("popularity", "v0");
    expect(await store.prune("popularity", { keep: 1 })).toEqual(["v1", "v2"]);
    expect((await store.list()).map(({ version }) => version).sort()).toEqual(["v0", "v3"]);
    expect(await store.prune("popularity", { keep: 0 })).toEqual(["v3"]);
  });

  test.each(["", '{"vers', "null", "{}", '{"version": 3}'])(
    "an active.json with %j names no version: the newest answers",
    async (contents) => {
      const root = temporaryFolder();
      const store = openModelStore(root);
      for (const version of ["v1", "v2"]) await store.publish(await model(), { version });
      await store.activate("popularity", "v1");
      writeFileSync(join(root, "popularity", "active.json"), contents);
      expect(await store.activeVersion("popularity")).toBe("v2");
      expect((await store.load("popularity")).manifest.version).toBe("v2");
    },
  );

  test("a damaged manifest is listed as such beside the others, is never taken for the newest, and not pruned", async () => {
    const root = temporaryFolder();
    const store = openModelStore(root);
    for (const version of ["v1", "v2", "v3"]) await store.publish(await model(), { version });
    const file = join(root, "popularity", "v3", "manifest.json");
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 100));
    const listed = await store.list();
    expect(listed.map(({ version, manifest }) => [version, manifest?.version])).toEqual([
      ["v3", undefined],
      ["v1", "v1"],
      ["v2", "v2"],
    ]);
    expect(listed[0].damaged).toMatch(/manifest\.json is damaged/);
    expect(listed[1].damaged).toBeUndefined();
    writeFileSync(join(root, "popularity", "active.json"), "");
    expect(await store.activeVersion("popularity")).toBe("v2");
    expect(await store.prune("popularity", { keep: 1 })).toEqual(["v1"]);
  });

  test("verifies every byte of a version", async () => {
    const root = temporaryFolder();
    const store = openModelStore(root);
    const { version } = await store.publish(await model());
    await store.verify("popularity", version);
    const file = join(root, "popularity", version, "arrays", "popularity.npy");
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(file, bytes);
    await expectError(store.verify("popularity", version), "E_MODEL_FORMAT", /popularity\.npy is damaged/);
    await expectError(store.verify("popularity", "v9"), "E_NOT_FOUND");
  });

  test("names nothing outside its folder, and lists what there is for what is not", async () => {
    const store = openModelStore(temporaryFolder());
    await expectError(store.load("../../etc"), "E_CONFIG", /cannot name a model/);
    await store.publish(await model(), { version: "v1" });
    await expectError(store.activate("popularity", "v2"), "E_NOT_FOUND", /Did you mean v1/);
    await expectError(store.load("als"), "E_NOT_FOUND", /Models there: popularity/);
  });
});

describe("durable files", () => {
  test("leftovers of dead processes are removed, other files kept", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "models", ".v1.tmp-999999999-00ff00ff"), { recursive: true });
    writeFileSync(join(folder, ".a.json.tmp-999999999-00ff00ff"), "half");
    writeFileSync(join(folder, `.b.json.tmp-${process.ppid}-00ff00ff`), "being written");
    writeFileSync(join(folder, ".hidden"), "mine");
    expect(await removeLeftovers(folder)).toBe(2);
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual([`.b.json.tmp-${process.ppid}-00ff00ff`, ".hidden", "models"].sort());
  });

  test("a file is replaced as a whole, and nothing lies beside it", async () => {
    const folder = temporaryFolder();
    await writeFileAtomically(join(folder, "deep", "a.json"), "one");
    await writeFileAtomically(join(folder, "deep", "a.json"), "two");
    expect(readdirSync(join(folder, "deep"))).toEqual(["a.json"]);
    await expectError(writeFileAtomically(join(folder, "deep", "a.json", "b"), "x"), "E_IO");
  });
});
