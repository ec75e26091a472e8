import { describe, expect, it } from "vitest";
import { Interactions } from "../../src/data/interactions.js";
import { fit, getModel, listModels } from "../../src/models/registry.js";
import { describeModel } from "../contracts/model.js";
import { expectError } from "../support/errors.js";
import { DAY, fixture } from "../support/fixture.js";
import { smallParams } from "../support/small-params.js";

const variants: Record<string, Record<string, unknown>[]> = {
  popularity: [{ windowDays: 60 }, { halfLifeDays: 30, count: "users" }, { count: "weight" }, { audience: "newcomers", halfLifeDays: 60 }],
  repeat: [{ halfLifeDays: 20 }, { count: "events" }, { loyaltyExponent: 0.5 }, { demandExponent: 0.3, demandDays: 40 }],
  "item-knn": [
    { similarity: "tf-idf", weighting: "log", shrinkage: 10, normalizeRows: true },
    { similarity: "bm25", weighting: "linear", selfSimilarity: false },
    { similarity: "jaccard", historyDecay: 0.7 },
    { similarity: "conditional", weighting: "linear" },
  ],
  "user-knn": [
    { similarity: "tf-idf", weighting: "linear", shrinkage: 3, neighbours: 7 },
    { similarity: "bm25", weighting: "binary" },
    { similarity: "conditional", alpha: 1 },
  ],
  "gf-cf": [{ alpha: 2, factors: 5, weighting: "linear", neighbours: 6 }, { weighting: "log" }],
  rp3beta: [
    { alpha: 0.6, weighting: "binary", neighbours: 30, normalizeRows: false },
    { alpha: 1.5, beta: 0, weighting: "linear" },
  ],
  markov: [
    { reverse: 0, historyDecay: 0, smoothing: 0 },
    { halfLifeDays: 20, neighbours: 5, acrossBaskets: 1, popularityDiscount: 0.3 },
  ],
  bpr: [
    { factors: 5, negatives: "popularity", epochs: 3 },
    { positives: "pairs", regularization: 0, epochs: 2, factors: 130 },
  ],
  warp: [{ factors: 5, maxTrials: 50, epochs: 3 }],
  "logistic-mf": [{ optimizer: "adam", learningRate: 0.01, epochs: 3, numNegatives: 2, factors: 20 }],
  als: [
    { factors: 5, solver: "cholesky" },
    { regularization: 0.1, regularizationExponent: 1, unobservedWeight: 0.1, factors: 20 },
    { factors: 40, solver: "ials++", alpha: 20 },
    { target: "value", itemWeights: "log", featureWeightExponent: 0.3, unobservedWeight: 0.01, regularization: 0.07, factors: 5 },
    { target: "value", itemWeights: "linear", solver: "ials++", factors: 17 },
  ],
  svd: [
    { factors: 5, solver: "als" },
    { factors: 70, epochs: 8, regularizationExponent: 1 },
  ],
  ultragcn: [{ factors: 5, neighbours: 2, negatives: 2, epochs: 6, weighting: "binary" }],
  "svd++": [{ factors: 5, epochs: 10, implicitRegularization: 1 }],
  slim: [
    { nonNegative: false, topN: 4 },
    { binary: false, candidates: 6 },
    { regularization: 0, l1Regularization: 0 },
  ],
  ease: [{ topN: 5 }, { binary: false }, { regularization: 1 }],
};

for (const definition of listModels()) {
  describeModel(definition, definition.needs ? smallParams[definition.name] : {});
  for (const params of variants[definition.name] ?? []) describeModel(definition, params);
}

describe("registry", () => {
  it("names the nearest models of a misspelt one", async () => {
    await expectError(() => getModel("popularty"), "E_NOT_FOUND", /popularity/);
    await expectError(fit("als", fixture(), { factor: 3 }), "E_CONFIG", /Did you mean factors/);
    await expectError(fit("als", fixture(), { factors: "many" }), "E_CONFIG", /factors is "many"/);
    await expectError(fit("als", fixture(), {}, { threads: 0 }), "E_CONFIG", /threads/);
  });
});

describe("popularity", () => {
  const data = Interactions.fromArrays({
    userIndex: [0, 0, 1, -1, 1],
    itemIndex: [0, 0, 1, 1, 2],
    weight: [1, 1, 5, 1, 1],
    timestamp: [0, 0, 4 * DAY, 9 * DAY, 10 * DAY],
  });
  const scores = async (params: Record<string, unknown>) => {
    const { itemIndex, score } = await (await fit("popularity", data, params)).recommend({}, { topK: 3 });
    return Object.fromEntries([...itemIndex].map((item, r) => [item, score[r]]));
  };

  it("counts events, users or weights", async () => {
    expect(await scores({})).toEqual({ 0: 2, 1: 2, 2: 1 });
    expect(await scores({ count: "users" })).toEqual({ 0: 1, 1: 2, 2: 1 });
    expect(await scores({ count: "weight" })).toEqual({ 0: 2, 1: 6, 2: 1 });
  });

  it("looks at the last days only, or lets events fade", async () => {
    expect(await scores({ windowDays: 5 })).toEqual({ 0: 0, 1: 1, 2: 1 });
    const faded = await scores({ halfLifeDays: 5 });
    expect(faded[0]).toBeCloseTo(2 * 2 ** -2, 6);
    expect(faded[1]).toBeCloseTo(2 ** (-6 / 5) + 2 ** (-1 / 5), 6);
    expect(faded[2]).toBe(1);
  });

  it("counts the events of guests, or the first basket of each user", async () => {
    expect(await scores({ audience: "guests" })).toEqual({ 0: 0, 1: 1, 2: 0 });
    expect(await scores({ audience: "newcomers" })).toEqual({ 0: 1, 1: 1, 2: 0 }); // without baskets the first event of each user
    const shop = Interactions.fromArrays({
      userIndex: [0, 0, 0, 1, 1, -1],
      itemIndex: [0, 1, 2, 1, 2, 2],
      timestamp: [2 * DAY, DAY, DAY, DAY, 3 * DAY, 0],
      basket: [5, 4, 4, 3, 6, 2],
    });
    const { itemIndex, score } = await (await fit("popularity", shop, { audience: "newcomers" })).recommend({}, { topK: 3 });
    expect([...itemIndex]).toEqual([1, 2, 0]); // basket 4 of user 0, basket 3 of user 1
    expect([...score]).toEqual([2, 1, 0]);
  });

  it("has nothing to count among guests where every event has a user", async () => {
    const named = Interactions.fromArrays({ userIndex: [0], itemIndex: [0] });
    await expectError(fit("popularity", named, { audience: "guests" }), "E_DATA", /guests.*every event has a user/);
  });

  it("needs timestamps for a window", async () => {
    await expectError(
      fit("popularity", Interactions.fromArrays({ userIndex: [0], itemIndex: [0] }), { windowDays: 3 }),
      "E_DATA",
      /timestamps/,
    );
  });
});

describe("repeat", () => {
  // user 0: item 3 in two baskets, item 1 twice in one basket and once in another, item 2 once
  const data = Interactions.fromArrays({
    userIndex: [0, 0, 0, 0, 0, 0, 1, 1],
    itemIndex: [3, 1, 1, 3, 1, 2, 1, 0],
    basket: [0, 0, 0, 1, 1, 1, 2, 2],
    timestamp: [0, 0, 0, DAY, DAY, DAY, DAY, DAY],
    numItems: 5,
  });

  it("orders own items by distinct baskets, ties and the rest by popularity", async () => {
    const { itemIndex } = await (await fit("repeat", data)).recommend({ userIndex: 0 }, { topK: 5, excludeSeen: false });
    expect([...itemIndex]).toEqual([1, 3, 2, 0, 4]); // 1 and 3 tie at two baskets; 1 has more events
  });

  it("counts events when asked to", async () => {
    const { itemIndex, score } = await (await fit("repeat", data, { count: "events" })).recommend(
      { userIndex: 0 },
      { topK: 2, excludeSeen: false },
    );
    expect([...itemIndex]).toEqual([1, 3]);
    expect(Math.floor(score[0])).toBe(1 + 3);
  });

  it("explains an own item by itself, any other by its popularity", async () => {
    const model = await fit("repeat", data);
    const own = await model.explain({ userIndex: 0 }, 3); // two baskets; popularity 2 of at most 4
    expect(own.score).toBeCloseTo(1 + 2 + 1 / 3, 6);
    expect(own.base).toBeCloseTo(2 / 5, 6);
    expect(own).toMatchObject({ itemIndex: Int32Array.of(3) });
    expect(await model.explain({ userIndex: 0 }, 0)).toMatchObject({ base: Math.fround(1 / 5), itemIndex: new Int32Array(0) });
  });

  it("prefers items that their buyers take again", async () => {
    // items 0 and 1 once each by user 0; user 1 took item 1 in all of three baskets, item 0 in one of them
    const baskets = Interactions.fromArrays({
      userIndex: [0, 0, 0, 1, 1, 1, 1],
      itemIndex: [0, 0, 1, 0, 1, 1, 1],
      basket: [0, 0, 0, 1, 1, 2, 3],
      timestamp: [0, 0, 0, 1, 1, 2, 3],
    });
    const { itemIndex, score } = await (await fit("repeat", baskets, { loyaltyExponent: 1 })).recommend(
      { userIndex: 0 },
      { topK: 2, excludeSeen: false },
    );
    // again 0 and 2 of 2 chances each, mean 1/2: chances (0 + 10) / 22 and (2 + 10) / 22
    expect([...itemIndex]).toEqual([1, 0]);
    expect(score[0]).toBeCloseTo(1 + 12 / 11, 6);
    expect(score[1]).toBeCloseTo(1 + 10 / 11, 6);
  });

  it("prefers items that sell of late", async () => {
    // within the last 5 days items 0, 1, 2 have 0, 2 and 1 events: demand (1 + 0) / 2, (1 + 2) / 2, (1 + 1) / 2
    const sales = Interactions.fromArrays({
      userIndex: [0, 0, 1, 1, 1],
      itemIndex: [0, 1, 1, 1, 2],
      timestamp: [0, 0, 9 * DAY, 9 * DAY, 10 * DAY],
    });
    const { itemIndex, score } = await (await fit("repeat", sales, { demandExponent: 2, demandDays: 5 })).recommend(
      { userIndex: 0 },
      { topK: 2, excludeSeen: false },
    );
    expect([...itemIndex]).toEqual([1, 0]);
    expect([...score]).toEqual([1 + 1.5 ** 2, 1 + 0.5 ** 2]);
    const timeless = Interactions.fromArrays({ userIndex: [0], itemIndex: [0] });
    await expectError(fit("repeat", timeless, { demandExponent: 1 }), "E_DATA", /timestamps/);
  });

  it("scores a given history as it scores the same training events", async () => {
    const model = await fit("repeat", data, { halfLifeDays: 0.5 });
    const history = [
      { itemIndex: 3, basket: 0, timestamp: 0 },
      { itemIndex: 1, basket: 0, timestamp: 0 },
      { itemIndex: 1, basket: 0, timestamp: 0 },
      { itemIndex: 3, basket: 1, timestamp: DAY },
      { itemIndex: 1, basket: 1, timestamp: DAY },
      { itemIndex: 2, basket: 1, timestamp: DAY },
    ];
    const options = { topK: 5, excludeSeen: false };
    expect(await model.recommend({ history }, options)).toEqual(await model.recommend({ userIndex: 0 }, options));
  });
});

describe("bias", () => {
  it("predicts mean plus shrunk deviations, by hand", async () => {
    const data = Interactions.fromArrays({ userIndex: [0, 0, 1], itemIndex: [0, 1, 0], weight: [5, 3, 1], numUsers: 3, numItems: 3 });
    const { fitted } = await fit("bias", data, { itemShrinkage: 1, userShrinkage: 2 });
    // μ = 3; items: (2 − 2) / 3 = 0, 0 / 2 = 0, none; users: (2 + 0) / 4 = 0.5, −2 / 3, none
    const out = new Float32Array(9);
    await fitted.scoreAll!([{ userIndex: 0 }, { userIndex: 1 }, { history: [{ itemIndex: 1, weight: 1 }] }], out);
    [3.5, 3.5, 3.5, 3 - 2 / 3, 3 - 2 / 3, 3 - 2 / 3, 3 - 2 / 3, 3 - 2 / 3, 3 - 2 / 3].forEach((rating, at) => {
      expect(out[at]).toBeCloseTo(rating, 6);
    });
    const some = new Float32Array(2);
    await fitted.scoreCandidates!([{ userIndex: 1 }], Int32Array.of(2, 0), some);
    expect([...some]).toEqual([out[5], out[3]]);
  });
});

describe("als", () => {
  it("lowers its loss in every exact sweep", async () => {
    const model = await fit("als", fixture(), { factors: 8, solver: "cholesky", iterations: 12 });
    const losses = model.fitted.losses!;
    expect(losses.length).toBe(12);
    for (let i = 1; i < losses.length; i++) expect(losses[i]).toBeLessThanOrEqual(losses[i - 1] * (1 + 1e-5));
  });

  it("reaches the same loss with both solvers and after relabelling", async () => {
    const data = fixture();
    const last = async (train: Interactions, solver: string) =>
      (await fit("als", train, { factors: 8, solver, iterations: 60, regularization: 20 })).fitted.losses!.at(-1)!;
    const exact = await last(data, "cholesky");
    expect(Math.abs((await last(data, "cg")) / exact - 1)).toBeLessThan(1e-2);
    const swapped = Interactions.fromArrays({
      ...data,
      itemIndex: data.itemIndex.map((item) => data.numItems - 1 - item),
      items: undefined,
    });
    expect(Math.abs((await last(swapped, "cholesky")) / exact - 1)).toBeLessThan(1e-2);
  });

  it("ranks a user folded in from the training history like the trained user", async () => {
    const data = fixture({ events: 900 });
    const model = await fit("als", data, { factors: 6, solver: "cholesky", iterations: 40, regularization: 5 });
    const { offsets, indices, values } = data.matrixByUser();
    const history = Array.from({ length: offsets[5] - offsets[4] }, (_, e) => ({
      itemIndex: indices[offsets[4] + e],
      weight: values[offsets[4] + e],
    }));
    const options = { topK: data.numItems, excludeSeen: false };
    const trained = await model.recommend({ userIndex: 4 }, options);
    const folded = await model.recommend({ history }, options);
    folded.itemIndex.forEach((item, r) => {
      expect(Math.abs(folded.score[r] - trained.score[trained.itemIndex.indexOf(item)])).toBeLessThan(0.02);
    });
  });

  it("finds items of the same taste similar", async () => {
    const model = await fit("als", fixture({ events: 2000 }), { factors: 8 });
    const { itemIndex, score, source } = await model.similarItems(0, { topK: 5 });
    expect(source).toBe("als");
    expect(itemIndex.includes(0)).toBe(false);
    expect(score[0]).toBeLessThanOrEqual(1.0001);
    expect([...(await model.similarItems(0, { topK: 2, include: [...itemIndex.slice(1, 3)] })).itemIndex]).toEqual([
      ...itemIndex.slice(1, 3),
    ]);
    expect((await model.similarItems(fixture().numItems - 1)).itemIndex.length).toBe(0); // without events
    await expectError((await fit("popularity", fixture())).similarItems(0), "E_CONFIG", /similar/);
  });

  it("takes a regularization from the data that neither overfits nor wipes the factors out", async () => {
    const lambda = async (data: Interactions, params = {}) =>
      (await fit("als", data, { iterations: 1, ...params })).fitted.state().extra!.regularization as number;
    const dense = await lambda(fixture({ events: 2000 }));
    const sparse = fixture({ numUsers: 600, numItems: 900, events: 1500 });
    expect(await lambda(sparse)).toBeLessThan(dense);
    expect(await lambda(sparse, { alpha: 40 })).toBeGreaterThan(5 * (await lambda(sparse)));
    expect(await lambda(sparse, { regularization: 0.5 })).toBe(0.5);
    const model = await fit("als", sparse);
    expect(Math.max(...model.fitted.vectors!.itemVectors)).toBeGreaterThan(0.01);
    const scaled = await lambda(sparse, { regularizationExponent: 1 }); // the mean of λ over the rows stays
    expect(scaled * (1.5 + 600)).toBeLessThan(3 * (await lambda(sparse)));
  });

  it("needs a weight for unobserved pairs unless it learns values", async () => {
    await expectError(fit("als", fixture(), { unobservedWeight: 0 }), "E_CONFIG", /unobservedWeight/);
  });

  it("stops in the middle of training", async () => {
    const controller = new AbortController();
    const onProgress = ({ done }: { done: number }) => done === 2 && controller.abort();
    await expectError(fit("als", fixture(), { iterations: 50 }, { signal: controller.signal, onProgress }), "E_CANCELLED");
  });
});
