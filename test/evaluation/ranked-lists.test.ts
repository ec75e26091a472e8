/** Lists of another system: the same values as the model that made them, ties against them, and what is missing counts as 0. */
import { describe, expect, test } from "vitest";
import { split } from "../../src/data/splits.js";
import { type EvaluationCase, evaluate, evaluateCases } from "../../src/evaluation/evaluate.js";
import { evaluateLists, recommenderOfLists, userLists } from "../../src/evaluation/ranked-lists.js";
import { fit } from "../../src/models/registry.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";

const metrics = ["ndcg@5", "recall@5", "precision@5", "map@5", "mrr@5", "hit-rate@5", "coverage@5"];

describe("lists of a model", () => {
  test.each([
    ["als", true],
    ["als", false],
    ["popularity", true],
    ["repeat", false],
  ])("%s, excludeSeen %s: every metric is the model's own", async (name, excludeSeen) => {
    const { train, test: held } = split(fixture({ events: 500 }), { by: "time", testFraction: 0.3 });
    const model = await fit(name, train, name === "als" ? { factors: 4, iterations: 3 } : {}, { threads: 1 });
    const expected = await evaluate(model, train, held, { metrics, excludeSeen });
    const rows = { userIndex: [] as number[], itemIndex: [] as number[], score: [] as number[] };
    for (let user = 0; user < held.numUsers; user++) {
      const list = await model.recommend({ userIndex: user }, { topK: held.numItems, excludeSeen: false });
      list.itemIndex.forEach((item, place) => {
        rows.userIndex.push(user);
        rows.itemIndex.push(item);
        rows.score.push(list.score[place]);
      });
    }
    model.dispose();
    const lists = userLists({ ...rows, numUsers: held.numUsers, numItems: held.numItems });
    const judge = recommenderOfLists(lists, { train });
    expect(await evaluate(judge, train, held, { metrics, excludeSeen })).toEqual(expected);
  });
});

describe("lists by hand", () => {
  const size = { numUsers: 3, numItems: 6 };
  const cases: EvaluationCase[] = [
    { query: { userIndex: 0 }, relevant: [2] },
    { query: { userIndex: 1 }, relevant: [4] },
    { query: { userIndex: 2 }, relevant: [1] },
  ];

  test("rows in any order; a user without a list and a hit beyond k are 0, and the number of missing users is told", async () => {
    const lists = userLists({ ...size, userIndex: [0, 1, 0, 1, 0], itemIndex: [5, 3, 2, 4, 1], score: [-3, 9, -1, 8, -2] });
    expect(Array.from(lists.itemIndex)).toEqual([2, 1, 5, 3, 4]);
    expect(await evaluateLists(lists, cases, { metrics: ["mrr@2", "recall@1", "coverage@2"], excludeSeen: false })).toEqual({
      values: { "mrr@2": (1 + 1 / 2 + 0) / 3, "recall@1": 1 / 3, "coverage@2": 4 / 6 },
      numCases: 3,
      numWithoutList: 1,
    });
  });

  test("ranks go upwards, and give what scores downwards give", async () => {
    const rows = { ...size, userIndex: [0, 0, 0], itemIndex: [0, 1, 2] };
    const byRank = userLists({ ...rows, rank: [3, 1, 2] });
    expect(Array.from(byRank.itemIndex)).toEqual([1, 2, 0]);
    expect(byRank).toEqual(userLists({ ...rows, score: [0.1, 0.3, 0.2] }));
  });

  test("a tie counts against the list, also one that float32 alone would make or miss", async () => {
    const only = [cases[0]];
    const rows = { ...size, userIndex: [0, 0], itemIndex: [2, 3] };
    const at1 = async (score: number[]) =>
      (await evaluateLists(userLists({ ...rows, score }), only, { metrics: ["recall@1"] })).values["recall@1"];
    expect(await at1([1, 1])).toBe(0);
    expect(await at1([1 + 1e-12, 1])).toBe(1); // equal in float32
    expect(await at1([1, 1 + 1e-12])).toBe(0);
  });

  test("an item listed twice keeps its better place; unknown users and items take none", () => {
    const lists = userLists({ ...size, userIndex: [0, 0, 0, -1, 0], itemIndex: [1, 2, 1, 1, -1], score: [1, 2, 3, 4, 5] });
    expect(Array.from(lists.itemIndex)).toEqual([1, 2]);
    expect(lists.numDuplicates).toBe(1);
  });

  test("what was seen in training leaves the list before places are counted", async () => {
    const train = fixture({ numUsers: 3, numItems: 6, events: 30 });
    const user = train.userIndex.find((one) => one >= 0)!;
    const seen = train.itemIndex[train.userIndex.indexOf(user)];
    const other = [0, 1, 2, 3, 4, 5].find((item) => !train.itemIndex.some((one, e) => one === item && train.userIndex[e] === user))!;
    const lists = userLists({ ...size, userIndex: [user, user], itemIndex: [seen, other], score: [2, 1] });
    const judged = recommenderOfLists(lists, { train });
    const cases = [{ query: { userIndex: user }, relevant: [other] }];
    expect(await evaluateCases(judged, cases, { metrics: ["recall@1"], excludeSeen: true })).toEqual({ "recall@1": 1 });
    expect(await evaluateCases(judged, cases, { metrics: ["recall@1"], excludeSeen: false })).toEqual({ "recall@1": 0 });
  });

  test("scores and ranks at once, neither, and no number are errors", async () => {
    const rows = { ...size, userIndex: [0], itemIndex: [0] };
    await expectError(() => userLists(rows), "E_CONFIG", /either scores or ranks/);
    await expectError(() => userLists({ ...rows, score: [1], rank: [1] }), "E_CONFIG", /either scores or ranks/);
    await expectError(() => userLists({ ...rows, score: [Number.NaN] }), "E_CONFIG", /score of row 0 is no number/);
    await expectError(() => evaluateLists(userLists({ ...rows, score: [1] }), []), "E_DATA", /nothing to evaluate/);
  });
});
