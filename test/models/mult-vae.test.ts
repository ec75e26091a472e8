/** Mult-VAE on planted tastes, folding in, and what it keeps. */
import { describe, expect, it } from "vitest";
import type { ModelState } from "../../src/core/model.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { multVae } from "../../src/models/mult-vae.js";
import { createHeldOutJudge, holdOutItems } from "../../src/models/parts/held-out-items.js";
import { fit, restoreRecommender } from "../../src/models/registry.js";

const [GROUPS, GROUP] = [4, 12];

/** Every user likes seven of the twelve items of one group. */
function tastes(numUsers = 160): Interactions {
  const random = createRandom(5);
  const events = Array.from({ length: numUsers }, (_, user) => {
    const items = random.shuffle(Int32Array.from({ length: GROUP }, (_, k) => (user % GROUPS) * GROUP + k)).subarray(0, 7);
    return Array.from(items, (item) => [user, item]);
  }).flat();
  return Interactions.fromArrays({
    userIndex: events.map(([user]) => user),
    itemIndex: events.map(([, item]) => item),
    numUsers,
    numItems: GROUPS * GROUP,
  });
}

const params = { hidden: 24, latent: 8, epochs: 30, batchSize: 20, learningRate: 0.01, annealEpochs: 10 };

describe("mult-vae", () => {
  it("finds the rest of the group that a history belongs to", async () => {
    const model = await fit("mult-vae", tastes(), params, { seed: 1, threads: 1 });
    for (let group = 0; group < GROUPS; group++) {
      const history = [0, 5, 9].map((k) => ({ itemIndex: group * GROUP + k }));
      const { itemIndex } = await model.recommend({ history }, { topK: 9 });
      expect([...itemIndex].filter((item) => Math.floor(item / GROUP) !== group)).toEqual([]);
    }
    const { losses } = model.fitted;
    expect(losses!.at(-1)).toBeLessThan(0.9 * losses![0]);
  });

  it("scores a known user as the history of the same items, and leaves out what weighs nothing", async () => {
    const data = tastes(60);
    const model = await fit("mult-vae", data, { ...params, epochs: 3 }, { seed: 1, threads: 1 });
    const { offsets, indices } = data.matrixByUser();
    const history = Array.from(indices.subarray(offsets[7], offsets[8]), (itemIndex) => ({ itemIndex }));
    const options = { topK: 48, excludeSeen: false };
    const known = await model.recommend({ userIndex: 7 }, options);
    expect(await model.recommend({ history }, options)).toEqual(known);
    expect(await model.recommend({ history: [...history, { itemIndex: 0, weight: 0 }] }, options)).toEqual(known);
  });

  it("goes on from a checkpoint to the same bytes, with validation and more users than a batch", async () => {
    const data = tastes(50);
    const own = multVae.params.parse({ ...params, epochs: 6, validationShare: 0.3 });
    const states = new Map<number, ModelState>();
    const save = async (step: number, state: () => ModelState) => void states.set(step, structuredClone(state()));
    const whole = await multVae.fit(data, own, { seed: 1, threads: 2, checkpoint: { save } });
    const checkpoint = { save: async () => {}, resumeFrom: { step: 3, state: states.get(3)! } };
    const resumed = await multVae.fit(data, own, { seed: 1, threads: 1, checkpoint });
    expect(resumed.state()).toEqual(whole.state());
  });

  it("can be saved again right after it was restored", async () => {
    const model = await fit("mult-vae", tastes(30), { ...params, epochs: 2 }, { seed: 1, threads: 1 });
    const again = restoreRecommender({ ...model, params: { ...model.params }, state: structuredClone(model.fitted.state()) });
    expect(again.fitted.state()).toEqual(model.fitted.state());
  });

  it("takes a batch larger than the data, and users without items", async () => {
    const data = Interactions.fromArrays({ userIndex: [0, 0, 2], itemIndex: [1, 2, 2], numUsers: 5, numItems: 4 });
    const model = await fit("mult-vae", data, { ...params, batchSize: 1000, epochs: 2 }, { seed: 1, threads: 1 });
    const { score, source } = await model.recommend({ userIndex: 2 }, { topK: 3 });
    expect(source).toBe("mult-vae");
    expect(score.every(Number.isFinite)).toBe(true);
  });
});

describe("held-out items", () => {
  it("leaves a fifth of the items of a share of users, and judges vectors by NDCG@10", async () => {
    const pairs = tastes(40).matrixByUser();
    const held = holdOutItems(pairs, { share: 0.5, seed: 3 });
    expect(held.users.length).toBe(20);
    expect(held.items.every((items) => items.length === 1)).toBe(true);
    expect(held.train.indices.length).toBe(pairs.indices.length - 20);
    held.users.forEach((user, k) => {
      const { offsets, indices } = held.train;
      expect(indices.subarray(offsets[user], offsets[user + 1]).includes(held.items[k][0])).toBe(false);
    });
    const numItems = GROUPS * GROUP;
    const items = new Float32Array(numItems * numItems);
    for (let item = 0; item < numItems; item++) items[item * numItems + item] = 1;
    const judgeOf = (place: number) =>
      createHeldOutJudge(
        held,
        {
          dimensions: numItems,
          items,
          // the held-out item gets 1, and place − 1 others of the same group 2
          encode: async (users, out) => {
            for (const [k, user] of users.entries()) {
              const target = held.items[k][0];
              const { offsets, indices } = held.train;
              const known = new Set([target, ...indices.subarray(offsets[user], offsets[user + 1])]);
              out[k * numItems + target] = 1;
              const others = Array.from({ length: numItems }, (_, item) => item).filter((item) => !known.has(item));
              for (const item of others.slice(0, place - 1)) out[k * numItems + item] = 2;
            }
          },
        },
        { threads: 1 },
      );
    expect(await (await judgeOf(1)).ndcg()).toBeCloseTo(1, 6);
    expect(await (await judgeOf(3)).ndcg()).toBeCloseTo(0.5, 6);
    expect(await (await judgeOf(11)).ndcg()).toBe(0);
  });
});
