/** dcn and deepfm: crosses of features that no sum of features can say, features of unseen users, resuming, the strengths of pairs. */
import { describe, expect, it } from "vitest";
import type { Features } from "../../src/core/features.js";
import type { FitContext, FittedModel, ModelDefinition, ModelState } from "../../src/core/model.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { dcn } from "../../src/models/dcn.js";
import { deepfm } from "../../src/models/deepfm.js";
import { heatMap } from "../../src/service/report/heat-map.js";
import { expectError } from "../support/errors.js";

const NUM_USERS = 60;
const NUM_ITEMS = 40;

/** A rating is 5 where exactly one of the user's and the item's features is "a" (or above 0), else 1. */
function crossed({ numeric = false } = {}) {
  const random = createRandom(5);
  const sides = (size: number) => Array.from({ length: size }, (_, row) => row % 2);
  const [users, items] = [sides(NUM_USERS), sides(NUM_ITEMS)];
  const features = (values: number[]): Features => ({
    numRows: values.length,
    columns: {
      kind: numeric
        ? { kind: "number", values: Float32Array.from(values, (value) => 2 * value - 1) }
        : { kind: "category", values: values.map((value) => (value ? "a" : "b")) },
    },
  });
  const [userIndex, itemIndex, weight]: number[][] = [[], [], []];
  for (let user = 0; user < NUM_USERS - 10; user++)
    for (let k = 0; k < 12; k++) {
      const item = random.integer(NUM_ITEMS - 6);
      userIndex.push(user);
      itemIndex.push(item);
      weight.push(users[user] === items[item] ? 1 : 5);
    }
  const data = Interactions.fromArrays({ userIndex, itemIndex, weight, numUsers: NUM_USERS, numItems: NUM_ITEMS });
  return { data, users, items, userFeatures: features(users), itemFeatures: features(items) };
}

const base = {
  target: "rating",
  dimensions: 4,
  epochs: 30,
  learningRate: 0.02,
  dropout: 0,
  regularization: 0.001,
  validationShare: 0,
  deepWidth: 16,
};

type Case = [definition: ModelDefinition, params: Record<string, unknown>];
const fitted = (
  [definition, params]: Case,
  { data, userFeatures, itemFeatures }: ReturnType<typeof crossed>,
  more: Partial<FitContext> = {},
) => definition.fit(data, definition.params.parse({ ...base, ...params }), { seed: 1, threads: 1, userFeatures, itemFeatures, ...more });

/** Error on users and items without events, who are known by their features alone. */
async function errorOnUnseen(model: FittedModel, { users, items }: ReturnType<typeof crossed>): Promise<number> {
  const unseen = Int32Array.from({ length: 6 }, (_, k) => NUM_ITEMS - 6 + k);
  let squares = 0;
  const out = new Float32Array(6);
  for (let user = NUM_USERS - 10; user < NUM_USERS; user++) {
    await model.scoreCandidates!([{ userIndex: user }], unseen, out);
    out.forEach((value, k) => {
      squares += (value - (users[user] === items[unseen[k]] ? 1 : 5)) ** 2;
    });
  }
  return Math.sqrt(squares / 60);
}

const dcnAs = (params: Record<string, unknown>): Case => [dcn as unknown as ModelDefinition, params];
const deepfmAs = (params: Record<string, unknown>): Case => [deepfm as unknown as ModelDefinition, params];

describe("dcn and deepfm", () => {
  const crossing: Record<string, Case> = {
    "full cross layers alone": dcnAs({ crossLayers: 1, deepLayers: 0 }),
    "low-rank cross layers alone": dcnAs({ crossLayers: 1, deepLayers: 0, cross: "low-rank", rank: 4 }),
    "a mixture of experts": dcnAs({ crossLayers: 2, deepLayers: 0, cross: "mixture", rank: 4, experts: 2 }),
    "cross layers below a deep part": dcnAs({ crossLayers: 2, deepLayers: 1, structure: "stacked" }),
    "cross layers beside a deep part": dcnAs({ crossLayers: 2, deepLayers: 1, structure: "parallel" }),
    "a factorization machine alone": deepfmAs({ deepLayers: 0 }),
    deepfm: deepfmAs({}),
  };
  for (const [title, one] of Object.entries(crossing)) {
    for (const numeric of [false, true]) {
      it(`learns a cross of two ${numeric ? "numbers" : "categories"}: ${title}`, async () => {
        const task = crossed({ numeric });
        expect(await errorOnUnseen(await fitted(one, task), task)).toBeLessThan(1.4);
      });
    }
  }

  it("needs the crosses: a sum of features says nothing", async () => {
    const task = crossed();
    expect(await errorOnUnseen(await fitted(dcnAs({ crossLayers: 0, deepLayers: 0 }), task), task)).toBeGreaterThan(1.7);
  });

  it("ranks what a user clicks above what nobody of the kind does", async () => {
    const task = crossed();
    const kept = [...task.data.weight.keys()].filter((event) => task.data.weight[event] === 5);
    const at = (column: Int32Array) => kept.map((event) => column[event]);
    const { userIndex, itemIndex } = task.data;
    const clicks = Interactions.fromArrays({
      userIndex: at(userIndex),
      itemIndex: at(itemIndex),
      numUsers: NUM_USERS,
      numItems: NUM_ITEMS,
    });
    for (const one of [dcnAs({ target: "click", validationShare: 0.1 }), deepfmAs({ target: "click" })]) {
      const model = await fitted(one, { ...task, data: clicks });
      const scores = new Float32Array(NUM_ITEMS);
      await model.scoreAll!([{ userIndex: NUM_USERS - 1 }], scores);
      const mean = (side: number) => scores.filter((_, item) => task.items[item] === side).reduce((a, b) => a + b, 0) / (NUM_ITEMS / 2);
      expect(mean(1 - task.users[NUM_USERS - 1])).toBeGreaterThan(mean(task.users[NUM_USERS - 1]) + 1);
    }
  });

  it("bears features that are unknown, constant or misaligned", async () => {
    const task = crossed({ numeric: true });
    const values = (task.userFeatures.columns.kind.values as Float32Array).map((value, row) => (row % 7 === 0 ? Number.NaN : value));
    const poor: Features = {
      numRows: NUM_USERS,
      columns: {
        kind: { kind: "number", values },
        none: { kind: "number", values: values.map(() => Number.NaN) },
        same: { kind: "number", values: values.map(() => 3) },
        nobody: { kind: "category", values: Array.from(values, () => null) },
        text: { kind: "text", values: Array.from(values, (_, row) => (row % 3 === 0 ? null : `word${row % 5} Größe`)) },
        place: {
          kind: "vector",
          dimensions: 2,
          values: new Float32Array(2 * NUM_USERS).map((_, k) => (k === 5 ? Number.NaN : Math.sin(k))),
        },
      },
    };
    for (const one of [dcnAs({}), dcnAs({ numbers: "buckets" }), deepfmAs({})]) {
      const model = await fitted(one, { ...task, userFeatures: poor });
      const scores = new Float32Array(2 * NUM_ITEMS);
      await model.scoreAll!([{ userIndex: 0 }, { userIndex: -1 }], scores);
      expect(scores.every(Number.isFinite)).toBe(true);
      await expectError(fitted(one, { ...task, userFeatures: task.itemFeatures }), "E_DATA", /40 rows.*60 users/);
    }
  });

  it("knows users without events by their features, and nobody else", async () => {
    const task = crossed();
    const values = task.users.map((value, row) => (row === NUM_USERS - 1 ? null : String(value)));
    const userFeatures: Features = { numRows: NUM_USERS, columns: { kind: { kind: "category", values } } };
    const model = await fitted(dcnAs({ epochs: 1 }), { ...task, userFeatures });
    expect([0, NUM_USERS - 2, NUM_USERS - 1].map((user) => model.knowsUser!(user))).toEqual([true, true, false]);
    expect((await fitted(dcnAs({ epochs: 1 }), { ...task, userFeatures: undefined as never })).knowsUser!(NUM_USERS - 2)).toBe(false);
  });

  it("goes on from a checkpoint to the same bytes, features and all, and restores what it saved", async () => {
    const task = crossed();
    for (const one of [dcnAs({ epochs: 4, validationShare: 0.2, dropout: 0.2 }), deepfmAs({ epochs: 4, unknownShare: 0.1 })]) {
      const states = new Map<number, ModelState>();
      const save = async (step: number, state: () => ModelState) => void states.set(step, structuredClone(state()));
      const whole = await fitted(one, task, { checkpoint: { save }, threads: 2 });
      const resumeFrom = { step: 2, state: states.get(2)! };
      const resumed = await fitted(one, task, { checkpoint: { save: async () => {}, resumeFrom } });
      expect(resumed.state()).toEqual(whole.state());
      const { numUsers, numItems, params } = whole;
      const state = structuredClone(whole.state());
      const seen = task.data.matrixByUser();
      const again = one[0].restore({ params, numUsers, numItems, state, seen, restoreModel: () => whole });
      expect(again.state()).toEqual(whole.state());
      const [a, b] = [new Float32Array(NUM_ITEMS), new Float32Array(NUM_ITEMS)];
      await whole.scoreAll!([{ userIndex: 3 }], a);
      await again.scoreAll!([{ userIndex: 3 }], b);
      expect(b).toEqual(a);
      delete state.arrays["score.weight"];
      await expectError(
        () => one[0].restore({ params, numUsers, numItems, state, seen, restoreModel: () => whole }),
        "E_MODEL_FORMAT",
        /score.weight/,
      );
    }
  });

  it("says which features cross most strongly, and draws it", async () => {
    const task = crossed();
    for (const cross of ["full", "low-rank", "mixture"]) {
      const model = await fitted(dcnAs({ cross, crossLayers: 1, deepLayers: 0, rank: 4, regularization: 0.01 }), task);
      const { names, strengths } = model.featureStrengths!();
      expect(names).toEqual(["user", "kind", "item", "kind"]);
      expect(strengths.every((value) => value >= 0)).toBe(true);
      const between = (a: number, b: number) => Math.hypot(strengths[a * 4 + b], strengths[b * 4 + a]);
      expect(between(1, 3)).toBeGreaterThan(between(0, 2)); // the kinds of user and item, more than their ids
    }
    expect((await fitted(dcnAs({ crossLayers: 0, epochs: 1 }), task)).featureStrengths).toBeUndefined();
    const picture = heatMap({ names: ["<a>", "b"], strengths: Float32Array.of(0, 1, 2, 0.5) }, "Pairs");
    expect(picture).toMatch(/^<svg [\s\S]*<\/svg>\s*$/);
    expect(picture).toContain("&lt;a&gt; × b: 1.000");
    expect(picture.match(/<rect /g)).toHaveLength(5);
  });

  it("averages a factorization machine as by hand", async () => {
    const task = crossed();
    const model = await fitted(deepfmAs({ deepLayers: 0, epochs: 2, dimensions: 2 }), {
      ...task,
      userFeatures: undefined as never,
      itemFeatures: undefined as never,
    });
    const { arrays, extra } = model.state();
    const row = (side: string, index: number) =>
      arrays[`${side}_embeddings`].data.subarray((index + 1) * 3, (index + 2) * 3) as Float32Array;
    const out = new Float32Array(1);
    await model.scoreCandidates!([{ userIndex: 4 }], Int32Array.of(7), out);
    const [user, item] = [row("user", 4), row("item", 7)];
    const score = arrays.bias.data[0] + user[0] + item[0] + user[1] * item[1] + user[2] * item[2];
    expect(out[0]).toBeCloseTo((extra!.mean as number) + (extra!.deviation as number) * score, 4);
  });
});
