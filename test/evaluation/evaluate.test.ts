import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Interactions } from "../../src/data/interactions.js";
import { evaluate, evaluateCases } from "../../src/evaluation/evaluate.js";
import { parseMetric } from "../../src/evaluation/metrics.js";
import { fit } from "../../src/models/registry.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";
import { givenScores } from "../support/given-scores.js";

const withScores = (scores: readonly (readonly number[])[]) => givenScores({ scores });

describe("evaluate", () => {
  it("judges by hand-computed values and leaves training items out", async () => {
    // popularity of train: item 0 three events, item 1 two, item 2 one, item 3 none
    const train = Interactions.fromArrays({ userIndex: [0, 1, 2, 0, 1, 2], itemIndex: [0, 0, 0, 1, 1, 2], numUsers: 3, numItems: 4 });
    const test = Interactions.fromArrays({ userIndex: [0, 2, 2, -1], itemIndex: [2, 1, 0, 3], numUsers: 3, numItems: 4 });
    const model = await fit("popularity", train);
    // user 0: lists 2, 3 → hit at 1; user 2: lists 1, 3 (0 and 2 are seen; 0 does not count) → hit at 1
    expect(await evaluate(model, train, test, { metrics: ["recall@1", "ndcg@2", "coverage@1", "precision@2"] })).toEqual({
      "recall@1": 1,
      "ndcg@2": 1,
      "coverage@1": 2 / 4,
      "precision@2": 0.5,
    });
    // with seen items allowed everyone gets 0, 1, 2, 3: user 0 hits at 3, user 2 at 1 and 2
    const all = await evaluate(model, train, test, { metrics: ["mrr@4", "recall@2"], excludeSeen: false });
    expect(all["mrr@4"]).toBeCloseTo((1 / 3 + 1) / 2, 12);
    expect(all["recall@2"]).toBe(0.5);
  });

  it("puts relevant items behind all others of equal score, also across the cut", async () => {
    const model = withScores([[1, 1, 1, 1, 1]]);
    const judged = await evaluateCases(model, [{ query: { userIndex: 0 }, relevant: [0, 1] }], {
      metrics: ["hit-rate@3", "hit-rate@4", "mrr@5"],
    });
    expect(judged).toEqual({ "hit-rate@3": 0, "hit-rate@4": 1, "mrr@5": 1 / 4 });
  });

  it("agrees with a full sort for any scores, ties included", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 12 }),
        fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (scores, wanted, k) => {
          const relevant = wanted.filter((item) => item < scores.length);
          fc.pre(relevant.length > 0);
          const order = scores
            .map((score, item) => ({ score, hit: relevant.includes(item) ? 1 : 0 }))
            .sort((a, b) => b.score - a.score || a.hit - b.hit);
          const gains = Array.from({ length: k }, (_, r) => order[r]?.hit ?? 0);
          const labels = ["ndcg", "map", "precision", "recall"].map((name) => `${name}@${k}`);
          const judged = await evaluateCases(withScores([scores]), [{ query: { userIndex: 0 }, relevant }], { metrics: labels });
          for (const label of labels) {
            const { metric } = parseMetric(label);
            expect(judged[label]).toBeCloseTo(metric.of === "query" ? metric.value({ gains, numRelevant: relevant.length, k }) : 0, 12);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("gives every model a value between 0 and 1 on held-out data", async () => {
    const data = fixture({ events: 800 });
    for (const name of ["popularity", "repeat", "als"]) {
      const model = await fit(name, data, name === "als" ? { factors: 8 } : {});
      const judged = await evaluate(model, data, fixture({ seed: 2 }), { excludeSeen: false });
      expect(Object.keys(judged)).toEqual(["ndcg@10", "recall@10", "precision@10", "coverage@10"]);
      for (const value of Object.values(judged)) expect(value > 0 && value <= 1).toBe(true);
    }
  });

  it("refuses an empty test part, other data, misspelt metrics, and stops when aborted", async () => {
    const data = fixture();
    const model = await fit("popularity", data);
    const nothing = Interactions.fromArrays({ userIndex: [], itemIndex: [], numUsers: data.numUsers, numItems: data.numItems });
    await expectError(evaluate(model, data, nothing), "E_DATA", /nothing to evaluate/);
    await expectError(evaluate(model, data, data), "E_DATA", /nothing to evaluate/); // all seen
    await expectError(evaluate(model, data, fixture({ numItems: 50 })), "E_DATA", /test data has/);
    await expectError(evaluateCases(model, [{ query: { userIndex: 0 }, relevant: [1, 99] }]), "E_DATA", /Case 0 has item 99/);
    await expectError(evaluate(model, data, data, { metrics: ["recal@3"] }), "E_CONFIG", /recall/);
    await expectError(evaluate(model, data, data, { excludeSeen: false, signal: AbortSignal.abort() }), "E_CANCELLED");
  });

  it("takes any k: past the catalogue it changes nothing but what is divided by k", async () => {
    const data = fixture({ events: 800 });
    const model = await fit("als", data, { factors: 4, iterations: 2 });
    const test = fixture({ seed: 2 });
    const metrics = [37, 38, 1_000_000_000].flatMap((k) => ["ndcg", "recall", "mrr", "coverage", "novelty"].map((name) => `${name}@${k}`));
    const judged = Object.values(await evaluate(model, data, test, { metrics, excludeSeen: false }));
    expect(judged.slice(5, 10)).toEqual(judged.slice(0, 5));
    expect(judged.slice(10)).toEqual(judged.slice(0, 5));
    expect(judged[1]).toBe(1); // all items are listed
    expect((await evaluate(model, data, test, { metrics: ["precision@1000000000"] }))["precision@1000000000"]).toBeLessThan(1e-6);
  });

  it("gives constant scores no luck, whatever the numbers of the relevant items", async () => {
    const model = withScores([new Array(50).fill(1), new Array(50).fill(0)]);
    const cases = [
      { query: { userIndex: 0 }, relevant: [0, 1, 2] },
      { query: { userIndex: 1 }, relevant: [49] },
    ];
    const judged = await evaluateCases(model, cases, { metrics: ["hit-rate@47", "hit-rate@48", "ndcg@10", "auc", "coverage@5"] });
    expect(judged).toEqual({ "hit-rate@47": 0, "hit-rate@48": 0.5, "ndcg@10": 0, auc: 0.5, "coverage@5": 5 / 50 });
  });

  it("judges users without training rows by the popularity fallback", async () => {
    const train = Interactions.fromArrays({ userIndex: [0, 0, -1], itemIndex: [0, 1, 1], numUsers: 3, numItems: 4 });
    const test = Interactions.fromArrays({ userIndex: [2], itemIndex: [1], numUsers: 3, numItems: 4 });
    const model = await fit("als", train, { factors: 2, iterations: 2 });
    expect(await evaluate(model, train, test, { metrics: ["mrr@3"] })).toEqual({ "mrr@3": 1 });
  });

  it("names model and user where a score is no number", async () => {
    const scores = [
      [1, 2, 3],
      [1, Number.NaN, 3],
    ];
    const cases = [0, 1].map((userIndex) => ({ query: { userIndex }, relevant: [0] }));
    await expectError(evaluateCases(withScores(scores), cases), "E_TRAINING", /model given.*not a number for item 1 and user 1/);
    const sampled = { candidates: { policy: "sampled", negatives: 2 } } as const;
    await expectError(evaluateCases(withScores(scores), cases, sampled), "E_TRAINING", /user 1/);
    const data = fixture();
    for (const [array, message] of [
      ["user_factors", /model als.*for user 3/],
      ["item_factors", /model als.*for item 1 and every user/],
    ] as const) {
      const model = await fit("als", data, { factors: 2, iterations: 1 });
      (model.fitted.state().arrays[array].data as Float32Array)[array === "user_factors" ? 6 : 3] = Number.NaN;
      await expectError(evaluate(model, data, fixture({ seed: 2 }), { excludeSeen: false }), "E_TRAINING", message);
    }
  });
});
