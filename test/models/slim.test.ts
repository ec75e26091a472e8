/** SLIM as a model: scores from independently computed weights, fold-in, relabelling, λ₂ from the data, checkpoints, refit. */
import { expect, it } from "vitest";
import type { ModelState } from "../../src/core/model.js";
import { Interactions } from "../../src/data/interactions.js";
import { referenceItemGram } from "../../src/kernels/reference/ease.js";
import { referenceSlimColumn } from "../../src/kernels/reference/slim.js";
import { fit, refit } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";

const data = fixture({ numUsers: 60, numItems: 41, events: 1500 });

async function scores(model: Recommender, query: { userIndex?: number; history?: { itemIndex: number; weight?: number }[] }) {
  const out = new Float32Array(model.numItems);
  await model.fitted.scoreAll!([query], out);
  return out;
}

it("scores by the weights of the elastic net", async () => {
  const rules = { regularization: 5, l1Regularization: 2, nonNegative: true };
  const model = await fit("slim", data, rules);
  const gram = referenceItemGram(data.matrixByUser(), true);
  const { offsets, indices, values } = data.matrixByUser();
  const history = Array.from(indices.subarray(offsets[7], offsets[8]), (itemIndex, k) => ({ itemIndex, weight: values[offsets[7] + k] }));
  const own = await scores(model, { userIndex: 7 });
  for (let item = 0; item < data.numItems; item++) {
    const column = referenceSlimColumn(gram, item, rules);
    expect(own[item]).toBeCloseTo(
      history.reduce((sum, { itemIndex }) => sum + column[itemIndex], 0),
      2,
    );
  }
  expect(await scores(model, { history })).toEqual(own);
  const { score, contribution } = await model.fitted.explain!({ userIndex: 7 }, 3);
  expect(score).toBe(own[3]);
  expect(contribution.reduce((sum, value) => sum + value, 0)).toBeCloseTo(score, 5);
});

it("relabelled items get the same scores but for rounding", async () => {
  const numItems = data.numItems;
  const relabelled = Interactions.fromArrays({ ...data, itemIndex: data.itemIndex.map((item) => numItems - 1 - item), items: undefined });
  const [one, other] = [await fit("slim", data), await fit("slim", relabelled)];
  for (const userIndex of [0, 5, 20]) {
    const expected = await scores(one, { userIndex });
    for (const [item, score] of (await scores(other, { userIndex })).entries()) expect(score).toBeCloseTo(expected[numItems - 1 - item], 2);
  }
});

it("goes on from a checkpoint to the same bytes", async () => {
  const many = fixture({ numUsers: 80, numItems: 900, events: 4000 });
  const states = new Map<number, ModelState>();
  const save = async (step: number, state: () => ModelState) => void states.set(step, structuredClone(state()));
  const whole = await fit("slim", many, {}, { checkpoint: { save } });
  expect([...states.keys()]).toEqual([1, 2, 3]);
  const steps: number[] = [];
  const resumed = await fit(
    "slim",
    many,
    {},
    {
      checkpoint: { resumeFrom: { step: 2, state: states.get(2)! }, save: async (step) => void steps.push(step) },
    },
  );
  expect(steps).toEqual([3]);
  for (const [name, { data }] of Object.entries(whole.fitted.state().arrays))
    expect(Buffer.from(resumed.fitted.state().arrays[name].data.buffer).equals(Buffer.from(data.buffer)), name).toBe(true);
});

it("a refit reads histories anew, keeps the weights and gives new items none", async () => {
  const model = await fit("slim", data);
  const numItems = data.numItems + 2;
  const more = Interactions.fromArrays({
    userIndex: [...data.userIndex, 61, 61, 61],
    itemIndex: [...data.itemIndex, 3, 8, numItems - 1],
    numUsers: data.numUsers + 2,
    numItems,
  });
  const expected = await scores(model, { history: [{ itemIndex: 3 }, { itemIndex: 8 }] });
  expect([...(await scores(await refit(model, more), { userIndex: 61 }))]).toEqual([...expected, 0, 0]);
});

it("can be stopped between parts", async () => {
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  await expectError(fit("slim", fixture({ numItems: 900, events: 2000 }), {}, { signal: controller.signal, onProgress }), "E_CANCELLED");
});
