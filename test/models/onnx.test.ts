/**
 * Exported files scored by onnxruntime-node itself, without any of src/nn: every model that exports one must give there what it
 * gives here.
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { Features } from "../../src/core/features.js";
import type { Query } from "../../src/core/model.js";
import { vectorsOnnx } from "../../src/models/parts/vectors-onnx.js";
import { fit, listModels, restoreRecommender } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { fixture } from "../support/fixture.js";
import { smallParams } from "../support/small-params.js";

const data = fixture();
/** Of user-retrieval only the training is a network: it scores by its users' rows, as the nearest neighbours do. */
const neural = listModels().filter(({ name, needs }) => needs === "onnxruntime" && name !== "user-retrieval");

const int64 = (values: readonly number[], dims = [values.length]) => new Tensor("int64", BigInt64Array.from(values, BigInt), dims);

/** What a file is fed for histories, by the inputs it has. */
function feedsOf(session: InferenceSession, { params }: Recommender, histories: readonly (readonly number[])[]): Record<string, Tensor> {
  const { inputNames, inputMetadata } = session;
  const feeds: Record<string, Tensor> = { topK: int64([5]), user: int64(histories.map(() => -1)) };
  const described = inputMetadata.find(({ name }) => name === "history");
  if (described?.isTensor) {
    const fixed = described.shape[1]; // -1 where a history may be of any length
    const sequence = inputNames.includes("length");
    const recurrent = sequence && "layers" in params;
    // the newest of a border and the history, and a border, for the data has baskets
    const tokens = recurrent ? histories.map((history) => [...[-1, ...history].slice(-Number(params.maxLength)), -1]) : histories;
    const longest = typeof fixed === "number" && fixed > 0 ? fixed : 7;
    const nothing = sequence ? 0 : -1;
    const padded = tokens.flatMap((history) => [...history, ...new Array<number>(longest - history.length).fill(nothing)]);
    feeds.history = int64(padded, [histories.length, longest]);
    feeds.length = int64(tokens.map((history) => history.length));
  }
  return Object.fromEntries(inputNames.map((name) => [name, feeds[name]]));
}

/** Scores of all items and the five best, as the model here gives them. */
async function ours(model: Recommender, query: Query) {
  const { itemIndex, score } = await model.recommend(query, { topK: model.numItems, excludeSeen: false });
  const scores = new Float32Array(model.numItems);
  itemIndex.forEach((item, place) => {
    scores[item] = score[place];
  });
  return { scores, best: [...itemIndex.subarray(0, 5)], bestScores: score.subarray(0, 5) };
}

/** Files that score pairs: a user, an unknown one, and all items. */
async function expectPairs(model: Recommender, session: InferenceSession): Promise<void> {
  for (const userIndex of [3, -1]) {
    const items = Array.from({ length: model.numItems }, (_, item) => item);
    const { scores } = await session.run({ user: int64(items.map(() => userIndex)), item: int64(items) });
    const expected = new Float32Array(model.numItems);
    await model.fitted.scoreCandidates!([{ userIndex }], Int32Array.from(items), expected);
    expectClose(scores.data as Float32Array, expected);
  }
}

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(got.length).toBe(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs));
  for (let k = 0; k < got.length; k++) expect(Math.abs(got[k] - expected[k])).toBeLessThan(1e-5 * scale);
}

describe("exported files", () => {
  for (const { name } of neural) {
    it(`${name}: onnxruntime gives the same scores and lists`, async () => {
      const model = await fit(name, data, smallParams[name] ?? {}, { seed: 3, threads: 1 });
      const session = await InferenceSession.create(await model.fitted.toOnnx!());
      if (session.inputNames.includes("item")) return expectPairs(model, session);
      const histories = [[4], [2, 9, 7, 1], []];
      const { scores, topItems, topScores } = await session.run(feedsOf(session, model, histories));
      expect(scores.dims).toEqual([3, data.numItems]);
      for (let row = 0; row < 2; row++) {
        const query = { history: histories[row].map((itemIndex) => ({ itemIndex })) };
        const { scores: expected, best, bestScores } = await ours(model, query);
        expectClose((scores.data as Float32Array).subarray(row * data.numItems, (row + 1) * data.numItems), expected);
        expect(Array.from((topItems.data as BigInt64Array).subarray(row * 5, row * 5 + 5), Number)).toEqual(best);
        expectClose((topScores.data as Float32Array).subarray(row * 5, row * 5 + 5), bestScores);
      }
      const empty = (scores.data as Float32Array).subarray(2 * data.numItems);
      expect(empty.every((value) => (name === "sasrec" ? value === 0 : Number.isFinite(value)))).toBe(true);
    });

    it(`${name}: a restored model has the same state and exports the same bytes`, async () => {
      const model = await fit(name, data, smallParams[name] ?? {}, { seed: 3, threads: 1 });
      const { fitted, seen, popularity, users, items } = model;
      const state = structuredClone(fitted.state());
      const again = restoreRecommender({ name, params: { ...fitted.params }, state, seen, popularity, users, items });
      expect(again.fitted.state()).toEqual(fitted.state());
      const bytes = await fitted.toOnnx!();
      expect(Buffer.from(bytes).equals(await again.fitted.toOnnx!())).toBe(true);
      expect(Buffer.from(bytes).toString("latin1")).toContain(`(${name}), trained by Tastemaker.`);
    });
  }

  it.each(["dcn", "deepfm", "two-tower", "sasrec"])("%s: side features of every kind are in the file", async (name) => {
    const features = (numRows: number): Features => {
      const rows = Array.from({ length: numRows }, (_, row) => row);
      return {
        numRows,
        columns: {
          kind: { kind: "category", values: rows.map((row) => (row % 5 === 0 ? null : `k${row % 3}`)) },
          size: { kind: "number", values: Float32Array.from(rows, (row) => (row % 7 === 0 ? Number.NaN : row % 4)) },
          words: { kind: "text", values: rows.map((row) => (row % 6 === 0 ? null : `a${row % 2} b${row % 3}`)) },
        },
      };
    };
    const context = { seed: 3, threads: 1, userFeatures: features(data.numUsers), itemFeatures: features(data.numItems) };
    const model = await fit(name, data, smallParams[name], context);
    const session = await InferenceSession.create(await model.fitted.toOnnx!());
    if (session.inputNames.includes("item")) return expectPairs(model, session);
    const { scores } = await session.run(feedsOf(session, model, [[2, 9, 7, 1]]));
    const history = [2, 9, 7, 1].map((itemIndex) => ({ itemIndex }));
    expectClose(scores.data as Float32Array, (await ours(model, { history })).scores);
  });

  it("two-tower and gru: what is known of a user enters by its index", async () => {
    const { offsets, indices } = data.matrixByUser();
    const user = int64([3]);
    const tower = await fit("two-tower", data, smallParams["two-tower"], { seed: 3, threads: 1 });
    const seen = [...indices.subarray(offsets[3], offsets[4])];
    const ofTower = await InferenceSession.create(await tower.fitted.toOnnx!());
    const { scores } = await ofTower.run({ user, history: int64(seen, [1, seen.length]), topK: int64([5]) });
    expectClose(scores.data as Float32Array, (await ours(tower, { userIndex: 3 })).scores);

    const gru = await fit("gru", data, { ...smallParams.gru, userDimensions: 4 }, { seed: 3, threads: 1 });
    const { offsets: starts, sequence } = gru.fitted.state().arrays;
    const own = Array.from(sequence.data.subarray(starts.data[3], starts.data[4])).slice(-4);
    const ofGru = await InferenceSession.create(await gru.fitted.toOnnx!());
    const result = await ofGru.run({
      user,
      history: int64([...own, -1], [1, own.length + 1]),
      length: int64([own.length + 1]),
      topK: int64([5]),
    });
    expectClose(result.scores.data as Float32Array, (await ours(gru, { userIndex: 3 })).scores);
  });

  it("als: vectors of known users give the same scores and lists", async () => {
    const model = await fit("als", data, smallParams.als, { seed: 3, threads: 1 });
    const session = await InferenceSession.create((await vectorsOnnx(model.fitted))!);
    const { scores, topItems } = await session.run({ user: int64([3, 0]), topK: int64([1000]) });
    expect(topItems.dims).toEqual([2, data.numItems]); // more than there are
    const { scores: expected, best } = await ours(model, { userIndex: 3 });
    expectClose((scores.data as Float32Array).subarray(0, data.numItems), expected);
    expect(Array.from((topItems.data as BigInt64Array).subarray(0, 5), Number)).toEqual(best);
  });
});
