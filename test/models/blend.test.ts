import { describe, expect, it } from "vitest";
import type { Query } from "../../src/core/model.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { askerKind } from "../../src/models/parts/asker-kind.js";
import { heldOutQuestions, heldOutRounds } from "../../src/models/parts/blend-questions.js";
import { blendScores, learnWeights, listMetric } from "../../src/models/parts/blend-weights.js";
import { fit } from "../../src/models/registry.js";
import { expectError } from "../support/errors.js";
import { DAY, fixture } from "../support/fixture.js";

describe("weights of a blend", () => {
  /** Relevant: the item best by 2·a + b among 30; c is noise. */
  function planted(numQuestions: number, seed: number) {
    const random = createRandom(seed);
    const size = numQuestions * 30;
    const features = Array.from({ length: 3 }, () => Float32Array.from({ length: size }, () => random.normal()));
    const relevance = new Float32Array(size);
    const offsets = Int32Array.from({ length: numQuestions + 1 }, (_, q) => q * 30);
    for (let q = 0; q < numQuestions; q++) {
      const value = (i: number) => 2 * features[0][i] + features[1][i];
      let best = q * 30;
      for (let i = best + 1; i < (q + 1) * 30; i++) if (value(i) > value(best)) best = i;
      relevance[best] = 1;
    }
    return { offsets, features, relevance, multiplicity: new Float32Array(size).fill(1) };
  }

  it("finds planted weights, and the metric on other questions with them", () => {
    const options = { objective: "ndcg", topK: 5 } as const;
    const weights = learnWeights(planted(300, 1), options);
    expect(weights[0]).toBe(1);
    expect(weights[1]).toBeCloseTo(0.5, 1);
    expect(Math.abs(weights[2])).toBeLessThan(0.1);
    const others = planted(200, 2);
    expect(listMetric(others, blendScores(others, weights), options)).toBeGreaterThan(0.97);
  });

  it("leaves out what speaks against the relevant items", () => {
    const questions = planted(300, 1);
    const turned = { ...questions, features: [questions.features[0], questions.features[1].map((value) => -value), questions.features[2]] };
    const weights = learnWeights(turned, { objective: "ndcg", topK: 5 });
    expect(weights[0]).toBe(1);
    expect(weights[1]).toBe(0);
  });

  it("measures lists as by hand", () => {
    const questions = {
      offsets: Int32Array.of(0, 4),
      features: [Float32Array.of(3, 2, 1, 0)],
      relevance: Float32Array.of(0, 2, 0, 1),
      multiplicity: new Float32Array(4).fill(1),
    };
    const measure = (weight: number, objective: "ndcg" | "precision") =>
      listMetric(questions, blendScores(questions, Float64Array.of(weight)), { objective, topK: 2 });
    expect(measure(1, "ndcg")).toBeCloseTo(1 / Math.log2(3) / (1 + 1 / Math.log2(3)), 12);
    expect(measure(-1, "precision")).toBeCloseTo(0.5, 12);
    expect(measure(1, "precision")).toBeCloseTo(1, 12);
    expect(measure(0, "precision")).toBe(0); // all scores equal: the relevant ones come last
  });

  it("prefers what little a model knows to weights of 0, though the questions show mostly relevant items", () => {
    // items 0 and 1 are relevant, the feature puts item 3 above them and item 2 below: the relevant are below its mean
    const numQuestions = 40;
    const questions = {
      offsets: Int32Array.from({ length: numQuestions + 1 }, (_, q) => 4 * q),
      features: [Float32Array.from({ length: 4 * numQuestions }, (_, i) => [1, 1, 0, 9][i % 4]), new Float32Array(4 * numQuestions)],
      relevance: Float32Array.from({ length: 4 * numQuestions }, (_, i) => [1, 1, 0, 0][i % 4]),
      multiplicity: new Float32Array(4 * numQuestions).fill(1),
    };
    expect([...learnWeights(questions, { objective: "precision", topK: 3 })]).toEqual([1, 0]);
  });
});

describe("questions of a blend", () => {
  const data = fixture();
  const options = { heldOut: 0.2, excludeSeen: false, most: 1000, seed: 1 };

  it("asks for baskets line by line, with what was laid in before", () => {
    const lines = heldOutQuestions(data, { ...options, kind: "line" });
    const baskets = heldOutQuestions(data, { ...options, kind: "basket" });
    expect(lines.questions.length).toBe(data.numInteractions - lines.train.numInteractions);
    expect(baskets.questions.reduce((sum, { relevant }) => sum + relevant.length, 0)).toBe(lines.questions.length);
    expect(Math.max(...lines.questions.map(({ query }) => query.basket!.length))).toBe(1); // two lines a basket
    for (const { relevant } of lines.questions) expect(relevant.length).toBe(1);
  });

  it("holds each round out of what the one before left", () => {
    const rounds = [...heldOutRounds(data, { ...options, kind: "basket", rounds: 3 })];
    expect(rounds[0].questions).toEqual(heldOutQuestions(data, { ...options, kind: "basket", most: 334 }).questions);
    const sizes = rounds.map(({ train }) => train.numInteractions);
    expect(sizes).toEqual([320, 256, 204]); // whole baskets of two events, about 0.8 of what was left
    for (const [r, { train, questions }] of rounds.entries()) {
      const before = r === 0 ? data.numInteractions : sizes[r - 1];
      expect(questions.reduce((sum, { relevant }) => sum + relevant.length, 0)).toBe(before - train.numInteractions);
      const latest = Math.max(...train.timestamp!);
      for (const { query } of questions) expect(query.timestamp).toBeGreaterThan(latest);
    }
  });

  it("neither asks for nor keeps what a user has, when told so", () => {
    const { train, questions } = heldOutQuestions(data, { ...options, kind: "user", excludeSeen: true });
    const { offsets, indices } = train.matrixByUser();
    for (const { query, relevant } of questions) {
      const seen = indices.subarray(offsets[query.userIndex!], offsets[query.userIndex! + 1]);
      for (const item of relevant) expect(seen.includes(item)).toBe(false);
    }
    const last = heldOutQuestions(data, { ...options, kind: "last" });
    expect(last.questions.length).toBeLessThanOrEqual(data.numUsers);
  });
});

describe("blend", () => {
  it("with one model of weight 1 gives that model's order", async () => {
    const data = fixture();
    const one = await fit("blend", data, { models: [{ model: "repeat", weight: 1 }] });
    const repeat = await fit("repeat", data);
    for (const userIndex of [0, 3, 7]) {
      const options = { topK: 4, excludeSeen: false };
      expect([...(await one.recommend({ userIndex }, options)).itemIndex]).toEqual([
        ...(await repeat.recommend({ userIndex }, options)).itemIndex,
      ]);
    }
  });

  it("tells those it knows, newcomers and guests apart", () => {
    const seen = fixture().matrixByUser();
    const kind = (query: Query, readsBasket = false) => askerKind(query, seen, readsBasket);
    expect(kind({ userIndex: 3 })).toBe("known");
    expect(kind({ history: [{ itemIndex: 1 }] })).toBe("known");
    expect([kind({ basket: [1] }), kind({ basket: [1] }, true)]).toEqual(["guest", "known"]);
    expect([kind({ userIndex: 22 }), kind({ newcomer: true })]).toEqual(["newcomer", "newcomer"]); // user 22 has no events
    expect([kind({}), kind({ userIndex: -1 })]).toEqual(["guest", "guest"]);
  });

  it("learns what guests and newcomers buy, each by weights of their own", async () => {
    // baskets of one event: half by guests, who buy item 0; half by users who come once and buy item 1, or buy item 2 for the tenth time
    const random = createRandom(3);
    const events = Array.from({ length: 600 }, (_, e) => {
      const [guest, regular] = [random.uniform() < 0.5, random.uniform() < 0.5];
      const other = random.uniform() < 0.2 ? 3 + random.integer(5) : undefined;
      if (guest) return { user: -1, item: other ?? 0 };
      return regular ? { user: random.integer(9), item: other ?? 2 } : { user: 9 + e, item: other ?? 1 };
    });
    const data = Interactions.fromArrays({
      userIndex: events.map(({ user }) => user),
      itemIndex: events.map(({ item }) => item),
      basket: events.map((_, e) => e),
      timestamp: events.map((_, e) => e * DAY),
      numUsers: 610,
      numItems: 20,
    });
    const model = await fit("blend", data, {
      heldOut: 0.2,
      rounds: 3,
      topK: 1,
      models: [
        { model: "repeat" },
        { model: "popularity", params: { audience: "guests" } },
        { model: "popularity", params: { audience: "newcomers" } },
      ],
    });
    const first = async (query: Query) => (await model.recommend(query, { topK: 1, excludeSeen: false })).itemIndex[0];
    expect(await Promise.all([{}, { newcomer: true }, { userIndex: 609 }, { userIndex: 0 }].map(first))).toEqual([0, 1, 1, 2]);
    const { guestWeights, newcomerWeights } = model.fitted.state().extra as Record<string, number[]>;
    expect([guestWeights.slice(0, 2), newcomerWeights.slice(0, 2)]).toEqual([
      [0, 0],
      [0, 0],
    ]); // repeat has no say
  });

  it("refuses mixed weights, a blend of blends, and unknown models", async () => {
    const data = fixture();
    await expectError(fit("blend", data, { models: [{ model: "als", weight: 1 }, { model: "repeat" }] }), "E_CONFIG", /weight/);
    await expectError(fit("blend", data, { models: [{ model: "blend" }] }), "E_CONFIG", /blend/);
    await expectError(fit("blend", data, { models: [{ model: "alls" }] }), "E_NOT_FOUND", /alls/);
    await expectError(fit("blend", data, { models: [{ model: "als", params: { factor: 3 } }] }), "E_CONFIG", /factor/);
  });
});
