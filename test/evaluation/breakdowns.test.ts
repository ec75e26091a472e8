/** Breakdowns, candidate policies and context: figures by hand on given scores. */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { evaluateCases } from "../../src/evaluation/evaluate.js";
import { judgeCases } from "../../src/evaluation/judge.js";
import { evaluateRatingModel, evaluateRatings } from "../../src/evaluation/ratings.js";
import { createItemSampler } from "../../src/evaluation/sample-items.js";
import {
  activitySegments,
  itemSegments,
  popularitySegments,
  repeatSegments,
  type Segmentation,
  userSegments,
} from "../../src/evaluation/segments.js";
import { summarizeSegments } from "../../src/evaluation/summarize.js";
import { fit } from "../../src/models/registry.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";
import { givenScores } from "../support/given-scores.js";

/** Everyone is shown 0, 1, 2, 3. User 0 had 0 and 1, user 1 had 0, user 2 nothing. */
const model = givenScores({
  scores: Array.from({ length: 3 }, () => [4, 3, 2, 1]),
  history: [[[0], [1]], [[0]], []],
  popularity: [60, 25, 15, 0],
});
const cases = [
  { query: { userIndex: 0 }, relevant: [0, 3] },
  { query: { userIndex: 1 }, relevant: [1] },
  { query: { userIndex: 2 }, relevant: [2, 0] },
];

async function rows(segmentation: Segmentation) {
  const judged = await judgeCases(model, cases, { metrics: ["recall@2", "coverage@2"], excludeSeen: false, segments: [segmentation] });
  return summarizeSegments(judged).map(({ group, numCases, metrics }) => [group, numCases, metrics["recall@2"]?.value]);
}

describe("breakdowns", () => {
  it("repeat and new items", async () => {
    // user 0: 0 is a repeat (found), 3 is new (missed); user 1: 1 is new (found); user 2: 2 (missed) and 0 (found) are new
    expect(await rows(repeatSegments(model.seen))).toEqual([
      ["repeat", 1, 1],
      ["new", 3, (0 + 1 + 1 / 2) / 3],
    ]);
  });

  it("head, torso and tail by events", async () => {
    expect(await rows(popularitySegments(model.popularity))).toEqual([
      ["head", 2, 1],
      ["torso", 1, 1],
      ["tail", 2, 0],
    ]);
  });

  it("activity of users, cold ones apart", async () => {
    expect(await rows(activitySegments(model.seen, { quantiles: 2 }))).toEqual([
      ["cold", 1, 1 / 2],
      ["q1: 1 item", 1, 1],
      ["q2: 2 or more items", 1, 1 / 2],
    ]);
  });

  it("columns of users and items; a group without cases has no figures", async () => {
    expect(await rows(userSegments("country", ["de", null, "fr"]))).toEqual([
      ["de", 1, 1 / 2],
      ["fr", 1, 1 / 2],
    ]);
    expect(await rows(itemSegments("colour", ["red", "blue", null, "blue"]))).toEqual([
      ["red", 2, 1],
      ["blue", 2, (0 + 1) / 2],
    ]);
    expect(await rows(itemSegments("colour", [null, null, null, null]))).toEqual([]);
    expect(await rows({ ...itemSegments("colour", ["red", "red", "red", "red"]), groups: ["red", "none"] })).toEqual([
      ["red", 3, (1 / 2 + 1 + 1 / 2) / 3],
      ["none", 0, undefined],
    ]);
  });
});

describe("candidate policies", () => {
  it("sampled: the relevant items against n others, named in the label, repeatable by seed", async () => {
    const candidates = { policy: "sampled", negatives: 1, seed: 3 } as const;
    const metrics = ["recall@1", "recall@2", "recall@3"];
    const judged = await evaluateCases(model, cases, { metrics, excludeSeen: false, candidates });
    expect(Object.keys(judged)).toEqual(metrics.map((label) => `${label} (1 sampled)`));
    expect(judged["recall@3 (1 sampled)"]).toBe(1); // at most two relevant and one other
    expect(await evaluateCases(model, cases, { metrics, excludeSeen: false, candidates })).toEqual(judged);
    // with every other item as a negative, the full ranking comes out
    const all = await evaluateCases(model, cases, {
      metrics: ["ndcg@2"],
      excludeSeen: false,
      candidates: { policy: "sampled", negatives: 99 },
    });
    const full = await evaluateCases(model, cases, { metrics: ["ndcg@2"], excludeSeen: false });
    expect(all["ndcg@2 (99 sampled)"]).toBe(full["ndcg@2"]);
    // item 3 has no event: by popularity it is never drawn, so user 1's relevant item 1 meets 0 and 2 only
    const popular = await evaluateCases(model, [cases[1]], {
      metrics: ["precision@4", "mrr@1"],
      excludeSeen: true,
      candidates: { policy: "sampled", negatives: 3, by: "popularity" },
    });
    expect(popular).toEqual({ "precision@4 (3 sampled by popularity)": 1 / 4, "mrr@1 (3 sampled by popularity)": 1 });
  });

  it("cold users and cold items", async () => {
    const metrics = ["recall@1"];
    expect(await evaluateCases(model, cases, { metrics, excludeSeen: false, candidates: { policy: "cold-users" } })).toEqual({
      "recall@1 (cold users)": 1 / 2,
    });
    // only item 3 has no training event: user 0 alone has it as relevant, and it competes alone
    expect(await evaluateCases(model, cases, { metrics, excludeSeen: false, candidates: { policy: "cold-items" } })).toEqual({
      "recall@1 (cold items)": 1,
    });
    await expectError(
      evaluateCases(model, [cases[1]], { metrics, candidates: { policy: "cold-users" } }),
      "E_DATA",
      /cold users.*candidate policy/,
    );
  });

  it("refuses what is no policy", async () => {
    await expectError(evaluateCases(model, cases, { candidates: { policy: "sampeld" } as never }), "E_CONFIG", /sampled/);
    await expectError(evaluateCases(model, cases, { candidates: { policy: "sampled", negatives: 0 } }), "E_CONFIG", /negatives/);
  });

  it("draws without replacement, with the shares of successive sampling", () => {
    const weights = Array.from({ length: 40 }, (_, item): number => (item < 2 ? 20 : item < 39 ? 1 : 0));
    for (const blockedItems of [[], Array.from({ length: 30 }, (_, i) => i + 5)]) {
      const blocked = new Set(blockedItems);
      const sampler = createItemSampler(40, weights, createRandom(1));
      const first = new Float64Array(40);
      for (let run = 0; run < 6000; run++) {
        const drawn = sampler.draw(2, blocked);
        expect(new Set(drawn).size).toBe(2);
        expect(drawn.some((item) => blocked.has(item) || item === 39)).toBe(false);
        first[drawn[0]]++;
      }
      const total = weights.reduce((sum, weight, item) => sum + (blocked.has(item) ? 0 : weight), 0);
      expect(first[0] / 6000).toBeCloseTo(20 / total, 1);
      expect(first[2] / 6000).toBeCloseTo(1 / total, 1);
    }
    expect(
      createItemSampler(3, undefined, createRandom(1))
        .draw(9, new Set([1]))
        .sort(),
    ).toEqual([0, 2]);
  });
});

describe("context and ratings", () => {
  it("a metric without what it needs says what to pass", async () => {
    const judge = (metric: string, context = {}) => evaluateCases(model, cases, { metrics: [metric], context });
    await expectError(judge("calibration@2"), "E_CONFIG", /calibration@2 needs categories.*context: \{ categories/);
    await expectError(judge("diversity@2"), "E_CONFIG", /diversity@2 needs itemVectors/);
    await expectError(judge("calibration@2", { categories: ["a"] }), "E_CONFIG", /covers 1 items, but there are 4/);
    await expectError(judge("rmse"), "E_CONFIG", /evaluateRatings/);
    await expectError(judge("auc@3"), "E_CONFIG", /Write auc/);
  });

  it("rates a model by its candidates, vectors or rows alike", async () => {
    const train = fixture();
    const test = fixture({ seed: 5, events: 90 });
    const bias = await fit("bias", train);
    const judged = await evaluateRatingModel(bias, test);
    const known = Array.from(test.userIndex.keys()).filter((e) => test.userIndex[e] >= 0);
    const row = new Float32Array(train.numItems);
    const predictions: number[] = [];
    for (const e of known) {
      await bias.fitted.scoreAll!([{ userIndex: test.userIndex[e] }], row);
      predictions.push(row[test.itemIndex[e]]);
    }
    const byHand = evaluateRatings(
      predictions,
      known.map((e) => test.weight[e]),
    );
    expect(judged.rmse).toBeCloseTo(byHand.rmse, 12);
    expect(judged.mae).toBeCloseTo(byHand.mae, 12);
    const popularity = await fit("popularity", train); // scores by vectors: the number of events
    const off = evaluateRatings(
      known.map((e) => popularity.popularity[test.itemIndex[e]]),
      known.map((e) => test.weight[e]),
    );
    expect((await evaluateRatingModel(popularity, test)).rmse).toBeCloseTo(off.rmse, 12);
    expect((await evaluateRatingModel(popularity, test, { range: [2, 2], metrics: ["mae"] })).mae).toBeLessThan(1.01);
  });

  it("refuses ratings that do not fit", async () => {
    await expectError(() => evaluateRatings([1], [1, 2]), "E_DATA", /1 predictions for 2/);
    await expectError(() => evaluateRatings([], []), "E_DATA", /nothing to evaluate/);
    await expectError(() => evaluateRatings([Number.NaN], [1]), "E_TRAINING", /position 0/);
    await expectError(() => evaluateRatings([1], [Number.NaN]), "E_DATA", /position 0/);
    await expectError(() => evaluateRatings([1.5], [1], { metrics: ["log-loss"] }), "E_DATA", /probabilities/);
    await expectError(() => evaluateRatings([1], [1], { metrics: ["ndcg@3"] }), "E_CONFIG", /judges lists/);
    await expectError(() => evaluateRatings([1], [1], { metrics: ["rsme"] }), "E_CONFIG", /rmse/);
    const other = Interactions.fromArrays({ userIndex: [0], itemIndex: [0] });
    await expectError(evaluateRatingModel(model, other), "E_DATA", /1 users × 1 items/);
    await expectError(
      evaluateRatingModel(givenScores({ scores: [[Number.NaN]] }), other),
      "E_TRAINING",
      /NaN for userIndex 0 and itemIndex 0/,
    );
  });
});
