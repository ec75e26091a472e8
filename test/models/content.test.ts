/** Content similarity against cosines worked out by hand. */
import { describe, expect, it } from "vitest";
import type { Features } from "../../src/core/features.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit } from "../../src/models/registry.js";
import { expectError } from "../support/errors.js";

const unknown = Number.NaN;

function withItems(columns: Features["columns"], numItems: number, params: Record<string, unknown> = {}) {
  const data = Interactions.fromArrays({ userIndex: [0, 0, 1], itemIndex: [0, 1, 2], weight: [1, 3, 1], numUsers: 2, numItems });
  return fit("content", data, params, { itemFeatures: { numRows: numItems, columns } });
}

async function scores(model: Awaited<ReturnType<typeof withItems>>, items: readonly number[]) {
  const history = items.map((itemIndex) => ({ itemIndex }));
  const { itemIndex, score } = await model.recommend({ history }, { topK: 10, excludeSeen: false });
  return Object.fromEntries([...itemIndex].map((item, r) => [item, score[r]]));
}

describe("content", () => {
  const timbre = { kind: "vector" as const, dimensions: 2, values: Float32Array.of(3, 4, 1, 0, 0, 2, -3, -4) };

  it("adds the cosines to the items of the history, the features as they are", async () => {
    const model = await withItems({ timbre }, 4, { standardize: false });
    const found = await scores(model, [0, 1]);
    [1 + 0.6, 0.6 + 1, 0.8, -1 - 0.6].forEach((score, item) => {
      expect(found[item]).toBeCloseTo(score, 6);
    });
    const { itemIndex, contribution, base } = await model.explain({ history: [{ itemIndex: 0 }, { itemIndex: 1 }] }, 2);
    expect([...itemIndex]).toEqual([0, 1]);
    expect(contribution[0]).toBeCloseTo(0.8, 6);
    expect(contribution[1] + base).toBeCloseTo(0, 6);
  });

  it("takes the mean off and divides by the deviation where asked to", async () => {
    const size = { kind: "number" as const, values: Float32Array.of(1000, 1002, 1002, 1000) };
    const model = await withItems({ size }, 4);
    expect(await scores(model, [0])).toMatchObject({ 0: 1, 1: -1, 2: -1, 3: 1 });
    const plain = await withItems({ size }, 4, { standardize: false });
    expect((await scores(plain, [0]))[1]).toBeCloseTo(1, 6);
  });

  it("gives every column the same say, and leaves out what is unknown", async () => {
    const colour = { kind: "category" as const, values: ["red", "red", "blue", null] };
    const about = { kind: "text" as const, values: ["deep sea", "High hills", "DEEP SEA", "high hills"] };
    const found = await scores(await withItems({ colour, about }, 4), [0]);
    expect(found[0]).toBeCloseTo(1, 6);
    expect(found[1]).toBeCloseTo(0.5, 6); // the same colour, other words
    expect(found[2]).toBeCloseTo(0.5, 6);
    expect(found[3]).toBeCloseTo(0, 6);
    const second = await scores(await withItems({ colour, about }, 4), [3]);
    expect(second[1]).toBeCloseTo(Math.SQRT1_2, 6);
  });

  it("reaches items without events, and those without features never", async () => {
    const model = await withItems({ size: { kind: "vector", dimensions: 1, values: Float32Array.of(1, 1, 1, 5, unknown) } }, 5, {
      standardize: false,
    });
    const found = await scores(model, [0]);
    expect(found[3]).toBeCloseTo(1, 6);
    expect(found[4]).toBe(0);
    expect((await model.recommend({ userIndex: 0 }, { topK: 1 })).itemIndex[0]).toBe(2);
    expect((await model.recommend({ history: [{ itemIndex: 3 }] }, { topK: 1 })).source).toBe("content");
    expect((await model.recommend({ history: [{ itemIndex: 4 }] }, { topK: 1 })).source).toBe("popularity fallback");
  });

  it("hashes categories of very many names, and weighs the history where asked to", async () => {
    const names = Array.from({ length: 40 }, (_, item) => `name ${item % 20}`);
    const model = await withItems({ name: { kind: "category", values: names } }, 40, { hashDimensions: 8 });
    expect((await scores(model, [5]))[25]).toBeCloseTo(1, 6);
    const linear = await withItems({ timbre: { ...timbre, values: Float32Array.of(1, 0, 0, 1, 0, 1, 1, 0) } }, 4, {
      weighting: "linear",
      standardize: false,
    });
    const { score } = await linear.recommend({ userIndex: 0 }, { topK: 4, excludeSeen: false });
    expect([...score].map((one) => Math.round(one))).toEqual([3, 3, 1, 1]);
  });

  it("refuses to work without features, or with those of other items", async () => {
    const data = Interactions.fromArrays({ userIndex: [0], itemIndex: [0] });
    await expectError(fit("content", data), "E_DATA", /features/);
    const itemFeatures = { numRows: 2, columns: { timbre: { ...timbre, values: Float32Array.of(1, 2, 3, 4) } } };
    await expectError(fit("content", data, {}, { itemFeatures }), "E_DATA", /2 rows, but there are 1 items/);
    await expectError(fit("content", data, {}, { itemFeatures: { numRows: 1, columns: {} } }), "E_DATA", /no column/);
  });

  it("turns the vectors of large tables to their principal axes, which changes no list", async () => {
    const numItems = 26_000;
    const dimensions = 84;
    const random = createRandom(4);
    const mix = Array.from({ length: dimensions * dimensions }, (_, k) => random.normal() * Math.exp(-Math.floor(k / dimensions) / 12));
    const values = new Float32Array(numItems * dimensions);
    const hidden = new Float64Array(dimensions);
    for (let item = 0; item < numItems; item++) {
      for (let k = 0; k < dimensions; k++) hidden[k] = random.normal();
      for (let d = 0; d < dimensions; d++) {
        let sum = 0;
        for (let k = 0; k < dimensions; k++) sum += hidden[k] * mix[k * dimensions + d];
        values[item * dimensions + d] = sum;
      }
    }
    const model = await withItems({ look: { kind: "vector", dimensions, values } }, numItems, { standardize: false });
    const row = (item: number) => values.subarray(item * dimensions, (item + 1) * dimensions);
    const cosine = (a: number, b: number) =>
      row(a).reduce((sum, value, d) => sum + value * row(b)[d], 0) / Math.hypot(...row(a)) / Math.hypot(...row(b));
    const asked = [5, 77];
    const expected = Array.from({ length: numItems }, (_, item) => cosine(item, 5) + cosine(item, 77));
    const { itemIndex, score } = await model.recommend({ history: asked.map((item) => ({ itemIndex: item })) }, { topK: 10 });
    const best = expected.filter((_, item) => !asked.includes(item)).sort((a, b) => b - a);
    itemIndex.forEach((item, place) => {
      expect(score[place]).toBeCloseTo(expected[item], 5);
      expect(score[place]).toBeCloseTo(best[place], 5);
    });
    const squares = new Float64Array(dimensions);
    model.fitted.vectors!.itemVectors.forEach((value, k) => {
      squares[k % dimensions] += value * value;
    });
    const share = squares.subarray(0, dimensions / 2).reduce((sum, one) => sum + one, 0) / numItems;
    expect(share).toBeGreaterThan(0.9);
    model.dispose();
  }, 30_000);
});
