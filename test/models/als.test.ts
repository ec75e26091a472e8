/**
 * als beyond its contracts: the weighted objective computed here cell by cell, equal losses of the solvers, explanations by hand,
 * folded-in rows, refits, checkpoints, and extreme ratings. Side features have als-features.test.ts.
 */
import { describe, expect, it } from "vitest";
import type { ModelState } from "../../src/core/model.js";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit, refit } from "../../src/models/registry.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, value, k) => sum + value * b[k], 0);

/** W and A of the header of als.ts, dense, and the objective with its gradient by user and item. */
function dense(data: Interactions, params: Record<string, unknown>, state: ModelState) {
  const { factors, alpha = 1, unobservedWeight, target, itemWeights, regularization } = params as Record<string, number>;
  const [users, items] = [state.arrays.user_factors.data, state.arrays.item_factors.data] as Float32Array[];
  const row = (rows: Float32Array, r: number) => rows.subarray(r * factors, (r + 1) * factors);
  const values = Array.from({ length: data.numUsers }, () => new Array<number | undefined>(data.numItems).fill(undefined));
  data.userIndex.forEach((user, e) => {
    if (user >= 0) values[user][data.itemIndex[e]] = (values[user][data.itemIndex[e]] ?? 0) + data.weight[e];
  });
  const counts = Array.from({ length: data.numItems }, (_, item) => values.filter((of) => of[item] !== undefined).length);
  const itemWeight = (item: number) =>
    (itemWeights as unknown) === "log"
      ? (1 / counts[item]) ** (params.featureWeightExponent as number)
      : (itemWeights as unknown) === "linear"
        ? (params.observedWeight as number) / counts[item]
        : 1;
  let loss = regularization * (dot(users, users) + dot(items, items));
  const gradient = Float64Array.from(users, (value) => regularization * value);
  for (let u = 0; u < data.numUsers; u++)
    for (let i = 0; i < data.numItems; i++) {
      const value = values[u][i];
      const isValue = (target as unknown) === "value";
      const weight = unobservedWeight + (value === undefined ? 0 : alpha * (isValue ? 1 : value) * itemWeight(i));
      const error = (value === undefined ? 0 : isValue ? value : 1) - dot(row(users, u), row(items, i));
      loss += weight * error ** 2;
      for (let d = 0; d < factors; d++) gradient[u * factors + d] -= weight * error * items[i * factors + d];
    }
  return { loss, gradient };
}

const objectives: Record<string, Record<string, unknown>> = {
  "implicit confidence": { alpha: 3, unobservedWeight: 0.2, regularization: 0.5 },
  "WALS, log": { target: "value", itemWeights: "log", featureWeightExponent: 0.3, unobservedWeight: 0.01, regularization: 0.07 },
  "WALS, linear": { target: "value", itemWeights: "linear", observedWeight: 100, unobservedWeight: 0.01, regularization: 0.07 },
  "item weights on confidence": {
    itemWeights: "log",
    featureWeightExponent: 0.5,
    alpha: 2,
    unobservedWeight: 0.3,
    regularization: 1,
  },
  "ratings, observed pairs alone": { target: "value", unobservedWeight: 0, regularization: 0.5 },
};

describe.each(Object.entries(objectives))("%s", (_, given) => {
  const data = fixture();
  const params = { factors: 4, ...given };

  it("reports the objective, cell by cell, and folds training rows in at its minimum", async () => {
    const model = await fit("als", data, { ...params, solver: "cholesky", iterations: 300 });
    const { loss } = dense(data, params, model.fitted.state());
    expect(model.fitted.losses!.at(-1)! / loss).toBeCloseTo(1, 4);
    const losses = model.fitted.losses!;
    for (let k = 1; k < losses.length; k++) expect(losses[k]).toBeLessThanOrEqual(losses[k - 1] * (1 + 1e-5));

    const { offsets, indices, values } = data.matrixByUser();
    const state = structuredClone(model.fitted.state());
    const queries = Array.from({ length: data.numUsers }, (_, user) => ({
      history: Array.from(indices.subarray(offsets[user], offsets[user + 1]), (itemIndex, e) => ({
        itemIndex,
        weight: values[offsets[user] + e],
      })),
    }));
    const folded = new Float32Array(data.numUsers * params.factors);
    await model.fitted.vectors!.encode(queries, folded);
    const { gradient } = dense(data, params, { arrays: { ...state.arrays, user_factors: { shape: [], data: folded } } });
    const size = dense(data, params, { arrays: { ...state.arrays, user_factors: { shape: [], data: folded.map((x) => 2 * x) } } }).gradient;
    expect(Math.max(...gradient.map(Math.abs)) / Math.max(...size.map(Math.abs))).toBeLessThan(1e-4);
  });

  it("reaches the same loss with every solver", async () => {
    const last = async (solver: string) =>
      (await fit("als", data, { ...params, factors: 20, solver, iterations: 300, regularization: 4 })).fitted.losses!.at(-1)!;
    const exact = await last("cholesky");
    for (const solver of ["cg", "ials++", "auto"]) expect(Math.abs((await last(solver)) / exact - 1)).toBeLessThan(1e-3);
  });

  it("explains the folded-in score to the last part, and by the formula", async () => {
    const model = await fit("als", data, { ...params, solver: "cholesky", iterations: 5 });
    const history = [{ itemIndex: 1, weight: 2 }, { itemIndex: 4 }, { itemIndex: 1 }];
    const { score, base, itemIndex, contribution } = await model.fitted.explain!({ history }, 7);
    expect(new Set(itemIndex)).toEqual(new Set([1, 4]));
    expect(Math.abs(base)).toBeLessThan(1e-4 * Math.max(...contribution.map(Math.abs)));
    expect(contribution.reduce((sum, value) => sum + value, base)).toBeCloseTo(score, 5);
    // an item's share vanishes with what its pair aims at: without item 4 in b, x is W · (rest of b)
    expect(contribution[0]).toBeGreaterThanOrEqual(contribution[1]);
    const known = await model.fitted.explain!({ userIndex: 3 }, 7);
    const out = new Float32Array(params.factors);
    await model.fitted.vectors!.encode([{ userIndex: 3 }], out);
    const itemVectors = model.fitted.vectors!.itemVectors;
    expect(known.score).toBeCloseTo(dot(out, itemVectors.subarray(7 * params.factors, 8 * params.factors)), 5);
    expect(known.contribution.reduce((sum, value) => sum + value, known.base)).toBeCloseTo(known.score, 5);
  });
});

it("explains one factor by hand", async () => {
  const data = Interactions.fromArrays({ userIndex: [0, 0, 1, 1], itemIndex: [0, 1, 1, 2], weight: [2, 1, 3, 1] });
  const model = await fit("als", data, { factors: 1, alpha: 2, unobservedWeight: 0.5, regularization: 0.3, solver: "cholesky" });
  const [y0, y1, y2] = model.fitted.vectors!.itemVectors;
  const { contribution, itemIndex } = await model.fitted.explain!({ userIndex: 0 }, 2);
  const w = 1 / (0.5 * (y0 ** 2 + y1 ** 2 + y2 ** 2) + 4 * y0 ** 2 + 2 * y1 ** 2 + 0.3);
  const by = { 0: 4.5 * y0 * w * y2, 1: 2.5 * y1 * w * y2 };
  for (const k of [0, 1]) expect(contribution[k]).toBeCloseTo(by[itemIndex[k] as 0 | 1], 5);
});

it("learns ratings better than the mean of each item", async () => {
  // a rank-1 taste over ratings 1 to 5: half of the pairs are known
  const taste = (user: number, item: number) => 3 + 2 * Math.sin(user * 1.7) * Math.cos(item * 2.3);
  const pairs = Array.from({ length: 60 * 40 }, (_, k) => ({ user: Math.floor(k / 40), item: k % 40 }));
  const random = createRandom(2);
  const known = pairs.filter(() => random.uniform() < 0.6);
  const data = Interactions.fromArrays({
    userIndex: known.map(({ user }) => user),
    itemIndex: known.map(({ item }) => item),
    weight: known.map(({ user, item }) => taste(user, item)),
    numItems: 40,
  });
  const params = { target: "value", unobservedWeight: 0, factors: 4, regularization: 0.1, iterations: 60, initScale: 1 };
  const { itemIndex, score } = await (await fit("als", data, params)).recommend({ userIndex: 5 }, { topK: 40, excludeSeen: false });
  const errors = Array.from(itemIndex, (item, r) => score[r] - taste(5, item));
  const spread = Array.from({ length: 40 }, (_, item) => taste(5, item) - 3);
  expect(dot(errors, errors)).toBeLessThan(0.05 * dot(spread, spread));
});

it("fits ratings of any unit alike", async () => {
  const data = fixture();
  const params = { target: "value", itemWeights: "log", factors: 6, regularization: 2, iterations: 30, solver: "cholesky" };
  const scores = async (unit: number) => {
    const scaled = Interactions.fromArrays({ ...data, weight: data.weight.map((weight) => weight * unit) });
    const model = await fit("als", scaled, { ...params, regularization: 2 * unit });
    const known = await model.recommend({ userIndex: 3 }, { topK: 5 });
    const { offsets, indices, values } = scaled.matrixByUser();
    const history = Array.from(indices.subarray(offsets[3], offsets[4]), (itemIndex, e) => ({ itemIndex, weight: values[offsets[3] + e] }));
    const folded = await model.recommend({ history }, { topK: 5 });
    return [known, folded].map(({ score }) => [...score].map((value) => value / unit));
  };
  const [plain, huge] = [await scores(1), await scores(2 ** 80)];
  plain.flat().forEach((value, r) => {
    expect(huge.flat()[r]).toBeCloseTo(value, 1);
  });
});

it("counts every weight beyond 2^30 as 2^30", async () => {
  const data = fixture();
  const at = async (weight: number) => {
    const heavy = Interactions.fromArrays({ ...data, weight: data.weight.map((value, e) => (e % 7 === 0 ? weight : value)) });
    return (await fit("als", heavy, { iterations: 3 })).fitted.state().arrays.item_factors.data;
  };
  expect(await at(2 ** 30)).toEqual(await at(2 ** 90));
});

describe("partial refit", () => {
  const all = fixture({ numUsers: 60, numItems: 50, events: 2600, seed: 3 });
  const first = Interactions.fromArrays({
    ...all,
    ...Object.fromEntries(
      (["userIndex", "itemIndex", "weight", "timestamp", "basket"] as const).map((column) => [column, all[column]!.subarray(0, 2200)]),
    ),
    users: undefined,
    items: undefined,
  });

  it("comes close to the full fit, and knows new users and items", async () => {
    const params = { factors: 8, solver: "cholesky", iterations: 40 };
    const grown = Interactions.fromArrays({
      userIndex: [...all.userIndex, 60, 60, 60],
      itemIndex: [...all.itemIndex, 2, 5, 50],
      weight: [...all.weight, 2, 2, 2],
    });
    const again = await refit(await fit("als", first, params), grown);
    const full = await fit("als", grown, params);
    expect(again.fitted.losses!.length).toBe(2);
    expect(again.fitted.losses![1] / full.fitted.losses!.at(-1)!).toBeLessThan(1.01);
    expect((await again.recommend({ userIndex: 60 })).source).toBe("als");
    expect(again.fitted.vectors!.itemVectors.slice(50 * 8).some((value) => value !== 0)).toBe(true);
  });

  it("leaves the earlier model alone, and gives the same bytes for any threads", async () => {
    const model = await fit("als", first, { factors: 8, target: "value" });
    const before = structuredClone(model.fitted.state());
    const [one, two] = [await refit(model, all, { threads: 1 }), await refit(model, all, { threads: 2 })];
    expect(one.fitted.state()).toEqual(two.fitted.state());
    expect(model.fitted.state()).toEqual(before);
    await expectError(refit(model, all, { signal: AbortSignal.abort() }), "E_CANCELLED");
  });
});
