/** Side features as table rows and numbers: every kind of column, unknown values, bags of words, and what is saved. */
import { describe, expect, it } from "vitest";
import type { Features } from "../../src/core/features.js";
import { createRandom } from "../../src/core/random.js";
import { addFeatureGradients, embedFeatures, featureBatch } from "../../src/models/parts/feature-batch.js";
import { encodeFeatures, featureState, hashOf, restoredFeatures } from "../../src/models/parts/feature-encoder.js";
import { type FeatureSource, planFeatures } from "../../src/models/parts/feature-plan.js";
import { createSparseTable } from "../../src/nn/sparse-table.js";
import { expectError } from "../support/errors.js";

const features: Features = {
  numRows: 4,
  columns: {
    colour: { kind: "category", values: ["red", null, "red", "blue"] },
    nothing: { kind: "category", values: [null, null, null, null] },
    age: { kind: "number", values: Float32Array.of(1, 3, Number.NaN, 900) },
    text: { kind: "text", values: ["A dog, a cat", "", null, "dog"] },
    place: { kind: "vector", dimensions: 2, values: Float32Array.of(3, 0, 0, 1, Number.NaN, 0, 5, 5) },
  },
};
/** Row 3 has no events: its values teach nothing. */
const source: FeatureSource = { whose: "users", numRows: 4, features, known: Uint8Array.of(1, 1, 1, 0) };

describe("feature encoder", () => {
  it("gives ids, categories and words rows of one table, and standardises numbers and vectors", () => {
    const plan = planFeatures(source, { textBuckets: 8 });
    expect(plan.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "id user",
      "category colour",
      "number age",
      "text text",
      "vector place",
    ]);
    const { fields, numEmbeddings, tableRows, offsets, dense, denseNames } = encodeFeatures(plan, source);
    expect(fields).toEqual([
      { name: "user", firstRow: 0, numRows: 5 },
      { name: "colour", firstRow: 5, numRows: 2 },
      { name: "text", firstRow: 7, numRows: 9 },
    ]);
    expect(numEmbeddings).toBe(16);
    const cell = (row: number, field: number) => [...tableRows.subarray(offsets![row * 3 + field], offsets![row * 3 + field + 1])];
    expect([0, 1, 2, 3].map((row) => cell(row, 0))).toEqual([[1], [2], [3], [0]]);
    expect([0, 1, 2, 3].map((row) => cell(row, 1))).toEqual([[6], [5], [6], [5]]); // blue was seen in no event
    const [a, dog, cat] = ["a", "dog", "cat"].map((word) => 8 + (hashOf(word) % 8));
    expect([0, 1, 2, 3].map((row) => cell(row, 2))).toEqual([[a, dog, a, cat], [7], [7], [dog]]);
    expect(denseNames).toEqual(["age", "age unknown", "place 1", "place 2", "place unknown"]);
    const scale = Math.sqrt((2 * 2) / 10);
    const expected = [-1, 0, 3 * scale, 0, 0, 1, 0, 0, scale, 0, 0, 1, 0, 0, 1, 898, 0, 5 * scale, 5 * scale, 0];
    dense.forEach((value, k) => {
      expect(value).toBeCloseTo(expected[k], 4);
    });
  });

  it("hashes by FNV-1a", () => {
    expect(hashOf("")).toBe(0x811c9dc5);
    expect(hashOf("foobar")).toBe(0xbf9cf968);
  });

  it("buckets numbers by quantile", () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, Number.NaN, 100);
    const own: FeatureSource = {
      whose: "items",
      numRows: 10,
      features: { numRows: 10, columns: { price: { kind: "number", values }, same: { kind: "number", values: values.map(() => 2) } } },
      known: new Uint8Array(10).fill(1),
    };
    const plan = planFeatures(own, { id: false, numbers: "buckets", numberBuckets: 3 });
    expect(plan).toEqual([
      { kind: "buckets", name: "price", edges: [4, 7] },
      { kind: "buckets", name: "same", edges: [] },
    ]);
    const { tableRows, offsets } = encodeFeatures(plan, own);
    expect(offsets).toBeUndefined();
    expect([...tableRows].filter((_, cell) => cell % 2 === 0)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 0, 3]);
    expect([...tableRows].filter((_, cell) => cell % 2 === 1)).toEqual(new Array(10).fill(5));
  });

  it("takes values that it never saw as unknown", () => {
    const plan = planFeatures(source, { textBuckets: 8 });
    const columns: Features["columns"] = { colour: { kind: "category", values: ["green", "red"] } };
    const { tableRows, offsets, dense } = encodeFeatures(plan, {
      whose: "users",
      numRows: 2,
      features: { numRows: 2, columns },
      known: Uint8Array.of(1, 0),
    });
    expect([...tableRows]).toEqual([1, 5, 7, 0, 6, 7]);
    expect([...offsets!]).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([...dense]).toEqual([0, 1, 0, 0, 1, 0, 1, 0, 0, 1]);
  });

  it("averages the embeddings of a cell, and hands gradients back in shares", () => {
    const encoded = encodeFeatures(planFeatures(source, { textBuckets: 8 }), source);
    const table = createSparseTable({ name: "t", numRows: encoded.numEmbeddings, dimensions: 2, deviation: 1, random: createRandom(1) });
    const batch = featureBatch(encoded, Int32Array.of(0, -1));
    const out = new Float32Array(2 * 3 * 2);
    embedFeatures(table, batch, out);
    const words = ["a", "dog", "a", "cat"].map((word) => 8 + (hashOf(word) % 8));
    expect(out[4]).toBeCloseTo(
      words.reduce((sum, row) => sum + table.values[row * 2] / 4, 0),
      5,
    );
    expect([...out.subarray(6)]).toEqual([0, 1, 10, 11, 14, 15].map((at) => table.values[at])); // unknown rows 0, 5, 7
    expect([...batch.dense.subarray(5)]).toEqual([0, 0, 0, 0, 0]);
    addFeatureGradients(table, batch, new Float32Array(12).fill(1));
    const before = table.values.slice();
    table.step({ name: "sgd", rate: 1, step: 1 });
    const changes = Array.from({ length: 16 }, (_, row) => before[row * 2] - table.values[row * 2]);
    const shares = new Array(16).fill(0);
    for (const row of [0, 1, 5, 6, 7]) shares[row] = 1;
    for (const row of words) shares[row] += 1 / 4;
    changes.forEach((change, row) => {
      expect(change).toBeCloseTo(shares[row], 5);
    });
  });

  it("makes a share of the fields unknown in training", () => {
    const encoded = encodeFeatures(planFeatures({ ...source, features: undefined }), source);
    const indexes = new Int32Array(4000).fill(1);
    const { tableRows } = featureBatch(encoded, indexes, { share: 0.1, random: createRandom(1) });
    const dropped = tableRows.filter((row) => row === 0).length;
    expect(dropped).toBeGreaterThan(320);
    expect(dropped).toBeLessThan(480);
    expect(new Set(tableRows)).toEqual(new Set([0, 2]));
  });

  it("saves and restores", async () => {
    for (const columns of [features.columns, { age: features.columns.age }]) {
      const own = { ...source, features: { numRows: 4, columns } };
      const encoded = encodeFeatures(planFeatures(own), own);
      const state = structuredClone(featureState(encoded, "user"));
      state.extra = JSON.parse(JSON.stringify(state.extra));
      expect(restoredFeatures(state, "user", 4)).toEqual(encoded);
      await expectError(() => restoredFeatures(state, "user", 5), "E_MODEL_FORMAT", /user_/);
      state.arrays.user_rows.data.fill(99_999);
      await expectError(() => restoredFeatures(state, "user", 4), "E_MODEL_FORMAT", /outside/);
    }
  });

  it("refuses what does not fit", async () => {
    await expectError(() => planFeatures({ ...source, numRows: 5, known: new Uint8Array(5) }), "E_DATA", /4 rows.*5 users/);
    const short: Features = { numRows: 4, columns: { age: { kind: "number", values: Float32Array.of(1) } } };
    await expectError(() => planFeatures({ ...source, features: short }), "E_DATA", /age .* 1 values/);
    await expectError(() => planFeatures({ ...source, features: undefined }, { id: false }), "E_DATA", /no features/);
    const other: Features = { numRows: 4, columns: { colour: { kind: "number", values: new Float32Array(4) } } };
    await expectError(() => encodeFeatures(planFeatures(source), { ...source, features: other }), "E_DATA", /of kind number/);
  });
});
