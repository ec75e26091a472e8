/** lstm and gru on data whose next item is certain: what follows what, whose habit it is, and going on from a checkpoint. */
import { describe, expect, it } from "vitest";
import type { ModelState } from "../../src/core/model.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { gru } from "../../src/models/gru.js";
import { lstm } from "../../src/models/lstm.js";
import { recommenderOf } from "../../src/models/registry.js";
import { expectError } from "../support/errors.js";

/** Every user walks through a ring of items from random starts, `step` places at a time, in baskets. */
function walks({ numUsers = 120, numItems = 30, length = 8, baskets = 1, stepOf = (_user: number): number => 1, knownUsers = true } = {}) {
  const random = createRandom(3);
  const columns = { userIndex: [] as number[], itemIndex: [] as number[], basket: [] as number[] };
  for (let user = 0; user < numUsers; user++) {
    for (let b = 0; b < baskets; b++) {
      const start = random.integer(numItems);
      for (let k = 0; k < length; k++) {
        columns.userIndex.push(knownUsers ? user : -1);
        columns.itemIndex.push((start + k * stepOf(user)) % numItems);
        columns.basket.push(user * baskets + b);
      }
    }
  }
  return Interactions.fromArrays({ ...columns, timestamp: columns.itemIndex.map((_, e) => e), numUsers, numItems });
}

const params = { dimensions: 16, units: 16, epochs: 40, learningRate: 0.01, dropout: 0.1, validationShare: 0 };
const context = { seed: 1, threads: 1 };

for (const definition of [lstm, gru]) {
  describe(definition.name, () => {
    for (const loss of ["full", "sampled", "bpr-max"] as const) {
      it(`learns what follows what (${loss})`, async () => {
        const data = walks();
        const fitted = await definition.fit(data, definition.params.parse({ ...params, loss, negatives: 20 }), context);
        const model = recommenderOf(fitted, data, { threads: 1 });
        let right = 0;
        for (let item = 0; item < 30; item++) {
          const basket = [-2, -1, 0].map((k) => (item + k + 30) % 30);
          if ((await model.recommend({ basket }, { topK: 1 })).itemIndex[0] === (item + 1) % 30) right++;
        }
        expect(right).toBeGreaterThan(26);
        expect(fitted.losses!.at(-1)).toBeLessThan(0.8 * fitted.losses![0]);
      });
    }

    it("tells users of different habits apart by their vectors", async () => {
      const data = walks({ numUsers: 20, baskets: 8, stepOf: (user) => (user % 2 === 0 ? 1 : 2) });
      const own = definition.params.parse({ ...params, sequence: "basket", userDimensions: 8 });
      const model = recommenderOf(await definition.fit(data, own, context), data, { threads: 1 });
      const nextFor = async (userIndex: number) =>
        (await model.recommend({ userIndex, basket: [10] }, { topK: 1, excludeSeen: false })).itemIndex[0];
      expect([await nextFor(2), await nextFor(3)]).toEqual([11, 12]);
    });

    it("clips gradients: with next to no norm left nothing is learned", async () => {
      const data = walks({ numUsers: 40 });
      const lossesWith = async (clipNorm: number) =>
        (await definition.fit(data, definition.params.parse({ ...params, epochs: 6, dropout: 0, clipNorm }), context)).losses!;
      const [held, free] = [await lossesWith(1e-12), await lossesWith(5)];
      expect(held.at(-1)).toBeGreaterThan(0.99 * held[0]);
      expect(free.at(-1)).toBeLessThan(0.9 * free[0]);
    });

    it("goes on from a checkpoint to the same bytes", async () => {
      const data = walks({ numUsers: 40 });
      const own = definition.params.parse({ ...params, epochs: 4, validationShare: 0.2, userDimensions: 3 });
      const states = new Map<number, ModelState>();
      const save = async (step: number, state: () => ModelState) => void states.set(step, structuredClone(state()));
      const whole = await definition.fit(data, own, { seed: 1, threads: 2, checkpoint: { save } });
      const resumeFrom = { step: 2, state: states.get(2)! };
      const resumed = await definition.fit(data, own, { ...context, checkpoint: { save: async () => {}, resumeFrom } });
      expect(resumed.state()).toEqual(whole.state());
    });
  });
}

describe("questions to a recurrent model", () => {
  const encodedBy = async (extra: Record<string, unknown>) => {
    const data = walks({ numUsers: 30, baskets: 2 });
    const fitted = await gru.fit(data, gru.params.parse({ ...params, epochs: 2, ...extra }), context);
    return async (queries: Parameters<NonNullable<typeof fitted.vectors>["encode"]>[0]) => {
      const { dimensions, encode } = fitted.vectors!;
      const out = new Float32Array(queries.length * dimensions);
      await encode(queries, out);
      return queries.map((_, q) => out.subarray(q * dimensions, (q + 1) * dimensions));
    };
  };

  it("gives every question of a long basket the state that it has by itself", async () => {
    const encode = await encodedBy({ maxLength: 5 });
    const basket = Array.from({ length: 40 }, (_, k) => (7 * k) % 30);
    const queries = basket.map((_, line) => ({ userIndex: line % 2, basket: basket.slice(0, line) }));
    const together = await encode(queries);
    for (const line of [0, 1, 17, 39]) {
      const [alone] = await encode([queries[line]]);
      alone.forEach((value, d) => {
        expect(together[line][d]).toBeCloseTo(value, 5);
      });
    }
  });

  it("basket: reads the basket alone, or the last one of the past where none is given", async () => {
    const encode = await encodedBy({ sequence: "basket" });
    const history = [3, 9, 4].map((itemIndex, k) => ({ itemIndex, basket: k < 1 ? 0 : 1 }));
    const [given, known, past, begun, nobody] = await encode([
      { basket: [9, 4] },
      { userIndex: 3, basket: [9, 4] },
      { history },
      { history, basket: [] },
      {},
    ]);
    expect(known).toEqual(given);
    expect(past).toEqual(given);
    expect(begun).toEqual(nobody);
    expect(past).not.toEqual(nobody);
  });

  it("user: the past shapes the answer, and a new user's vector is zero", async () => {
    const encode = await encodedBy({ userDimensions: 4 });
    const [a, b, c] = await encode([
      { userIndex: 3, basket: [9] },
      { userIndex: 4, basket: [9] },
      { userIndex: -1, basket: [9] },
    ]);
    expect(a).not.toEqual(b);
    expect(a).not.toEqual(c);
  });

  it("refuses baskets as sequences where the data has none", async () => {
    const data = Interactions.fromArrays({ userIndex: [0, 0], itemIndex: [0, 1], timestamp: [1, 2], numUsers: 1, numItems: 2 });
    await expectError(gru.fit(data, gru.params.parse({ sequence: "basket" }), context), "E_DATA", /baskets/);
  });

  it("learns from baskets of unknown users", async () => {
    const data = walks({ numUsers: 60, knownUsers: false });
    const fitted = await gru.fit(data, gru.params.parse(params), context);
    const model = recommenderOf(fitted, data, { threads: 1 });
    expect((await model.recommend({ basket: [4, 5, 6] }, { topK: 1 })).itemIndex[0]).toBe(7);
  });
});
