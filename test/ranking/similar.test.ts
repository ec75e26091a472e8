/** Similar items and users by vectors and by a model's own measure, and explanations of warm and cold askers. */
import { describe, expect, it } from "vitest";
import { expectError } from "../support/errors.js";
import { givenScores } from "../support/given-scores.js";

const scores = [
  [1, 2, 3, 4],
  [4, 3, 2, 1],
  [0, 0, 1, 1],
];
// item 3 has no vector: training never saw it
const itemVectors = [
  [1, 0],
  [3, 4],
  [0, 2],
  [0, 0],
];

describe("similar items and users", () => {
  it("go by the cosine of vectors, whatever their length", async () => {
    const model = givenScores({ scores, itemVectors, userVectors: [[2], [-1], [5]] });
    const { itemIndex, score, source } = await model.similarItems(0);
    expect([...itemIndex]).toEqual([1, 2, 3]);
    expect([...score]).toEqual([expect.closeTo(0.6, 6), 0, 0]);
    expect(source).toBe("given");
    expect([...(await model.similarItems(1, { topK: 1 })).itemIndex]).toEqual([2]);
    expect([...(await model.similarItems(0, { include: [3, 2] })).itemIndex]).toEqual([2, 3]);
    expect([...(await model.similarItems(0, { exclude: [1] })).itemIndex]).toEqual([2, 3]);
    expect((await model.similarItems(3)).itemIndex.length).toBe(0);
    const users = await model.similarUsers(0);
    expect([...users.userIndex]).toEqual([2, 1]);
    expect([...users.score]).toEqual([1, -1]);
  });

  it("prefer the model's own measure, and filter what it gives", async () => {
    const asked: [number, number][] = [];
    const similarItems = async (itemIndex: number, count: number) => {
      asked.push([itemIndex, count]);
      const others = [3, 1, 0, 2].filter((item) => item !== itemIndex).slice(0, count);
      return { index: Int32Array.from(others), score: Float32Array.from(others, (_, place) => 9 - place) };
    };
    const model = givenScores({ scores, itemVectors, routes: { similarItems } });
    expect([...(await model.similarItems(2, { topK: 2 })).itemIndex]).toEqual([3, 1]);
    expect(await model.similarItems(2, { topK: 1, exclude: [3] })).toMatchObject({
      itemIndex: Int32Array.of(1),
      score: Float32Array.of(8),
    });
    expect([...(await model.similarItems(2, { topK: 1, include: [0] })).itemIndex]).toEqual([0]);
    expect(asked).toEqual([
      [2, 3],
      [2, 3],
      [2, 4],
    ]);
  });

  it("say which model does not know them, and refuse rows out of range", async () => {
    const model = givenScores({ scores });
    await expectError(model.similarItems(0), "E_CONFIG", /given knows no similar items.*Use|such as/);
    await expectError(model.similarUsers(0), "E_CONFIG", /given knows no similar users/);
    await expectError(givenScores({ scores, itemVectors }).similarItems(4), "E_CONFIG", /item 4, but the model knows 4 items/);
    await expectError(
      givenScores({ scores, userVectors: [[1], [1], [1]] }).similarUsers(-1),
      "E_CONFIG",
      /user -1, but the model knows 3 users/,
    );
    await expectError(givenScores({ scores, itemVectors }).similarItems(0, { signal: AbortSignal.abort() }), "E_CANCELLED");
  });
});

describe("explain", () => {
  const explain = async (_: unknown, item: number) => ({
    score: item + 0.5,
    base: 0.5,
    itemIndex: Int32Array.of(2),
    contribution: Float32Array.of(item),
  });
  const history = [[[1, 2]], [], []];

  it("gives the model's reasons to those it knows, and the number of events to all others", async () => {
    const model = givenScores({ scores, history, popularity: [7, 1, 0, 0], routes: { personal: true, explain } });
    expect(await model.explain({ userIndex: 0 }, 3)).toMatchObject({ score: 3.5, base: 0.5, source: "given" });
    for (const query of [{ userIndex: 1 }, {}, { history: [{ itemIndex: 3 }] }]) {
      const cold = await model.explain(query, 0);
      expect(cold).toMatchObject({ score: 7, base: 7, source: "popularity fallback" });
      expect(cold.itemIndex.length + cold.contribution.length).toBe(0);
    }
  });

  it("refuses what it cannot do", async () => {
    const silent = givenScores({ scores, history, routes: { personal: true } });
    await expectError(silent.explain({ userIndex: 0 }, 0), "E_CONFIG", /given cannot explain.*do not split/);
    const model = givenScores({ scores, history, routes: { explain } });
    await expectError(model.explain({ userIndex: 0 }, 4), "E_CONFIG", /explain names item 4/);
    await expectError(model.explain({ userIndex: 3 }, 0), "E_CONFIG", /userIndex is 3/);
  });
});
