/**
 * svd and svd++: planted factors come back, predictions do not depend on the scale of the ratings, a folded-in user is near the trained
 * one, a pair rated twice counts twice, divergence is an error, a partial refit learns newcomers and forgets nothing.
 */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { evaluateRatingModel } from "../../src/evaluation/ratings.js";
import { fit, refit } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { expectError } from "../support/errors.js";

interface Planted {
  train: Interactions;
  test: Interactions;
}

/** Ratings of a rank-2 model with biases (standard deviation near 1.4) and noise; a fifth held out. `scale` and `offset` change the unit. */
function planted({ numUsers = 150, numItems = 80, noise = 0.1, scale = 1, offset = 8, seed = 1 } = {}): Planted {
  const random = createRandom(seed);
  const normals = (length: number) => Float64Array.from({ length }, () => random.normal());
  const [p, q, b, c] = [normals(numUsers * 2), normals(numItems * 2), normals(numUsers), normals(numItems)];
  const rows: { user: number; item: number; rating: number }[] = [];
  for (let user = 0; user < numUsers; user++) {
    for (let item = 0; item < numItems; item++) {
      if (random.uniform() > 0.5) continue;
      const taste = p[user * 2] * q[item * 2] + p[user * 2 + 1] * q[item * 2 + 1];
      const rating = taste + 0.5 * b[user] + 0.5 * c[item] + noise * random.normal();
      rows.push({ user, item, rating: Math.max(0, scale * (rating + offset)) });
    }
  }
  const of = (kept: typeof rows) =>
    Interactions.fromArrays({
      userIndex: kept.map(({ user }) => user),
      itemIndex: kept.map(({ item }) => item),
      weight: kept.map(({ rating }) => rating),
      numUsers,
      numItems,
    });
  return { train: of(rows.filter((_, k) => k % 5 > 0)), test: of(rows.filter((_, k) => k % 5 === 0)) };
}

const rmse = async (model: Recommender, test: Interactions) => (await evaluateRatingModel(model, test, { metrics: ["rmse"] })).rmse;
const historyOf = (data: Interactions, user: number) =>
  [...data.userIndex.keys()]
    .filter((e) => data.userIndex[e] === user)
    .map((e) => ({ itemIndex: data.itemIndex[e], weight: data.weight[e] }));
const vectorOf = async (model: Recommender, query: Parameters<Recommender["recommend"]>[0]) => {
  const { dimensions, encode } = model.fitted.vectors!;
  const out = new Float32Array(dimensions);
  await encode([query], out);
  return out;
};
const predicted = async (model: Recommender, query: Parameters<Recommender["recommend"]>[0]) => {
  const { itemIndex, score } = await model.recommend(query, { topK: model.numItems, excludeSeen: false });
  return Float32Array.from({ length: model.numItems }, (_, item) => score[itemIndex.indexOf(item)]);
};

const few = { factors: 4, regularization: 0.3, learningRate: 0.05, epochs: 80 };
const kinds: [name: string, params: Record<string, unknown>][] = [
  ["svd", few],
  ["svd", { ...few, solver: "als", iterations: 20 }],
  ["svd++", { ...few, implicitRegularization: 3 }],
];

describe.each(kinds)("%s %o", (name, params) => {
  const data = planted();

  it("finds planted factors: held-out error near the noise", async () => {
    const model = await fit(name, data.train, params);
    expect(await rmse(model, data.test)).toBeLessThan(0.25);
    expect(await rmse(await fit("bias", data.train), data.test)).toBeGreaterThan(1);
    const losses = model.fitted.losses!;
    expect(losses.at(-1)!).toBeLessThan(0.3 * losses[0] + 0.1);
  });

  it.each([20, 1e-3, 1e28])("predicts in whatever unit ratings have: × %d", async (scale) => {
    const other = planted({ scale });
    const [model, scaled] = [await fit(name, data.train, params), await fit(name, other.train, params)];
    const [a, b] = [await predicted(model, { userIndex: 3 }), await predicted(scaled, { userIndex: 3 })];
    a.forEach((value, item) => {
      expect(Math.abs(b[item] / scale - value)).toBeLessThan(5e-3);
    });
  });

  it("predicts for a history as for the trained user who has it", async () => {
    const model = await fit(name, data.train, params);
    for (const user of [0, 7, 70]) {
      const [known, folded] = [
        await predicted(model, { userIndex: user }),
        await predicted(model, { history: historyOf(data.train, user) }),
      ];
      let squares = 0;
      known.forEach((value, item) => {
        squares += (folded[item] - value) ** 2;
      });
      expect(Math.sqrt(squares / known.length)).toBeLessThan(0.15);
    }
  });

  it("predicts mean and item bias for a user without ratings", async () => {
    const empty = Interactions.fromArrays({ ...data.train, numUsers: data.train.numUsers + 1, users: undefined });
    const { fitted } = await fit(name, empty, params);
    const { dimensions, itemVectors } = fitted.vectors!;
    const out = new Float32Array(dimensions);
    await fitted.vectors!.encode([{ userIndex: data.train.numUsers }], out);
    const { mean, scale } = fitted.state().extra as { mean: number; scale: number };
    const itemBias = fitted.state().arrays.item_bias.data;
    for (let item = 0; item < 5; item++) {
      const score = out.reduce((sum, value, d) => sum + value * itemVectors[item * dimensions + d], 0);
      expect(score).toBeCloseTo(mean + scale * itemBias[item], 4);
    }
  });

  it("counts a pair rated twice twice", async () => {
    const [user, item] = [5, data.train.itemIndex[data.train.userIndex.indexOf(5)]];
    const again = (times: number) =>
      Interactions.fromArrays({
        userIndex: [...data.train.userIndex, ...new Array<number>(times).fill(user)],
        itemIndex: [...data.train.itemIndex, ...new Array<number>(times).fill(item)],
        weight: [...data.train.weight, ...new Array<number>(times).fill(20)],
        numUsers: data.train.numUsers,
        numItems: data.train.numItems,
      });
    const at = async (times: number) => (await predicted(await fit(name, again(times), params), { userIndex: user }))[item];
    const [none, one, twenty] = [await at(0), await at(1), await at(20)];
    expect(one).toBeGreaterThan(none);
    expect(twenty).toBeGreaterThan(one + 1);
  });

  it("learns newcomers in a partial refit and keeps what it knew", async () => {
    const { train, test } = data;
    const kept = [...train.userIndex.keys()].filter((e) => train.userIndex[e] < 120 && train.itemIndex[e] < 70);
    const old = Interactions.fromArrays({
      userIndex: kept.map((e) => train.userIndex[e]),
      itemIndex: kept.map((e) => train.itemIndex[e]),
      weight: kept.map((e) => train.weight[e]),
      numUsers: 120,
      numItems: 70,
    });
    const grown = await refit(await fit(name, old, params), train);
    const error = await rmse(grown, test);
    expect(error).toBeLessThan(0.5);
    expect(grown.fitted.losses!.length).toBeLessThanOrEqual(20);
  });
});

describe("svd", () => {
  it("takes one step from a known start, by hand", async () => {
    const data = Interactions.fromArrays({ userIndex: [0, 1], itemIndex: [0, 1], weight: [4, 2], numUsers: 2, numItems: 2 });
    const { fitted } = await fit("svd", data, { factors: 1, epochs: 1, learningRate: 0.5, regularization: 0, initScale: 1e-9 });
    // mean 3, standard deviation 1: residuals 1 and −1; biases step to ±0.5; r̂ = 3 + 0.5 + 0.5 for what was rated
    const { mean, scale } = fitted.state().extra as { mean: number; scale: number };
    expect([mean, scale]).toEqual([3, 1]);
    expect([...fitted.state().arrays.user_bias.data, ...fitted.state().arrays.item_bias.data]).toEqual([0.5, -0.5, 0.5, -0.5]);
    expect(fitted.losses).toEqual([1]);
  });

  it("solves each user as ridge regression in als, hence folds one in to the same vector", async () => {
    const { train } = planted();
    const model = await fit("svd", train, { factors: 4, solver: "als", iterations: 60, regularization: 2 });
    const [known, folded] = [await vectorOf(model, { userIndex: 9 }), await vectorOf(model, { history: historyOf(train, 9) })];
    known.forEach((value, d) => {
      expect(Math.abs(folded[d] - value)).toBeLessThan(0.02);
    });
  });

  it("tells of divergence, naming the epoch and what to lower", async () => {
    const error = await fit("svd", planted().train, { learningRate: 3 }).catch((cause) => cause);
    expect(error.code).toBe("E_TRAINING");
    expect(error.message).toMatch(/diverged: in epoch \d/);
    expect(error.hint).toMatch(/learningRate/);
    await expectError(fit("svd++", planted().train, { learningRate: 3 }), "E_TRAINING", /diverged/);
  });

  it("ignores events of unknown users, and says when there are no others", async () => {
    const { train } = planted();
    const more = Interactions.fromArrays({
      userIndex: [-1, ...train.userIndex],
      itemIndex: [0, ...train.itemIndex],
      weight: [1000, ...train.weight],
      numUsers: train.numUsers,
      numItems: train.numItems,
    });
    for (const solver of ["sgd", "als"]) {
      const [a, b] = [await fit("svd", train, { solver, epochs: 3 }), await fit("svd", more, { solver, epochs: 3 })];
      expect([...b.fitted.state().arrays.item_factors.data]).toEqual([...a.fitted.state().arrays.item_factors.data]);
    }
    await expectError(fit("svd", Interactions.fromArrays({ userIndex: [-1], itemIndex: [0] })), "E_DATA", /known user/);
  });
});

describe("svd++", () => {
  it("adds what the items of a history say by themselves", async () => {
    const { train } = planted();
    const model = await fit("svd++", train, { factors: 4, epochs: 20 });
    const { implicit_factors: implicit, user_factors: own } = model.fitted.state().arrays;
    const items = [...new Set(historyOf(train, 2).map(({ itemIndex }) => itemIndex))];
    const { scale } = model.fitted.state().extra as { scale: number };
    const vector = await vectorOf(model, { userIndex: 2 });
    for (let d = 0; d < 4; d++) {
      const sum = items.reduce((total, item) => total + implicit.data[item * 4 + d], 0) / Math.sqrt(items.length);
      expect(vector[d]).toBeCloseTo(scale * (own.data[2 * 4 + d] + sum), 4);
    }
  });

  it("learns what is told by rating at all: better than svd where items are chosen by taste", async () => {
    // users of taste ±1 rate mostly items of their sign, and only 3 of them
    const random = createRandom(3);
    const rows: { user: number; item: number; rating: number }[] = [];
    for (let user = 0; user < 400; user++) {
      const taste = user % 2 === 0 ? 1 : -1;
      for (let k = 0; k < 8; k++) {
        const own = random.uniform() < 0.9;
        const item = 2 * random.integer(30) + (own === taste > 0 ? 0 : 1);
        rows.push({ user, item, rating: 3 + taste * (item % 2 === 0 ? 1 : -1) * 0.5 + 0.8 * random.normal() });
      }
    }
    const of = (kept: typeof rows) =>
      Interactions.fromArrays({
        userIndex: kept.map(({ user }) => user),
        itemIndex: kept.map(({ item }) => item),
        weight: kept.map(({ rating }) => Math.max(0, rating)),
        numUsers: 400,
        numItems: 60,
      });
    const [train, test] = [of(rows.filter((_, k) => k % 4 > 0)), of(rows.filter((_, k) => k % 4 === 0))];
    const error = async (name: string) => rmse(await fit(name, train, { factors: 8 }), test);
    expect(await error("svd++")).toBeLessThan(await error("svd"));
  });
});
