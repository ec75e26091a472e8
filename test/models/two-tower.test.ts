/** Two towers on planted tastes: ids, histories and side features alone and together, newcomers, poor data, and what is kept. */
import { describe, expect, it } from "vitest";
import type { Features } from "../../src/core/features.js";
import type { ModelState } from "../../src/core/model.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit, restoreRecommender } from "../../src/models/registry.js";
import { twoTower } from "../../src/models/two-tower.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { expectError } from "../support/errors.js";

const [GROUPS, GROUP] = [4, 12];
const numItems = GROUPS * GROUP;
const groupOf = (row: number) => row % GROUPS;

/** User u likes six items of group u mod 4; the last four users and the last four items have no events. */
function tastes(numUsers = 84): Interactions {
  const random = createRandom(5);
  const events = Array.from({ length: numUsers - 4 }, (_, user) => {
    const own = Int32Array.from({ length: GROUP - 1 }, (_, k) => GROUPS * k + groupOf(user));
    return Array.from(random.shuffle(own).subarray(0, 6), (item) => [user, item]);
  }).flat();
  return Interactions.fromArrays({
    userIndex: events.map(([user]) => user),
    itemIndex: events.map(([, item]) => item),
    numUsers,
    numItems,
  });
}

const columns = (numRows: number): Features["columns"] => ({
  colour: { kind: "category", values: Array.from({ length: numRows }, (_, row) => ["red", "blue", "green", null][groupOf(row)]) },
  size: { kind: "number", values: Float32Array.from({ length: numRows }, (_, row) => (row === 1 ? Number.NaN : groupOf(row))) },
  words: { kind: "text", values: Array.from({ length: numRows }, (_, row) => (row === 2 ? null : `a thing of kind${groupOf(row)}`)) },
});
const features = (numRows: number): Features => ({ numRows, columns: columns(numRows) });

const params = {
  dimensions: 8,
  epochs: 20,
  learningRate: 0.02,
  dropout: 0,
  averaging: 0,
  validationShare: 0,
  userInputs: ["id", "features", "history"],
};
/** Nothing is known of them but features. */
const coldItems = [0, 1, 2, 3].map((k) => numItems - 4 + k);
const options = { seed: 1, threads: 1 };

/** Share of the best five items that are of the asker's group. */
async function shareOfGroup(model: Recommender, query: Parameters<Recommender["recommend"]>[0], group: number): Promise<number> {
  const { itemIndex, source } = await model.recommend(query, { topK: 5, exclude: coldItems });
  expect(source).toBe("two-tower");
  return [...itemIndex].filter((item) => groupOf(item) === group).length / 5;
}

describe("two-tower", () => {
  it.each([
    ["ids", { userInputs: ["id"], itemInputs: ["id"] }],
    ["histories", { userInputs: ["history"], itemInputs: ["id"] }],
    ["cosines with layers", { layers: [16], normalize: true, temperature: 0.1 }],
    ["the sum of a history, adagrad", { userInputs: ["history"], historyExponent: 0.5, optimizer: "adagrad", learningRate: 0.2 }],
    ["shared negatives", { negatives: 16, hits: "known" }],
  ])("learns tastes by %s", async (_, more) => {
    const model = await fit("two-tower", tastes(), { ...params, ...more }, options);
    let share = 0;
    for (let user = 0; user < 20; user++) share += (await shareOfGroup(model, { userIndex: user }, groupOf(user))) / 20;
    expect(share).toBeGreaterThan(0.85);
    expect(model.fitted.losses!.at(-1)).toBeLessThan(model.fitted.losses![0]);
  });

  it("folds in a history", async () => {
    const model = await fit("two-tower", tastes(), { ...params, userInputs: ["history"] }, options);
    for (let group = 0; group < GROUPS; group++)
      expect(await shareOfGroup(model, { history: [{ itemIndex: group }, { itemIndex: group + 8 }] }, group)).toBeGreaterThan(0.7);
    const [one, two] = [[{ itemIndex: 0 }], [{ itemIndex: 0 }, { itemIndex: 5, weight: 0 }, { itemIndex: numItems - 1 }]];
    const five = { topK: 5, exclude: [0, 5, numItems - 1] }; // nothing is known of the last item
    expect(await model.recommend({ history: two }, five)).toEqual(await model.recommend({ history: one }, five));
  });

  it("knows users and items without events by their features", async () => {
    const data = tastes();
    const context = { ...options, userFeatures: features(data.numUsers), itemFeatures: features(numItems) };
    const model = await fit("two-tower", data, { ...params, historyExponent: 1, unknownShare: 0.3 }, context);
    for (let user = data.numUsers - 4; user < data.numUsers; user++) {
      expect(model.fitted.knowsUser!(user)).toBe(true);
      expect(await shareOfGroup(model, { userIndex: user }, groupOf(user))).toBeGreaterThan(0.7);
    }
    for (let item = numItems - 4; item < numItems; item++) {
      expect(model.fitted.knowsItem!(item)).toBe(true);
      const { itemIndex } = await model.recommend({ userIndex: item % GROUPS }, { topK: 20, excludeSeen: false });
      expect(itemIndex.indexOf(item)).toBeLessThan(GROUP); // before the items of other groups
      expect(itemIndex.includes(item)).toBe(true);
    }
    const cold = await fit("two-tower", data, { ...params, epochs: 2 }, options);
    expect(cold.fitted.knowsUser!(data.numUsers - 1)).toBe(false);
    expect((await cold.recommend({ userIndex: data.numUsers - 1 })).source).toBe("popularity fallback");

    const state: ModelState = structuredClone(model.fitted.state());
    state.extra = JSON.parse(JSON.stringify(state.extra));
    const again = restoreRecommender({ ...model, params: { ...model.params }, state });
    for (const query of [{ userIndex: 3 }, { userIndex: data.numUsers - 1 }, { history: [{ itemIndex: numItems - 1 }] }])
      expect(await again.recommend(query, { topK: 9 })).toEqual(await model.recommend(query, { topK: 9 }));
    expect(again.fitted.state()).toEqual(model.fitted.state());
  });

  it("goes on from a checkpoint to the same bytes, with validation, features and layers", async () => {
    const data = tastes(40);
    const own = twoTower.params.parse({
      ...params,
      epochs: 6,
      layers: [6],
      dropout: 0.2,
      averaging: 0.5,
      validationShare: 0.3,
      negatives: 5,
    });
    const context = { seed: 1, itemFeatures: features(numItems), userFeatures: features(40) };
    const states = new Map<number, ModelState>();
    const save = async (step: number, state: () => ModelState) => void states.set(step, structuredClone(state()));
    const whole = await twoTower.fit(data, own, { ...context, threads: 2, checkpoint: { save } });
    const checkpoint = { save: async () => {}, resumeFrom: { step: 3, state: states.get(3)! } };
    const resumed = await twoTower.fit(data, own, { ...context, threads: 1, checkpoint });
    expect(resumed.state()).toEqual(whole.state());
  });

  it("takes a batch larger than the data, a single event and a single item", async () => {
    const single = Interactions.fromArrays({ userIndex: [0], itemIndex: [0], numUsers: 1, numItems: 1 });
    const one = await fit("two-tower", single, { ...params, batchSize: 5000, epochs: 2 }, options);
    expect([...(await one.recommend({ userIndex: 0 }, { excludeSeen: false })).score].every(Number.isFinite)).toBe(true);
    const few = Interactions.fromArrays({ userIndex: [0, 0, 2], itemIndex: [1, 2, 2], numUsers: 5, numItems: 4 });
    const model = await fit("two-tower", few, { ...params, epochs: 2, negatives: 3 }, options);
    expect((await model.recommend({ userIndex: 2 }, { topK: 3 })).score.every(Number.isFinite)).toBe(true);
  });

  it("learns by adagrad from the sum of a large batch, where the mean leaves its fixed start ahead", async () => {
    const large = {
      ...params,
      userInputs: ["id"],
      itemInputs: ["id"],
      batchSize: 8192,
      stepsPerEpoch: 1,
      optimizer: "adagrad",
      learningRate: 0.5,
    };
    const lossesOf = async (lossOf: string) => (await fit("two-tower", tastes(), { ...large, lossOf }, options)).fitted.losses!;
    const [sum, mean] = [await lossesOf("sum"), await lossesOf("mean")];
    expect(sum[0]).toBeCloseTo(mean[0], 5); // both are told as means: the first epoch is one step of the untrained network
    expect(sum.at(-1)).toBeLessThan(mean.at(-1)! - 0.5);
    const inSteps = (await fit("two-tower", tastes(), { ...large, stepsPerEpoch: 8, lossOf: "mean" }, options)).fitted.losses!;
    expect(inSteps[0]).toBeLessThan(mean[0]); // fewer candidates in a batch
  });

  it("says when a side has nothing to read, or features do not fit", async () => {
    const data = tastes();
    await expectError(fit("two-tower", data, { ...params, itemInputs: ["features"] }, options), "E_DATA", /no features of items/);
    await expectError(fit("two-tower", data, { ...params, userInputs: ["features"] }, options), "E_DATA", /no features of users/);
    await expectError(fit("two-tower", data, params, { ...options, itemFeatures: features(5) }), "E_DATA", /5 rows/);
    await expectError(fit("two-tower", data, { ...params, userInputs: [] }, options), "E_CONFIG", /userInputs/);
  });
});
