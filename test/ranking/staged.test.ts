/** Two models in a row: the second turns the first one's order round, filters come before the cut, the rest follows behind. */
import { describe, expect, it } from "vitest";
import type { Stages } from "../../src/core/model.js";
import { expectError } from "../support/errors.js";
import { givenScores } from "../support/given-scores.js";

const NUM_ITEMS = 12;
/** Scores 12, 11 … 1 for user 0; five equal scores for user 1. */
const scores = [
  Array.from({ length: NUM_ITEMS }, (_, item) => NUM_ITEMS - item),
  Array.from({ length: NUM_ITEMS }, (_, item) => (item < 5 ? 3 : 2)),
];

function staged({ count = 4, rescore, history }: { count?: number; rescore?: Stages["rescore"]; history?: number[][] } = {}) {
  const retriever = givenScores({ scores }).fitted;
  const reversed: Stages["rescore"] = async (_query, items) => Float32Array.from(items, (item) => item);
  return givenScores({
    scores,
    history: history?.map((items) => items.map((item) => [item])),
    routes: { stages: { retriever, count, rescore: rescore ?? reversed } },
  });
}

describe("two stages", () => {
  it("orders the first model's candidates by the second, and the others behind them as the first would", async () => {
    const { itemIndex, score } = await staged().recommend({ userIndex: 0 }, { topK: NUM_ITEMS });
    expect([...itemIndex]).toEqual([3, 2, 1, 0, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect([...score.subarray(0, 4)]).toEqual([3, 2, 1, 0]);
    for (let place = 1; place < NUM_ITEMS; place++) expect(score[place]).toBeLessThan(score[place - 1]);
    expect([...(await staged().recommend({ userIndex: 0 }, { topK: 2 })).itemIndex]).toEqual([3, 2]);
  });

  it("cuts after what is seen, excluded or not included", async () => {
    const model = staged({ history: [[0, 1, 2], []] });
    expect([...(await model.recommend({ userIndex: 0 }, { topK: 5 })).itemIndex]).toEqual([6, 5, 4, 3, 7]);
    expect([...(await model.recommend({ userIndex: 0 }, { topK: 5, exclude: [5] })).itemIndex]).toEqual([7, 6, 4, 3, 8]);
    expect([...(await model.recommend({ userIndex: 0 }, { topK: 3, include: [11, 9, 2] })).itemIndex]).toEqual([11, 9]);
    expect((await model.recommend({ userIndex: 0 }, { topK: 3, include: [] })).itemIndex.length).toBe(0);
  });

  it("hands the second model the best first, with the first one's scores", async () => {
    const asked: [number[], number[]][] = [];
    const rescore: Stages["rescore"] = async (_query, items, retrieved) => {
      asked.push([[...items], [...retrieved]]);
      return retrieved.map(() => 0);
    };
    const { itemIndex, score } = await staged({ rescore }).recommend({ userIndex: 0 }, { topK: 6 });
    expect(asked).toEqual([
      [
        [0, 1, 2, 3],
        [12, 11, 10, 9],
      ],
    ]);
    expect([...itemIndex]).toEqual([0, 1, 2, 3, 4, 5]); // equal scores by index
    expect(score[4]).toBeLessThan(0);
  });

  it("keeps equal scores in the order of their indexes, beyond the cut, too", async () => {
    const { itemIndex, score } = await staged({ count: 2 }).recommend({ userIndex: 1 }, { topK: NUM_ITEMS });
    expect([...itemIndex]).toEqual([1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(score[2]).toBe(score[4]);
    const huge = staged({ count: 2, rescore: async (_query, items) => Float32Array.from(items, () => -1e30) });
    const far = await huge.recommend({ userIndex: 0 }, { topK: NUM_ITEMS });
    expect(far.score.every(Number.isFinite)).toBe(true);
    expect([...far.itemIndex]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it("answers batches as single questions, and says which model gave no number", async () => {
    const model = staged();
    const batch = await model.recommendBatch([{ userIndex: 0 }, { userIndex: 1 }], { topK: 5 });
    for (const user of [0, 1])
      expect([...batch.itemIndex.subarray(user * 5, user * 5 + 5)]).toEqual([
        ...(await model.recommend({ userIndex: user }, { topK: 5 })).itemIndex,
      ]);
    const broken = staged({ rescore: async (_query, items) => Float32Array.from(items, () => Number.NaN) });
    await expectError(broken.recommend({ userIndex: 0 }), "E_TRAINING", /not a number/);
    const aborted = model.recommendBatch([{ userIndex: 0 }], { signal: AbortSignal.abort() });
    await expectError(aborted, "E_CANCELLED");
  });
});
