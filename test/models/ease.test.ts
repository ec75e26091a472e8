/** EASE as a model: its scores against the float64 computation, fold-in, explanations, truncation, λ from the data, refit. */
import { describe, expect, it } from "vitest";
import { Interactions } from "../../src/data/interactions.js";
import { referenceEase } from "../../src/kernels/reference/ease.js";
import { fit, refit } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";

const data = fixture({ numUsers: 60, numItems: 41, events: 1500 });

function weightsOf(model: Recommender): Float32Array {
  return model.fitted.state().arrays.item_weights.data as Float32Array;
}

/** Largest difference, beside the largest entry. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [most, largest] = [0, 0];
  for (let k = 0; k < a.length; k++) {
    most = Math.max(most, Math.abs(a[k] - b[k]));
    largest = Math.max(largest, Math.abs(b[k]));
  }
  return most / largest;
}

async function scores(model: Recommender, query: { userIndex?: number; history?: { itemIndex: number; weight?: number }[] }) {
  const out = new Float32Array(model.numItems);
  await model.fitted.scoreAll!([query], out);
  return out;
}

describe.each([{ binary: true }, { binary: false }])("%j", ({ binary }) => {
  it("is the closed form of the paper", async () => {
    const model = await fit("ease", data, { binary, regularization: 20 });
    const { weights } = referenceEase(data.matrixByUser(), { binary, regularization: 20 });
    expect(difference(weightsOf(model), weights)).toBeLessThan(1e-5);
    const { offsets, indices, values } = data.matrixByUser();
    const expected = new Float64Array(data.numItems);
    for (let e = offsets[7]; e < offsets[8]; e++)
      for (let i = 0; i < data.numItems; i++) expected[i] += (binary ? 1 : values[e]) * weights[indices[e] * data.numItems + i];
    expect(difference(await scores(model, { userIndex: 7 }), expected)).toBeLessThan(1e-5);
  });

  it("explains a score by the items of the history, and scores an equal history alike", async () => {
    const model = await fit("ease", data, { binary });
    const { offsets, indices, values } = data.matrixByUser();
    const history = Array.from(indices.subarray(offsets[4], offsets[5]), (itemIndex, k) => ({
      itemIndex,
      weight: values[offsets[4] + k],
    }));
    expect(await scores(model, { history })).toEqual(await scores(model, { userIndex: 4 }));
    const { score, base, contribution } = await model.fitted.explain!({ userIndex: 4 }, 3);
    expect(score).toBe((await scores(model, { userIndex: 4 }))[3]);
    expect(contribution.reduce((sum, value) => sum + value, base)).toBeCloseTo(score, 5);
  });
});

it("relabelled items get the same weights but for rounding", async () => {
  const numItems = data.numItems;
  const relabelled = Interactions.fromArrays({ ...data, itemIndex: data.itemIndex.map((item) => numItems - 1 - item), items: undefined });
  const [one, other] = [weightsOf(await fit("ease", data)), weightsOf(await fit("ease", relabelled))];
  expect(difference(other.slice().reverse(), one)).toBeLessThan(1e-5);
});

it("keeps the strongest weights of each item when topN says so", async () => {
  const numItems = data.numItems;
  const all = weightsOf(await fit("ease", data));
  const model = await fit("ease", data, { topN: 4 });
  const { weight_offsets, weight_indices, weight_values } = model.fitted.state().arrays;
  const kept = new Float32Array(numItems * numItems);
  for (let j = 0; j < numItems; j++)
    for (let e = weight_offsets.data[j]; e < weight_offsets.data[j + 1]; e++)
      kept[j * numItems + weight_indices.data[e]] = weight_values.data[e];
  for (let i = 0; i < numItems; i++) {
    const sizes = Array.from({ length: numItems }, (_, j) => Math.abs(all[j * numItems + i])).sort((a, b) => b - a);
    const column = Array.from({ length: numItems }, (_, j) => j).filter((j) => kept[j * numItems + i] !== 0);
    expect(column.length).toBe(sizes.slice(0, 4).filter((size) => size > 0).length);
    for (const j of column) {
      expect(Math.abs(all[j * numItems + i])).toBeGreaterThanOrEqual(sizes[3]);
      expect(kept[j * numItems + i]).toBeCloseTo(all[j * numItems + i], 6);
    }
  }
});

it("takes λ from the lengths of the histories, in the units of the weights", async () => {
  // lengths 2 and 1: 4 · (4 + 1) / 3
  const two = { userIndex: [0, 0, 1], itemIndex: [0, 1, 1] };
  const lambda = async (weight: number[], binary: boolean) =>
    (await fit("ease", Interactions.fromArrays({ ...two, weight }), { binary })).fitted.state().extra!.regularization;
  expect(await lambda([1, 1, 1], true)).toBeCloseTo(20 / 3, 10);
  expect(await lambda([9, 2, 5], true)).toBeCloseTo(20 / 3, 10);
  expect(await lambda([3, 3, 3], false)).toBeCloseTo((9 * 20) / 3, 10);
});

it("an event of weight 0 is none", async () => {
  const weight = data.weight.map((value, e) => (e % 3 === 0 ? 0 : value));
  const without = Interactions.fromArrays({
    ...data,
    userIndex: data.userIndex.filter((_, e) => e % 3 > 0),
    itemIndex: data.itemIndex.filter((_, e) => e % 3 > 0),
    weight: data.weight.filter((_, e) => e % 3 > 0),
    timestamp: undefined,
    basket: undefined,
  });
  expect(weightsOf(await fit("ease", Interactions.fromArrays({ ...data, weight })))).toEqual(weightsOf(await fit("ease", without)));
});

it("a refit reads histories anew, keeps the weights and gives new items none", async () => {
  for (const params of [{}, { topN: 5 }]) {
    const model = await fit("ease", data, params);
    const numItems = data.numItems + 2;
    const more = Interactions.fromArrays({
      userIndex: [...data.userIndex, 61, 61, 61],
      itemIndex: [...data.itemIndex, 3, 8, numItems - 1],
      numUsers: data.numUsers + 2,
      numItems,
    });
    const renewed = await refit(model, more);
    const expected = await scores(model, { history: [{ itemIndex: 3 }, { itemIndex: 8 }] });
    expect([...(await scores(renewed, { userIndex: 61 }))]).toEqual([...expected, 0, 0]);
  }
});

it("says what to do when λ is too small", async () => {
  const twins = Interactions.fromArrays({ userIndex: [0, 0, 1, 1], itemIndex: [0, 1, 0, 1] });
  await expectError(fit("ease", twins, { regularization: 0 }), "E_TRAINING", /regularization 0/);
});
