/** SASRec on data whose next item is certain, and going on from a checkpoint. */
import { describe, expect, it } from "vitest";
import type { ModelState } from "../../src/core/model.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { recommenderOf } from "../../src/models/registry.js";
import { sasrec } from "../../src/models/sasrec.js";
import { expectError } from "../support/errors.js";

/** Every user walks through a ring of items from a random start. */
function walks({ numUsers = 120, numItems = 30, length = 8 } = {}): Interactions {
  const random = createRandom(3);
  const userIndex: number[] = [];
  const itemIndex: number[] = [];
  for (let user = 0; user < numUsers; user++) {
    const start = random.integer(numItems);
    for (let k = 0; k < length; k++) {
      userIndex.push(user);
      itemIndex.push((start + k) % numItems);
    }
  }
  return Interactions.fromArrays({ userIndex, itemIndex, timestamp: itemIndex.map((_, e) => e), numUsers, numItems });
}

const params = { dimensions: 16, blocks: 1, epochs: 40, learningRate: 0.01, dropout: 0.1, validationShare: 0 };

describe("sasrec", () => {
  for (const loss of ["full", "sampled", "gbce"] as const) {
    it(`learns what follows what (${loss})`, async () => {
      const data = walks();
      const fitted = await sasrec.fit(data, sasrec.params.parse({ ...params, loss, negatives: 20, epochs: loss === "gbce" ? 80 : 40 }), {
        seed: 1,
        threads: 1,
      });
      const model = recommenderOf(fitted, data, { threads: 1 });
      let right = 0;
      for (let item = 0; item < 30; item++) {
        const history = [-2, -1, 0].map((k) => ({ itemIndex: (item + k + 30) % 30 }));
        if ((await model.recommend({ history }, { topK: 1 })).itemIndex[0] === (item + 1) % 30) right++;
      }
      expect(right).toBeGreaterThan(26);
      const { losses } = fitted;
      expect(losses!.at(-1)).toBeLessThan(0.5 * losses![0]);
    });
  }

  it("says so when nothing follows anything", async () => {
    const data = Interactions.fromArrays({ userIndex: [0, 1, 2], itemIndex: [0, 1, 2], timestamp: [1, 2, 3], numUsers: 3, numItems: 3 });
    await expectError(sasrec.fit(data, sasrec.params.parse({}), { seed: 1, threads: 1 }), "E_DATA", /no user has two events/);
  });

  // by the sampled loss: the full one also learns that what never came does not come
  it("knows items that never came by their features", async () => {
    const [kinds, ofKind] = [8, 4]; // item = kind · 4 + variant; kinds follow each other in a ring, variant 3 never comes
    const ring = walks({ numItems: kinds });
    const itemIndex = ring.itemIndex.map((kind, e) => kind * ofKind + (e % 3));
    const data = Interactions.fromArrays({ ...ring, itemIndex, numItems: kinds * ofKind, items: undefined });
    const values = Array.from({ length: data.numItems }, (_, item) => `kind ${Math.floor(item / ofKind)}`);
    const itemFeatures = { numRows: data.numItems, columns: { kind: { kind: "category" as const, values } } };
    const known = async (features: boolean) => {
      const fitted = await sasrec.fit(data, sasrec.params.parse({ ...params, features, loss: "sampled", negatives: 20 }), {
        seed: 1,
        threads: 1,
        itemFeatures,
      });
      const model = recommenderOf(fitted, data, { threads: 1 });
      let found = 0;
      for (let kind = 0; kind < kinds; kind++) {
        const { itemIndex: best } = await model.recommend({ history: [{ itemIndex: kind * ofKind }] }, { topK: 2 * ofKind });
        if (best.includes(((kind + 1) % kinds) * ofKind + 3)) found++;
      }
      return found;
    };
    expect(await known(true)).toBeGreaterThan(kinds - 2);
    expect(await known(false)).toBeLessThan(kinds - 2);
  });

  it("goes on from a checkpoint to the same bytes", async () => {
    const data = walks({ numUsers: 40 });
    const own = sasrec.params.parse({ ...params, epochs: 4, validationShare: 0.2 });
    const states = new Map<number, ModelState>();
    const save = async (step: number, state: () => ModelState) => void states.set(step, structuredClone(state()));
    const whole = await sasrec.fit(data, own, { seed: 1, threads: 2, checkpoint: { save } });
    const state = states.get(2)!;
    const resumed = await sasrec.fit(data, own, {
      seed: 1,
      threads: 1,
      checkpoint: { save: async () => {}, resumeFrom: { step: 2, state } },
    });
    expect(resumed.state()).toEqual(whole.state());
  });

  it("gives the same scores after saving and restoring", async () => {
    const data = walks({ numUsers: 40 });
    const own = sasrec.params.parse({ ...params, epochs: 2 });
    const fitted = await sasrec.fit(data, own, { seed: 1, threads: 1 });
    const { numUsers, numItems } = data;
    const seen = data.matrixByUser();
    const restoreModel = () => fitted;
    const again = sasrec.restore({ params: own, numUsers, numItems, state: structuredClone(fitted.state()), seen, restoreModel });
    const [a, b] = [new Float32Array(3 * 16), new Float32Array(3 * 16)];
    const queries = [{ userIndex: 3 }, { history: [{ itemIndex: 4 }] }, {}];
    await fitted.vectors!.encode(queries, a);
    await again.vectors!.encode(queries, b);
    expect(b).toEqual(a);
    expect(b.subarray(32).every((value) => value === 0)).toBe(true); // nothing is known of the third
  });
});
