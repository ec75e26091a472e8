/** Item-to-item scoring against sums by hand, sparse and dense alike, for known users and given histories. */
import { describe, expect, it } from "vitest";
import type { Query } from "../../src/core/model.js";
import { Interactions } from "../../src/data/interactions.js";
import { createItemWeightScorer, type ItemWeights } from "../../src/models/parts/item-weights.js";
import { recencyOf } from "../../src/models/parts/user-history.js";

// user 0 in order of time: item 2, item 0 (weight 3), item 2 again (weight 2); user 1: item 1; user 2: nothing
const train = Interactions.fromArrays({
  userIndex: [0, 0, 0, 1],
  itemIndex: [2, 2, 0, 1],
  weight: [2, 1, 3, 5],
  timestamp: [30, 10, 20, 0],
  numUsers: 3,
  numItems: 4,
});
const history = [{ itemIndex: 2 }, { itemIndex: 0, weight: 3 }, { itemIndex: 2, weight: 2 }];
const dense = Float32Array.of(9, 1, 0, 0.5, /**/ 1, 0, 2, 0, /**/ 4, -1, 8, 0, /**/ 0, 0, 0, 0);
// the same without its zeros, columns in no order
const sparse = {
  offsets: Int32Array.of(0, 3, 5, 8, 8),
  indices: Int32Array.of(3, 0, 1, 0, 2, 2, 0, 1),
  values: Float32Array.of(0.5, 9, 1, 1, 2, 8, 4, -1),
};

describe.each([
  ["sparse", sparse],
  ["dense", dense],
] as const)("%s", (_, weights) => {
  const scorer = (options: Partial<ItemWeights> = {}) =>
    createItemWeightScorer({ numItems: 4, weights, seen: train.matrixByUser(), ...options });
  const scores = async (query: Query, options?: Partial<ItemWeights>) => {
    const out = new Float32Array(4);
    await scorer(options).scoreAll([query], out);
    return [...out];
  };

  it("sums value × weight over the history, the same for a user and an equal history", async () => {
    const expected = [3 * 9 + 3 * 4, 3 * 1 - 3, 3 * 8, 3 * 0.5]; // summed weights: item 0 three, item 2 three
    expect(await scores({ userIndex: 0 })).toEqual(expected);
    expect(await scores({ history })).toEqual(expected);
    expect(await scores({ userIndex: 0, history: [{ itemIndex: 1, weight: 2 }] })).toEqual([2, 0, 4, 0]);
    expect(await scores({ userIndex: 0 }, { valueFrom: () => 1 })).toEqual([13, 0, 8, 0.5]);
    expect(await scores({ userIndex: 2 })).toEqual([0, 0, 0, 0]);
    expect(await scores({})).toEqual([0, 0, 0, 0]);
  });

  it("lets older places count less; a repeated item stands where it was last", async () => {
    const decay = { perPlace: 0.5, recency: recencyOf(train) };
    expect([...decay.recency]).toEqual([1, 0, 0]);
    const expected = [1.5 * 9 + 3 * 4, 1.5 - 3, 24, 0.75];
    expect(await scores({ userIndex: 0 }, { decay })).toEqual(expected);
    expect(await scores({ history }, { decay })).toEqual(expected);
  });

  it("scores candidates as it scores all, in batches too", async () => {
    const queries = [{ userIndex: 0 }, { history }, { userIndex: 1 }];
    const all = new Float32Array(12);
    await scorer().scoreAll(queries, all);
    const some = new Float32Array(6);
    await scorer().scoreCandidates(queries, Int32Array.of(3, 0), some);
    expect([...some]).toEqual([all[3], all[0], all[7], all[4], all[11], all[8]]);
  });

  it("explains a score by the items of the history, and finds similar items", async () => {
    const { score, base, itemIndex, contribution } = await scorer().explain({ userIndex: 0 }, 0);
    expect([score, base, [...itemIndex], [...contribution]]).toEqual([39, 0, [0, 2], [27, 12]]);
    const { index, score: similarity } = await scorer().similarItems(0, 5);
    expect([[...index], [...similarity]]).toEqual([
      [1, 3],
      [1, 0.5],
    ]);
    expect([...(await scorer().similarItems(2, 1)).index]).toEqual([0]);
  });
});
