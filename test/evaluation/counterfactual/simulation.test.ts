/**
 * Estimators against the true value of a policy in a world where it is known: three kinds of users, six items, click probabilities per
 * kind and item, a logging policy that prefers some items, and a target that prefers others. Seeded; bounds are in standard errors.
 */
import { describe, expect, test } from "vitest";
import { createRandom, type Random } from "../../../src/core/random.js";
import { split } from "../../../src/data/splits.js";
import { type Estimator, evaluatePolicy, loggedValue } from "../../../src/evaluation/counterfactual/evaluate-policy.js";
import type { LoggedImpressions } from "../../../src/evaluation/counterfactual/logged-rows.js";
import { greedyPolicy, policyOnLog, softmaxPolicy, type TargetPolicy } from "../../../src/evaluation/counterfactual/policy.js";
import { fit } from "../../../src/models/registry.js";
import { expectError } from "../../support/errors.js";
import { fixture } from "../../support/fixture.js";

const KINDS = 3;
const ITEMS = 6;
const USERS = 30; // user u is of kind u % 3

/** Click probability: items differ more than kinds. */
const clicks = (kind: number, item: number) => 0.1 + 0.12 * item + (kind === item % KINDS ? 0.15 : 0);
const normalised = (weights: number[]) => weights.map((weight) => weight / weights.reduce((a, b) => a + b, 0));
const loggingOf = (kind: number) => normalised(Array.from({ length: ITEMS }, (_, item) => (item === kind ? 4 : 1)));
const targetOf = (kind: number) => normalised(Array.from({ length: ITEMS }, (_, item) => (item === 5 - kind ? 6 : item >= 3 ? 2 : 0.5)));

const target: TargetPolicy = {
  name: "target",
  candidates: Int32Array.from({ length: ITEMS }, (_, item) => item),
  probabilities: async (users) => Float64Array.from(Array.from(users, (user) => targetOf(user % KINDS)).flat()),
};

function draw(probabilities: number[], random: Random): number {
  let left = random.uniform();
  for (let item = 0; item < probabilities.length; item++) {
    left -= probabilities[item];
    if (left < 0) return item;
  }
  return probabilities.length - 1;
}

/** `users` known: one of 30 to each row; else each row's kind stays unknown to intervals but not to the policy. */
function simulate(rows: number, random: Random): LoggedImpressions {
  const userIndex = Int32Array.from({ length: rows }, () => random.integer(USERS));
  const itemIndex = userIndex.map((user) => draw(loggingOf(user % KINDS), random));
  return {
    userIndex,
    itemIndex,
    numItems: ITEMS,
    propensity: Float64Array.from(itemIndex, (item, row) => loggingOf(userIndex[row] % KINDS)[item]),
    reward: Float64Array.from(itemIndex, (item, row) => (random.uniform() < clicks(userIndex[row] % KINDS, item) ? 1 : 0)),
  };
}

const truth = (policy: (kind: number) => number[]) =>
  [0, 1, 2].reduce((sum, kind) => sum + policy(kind).reduce((one, p, item) => one + p * clicks(kind, item), 0) / KINDS, 0);

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const variance = (values: number[]) => mean(values.map((value) => (value - mean(values)) ** 2));

describe("600 logs of 400 impressions", async () => {
  const RUNS = 600;
  const random = createRandom(2024);
  const value = truth(targetOf);
  const found: Record<Estimator, number[]> = { ips: [], snips: [], dr: [], dm: [] };
  const covered: Record<Estimator, number> = { ips: 0, snips: 0, dr: 0, dm: 0 };
  for (let run = 0; run < RUNS; run++) {
    const log = simulate(400, random);
    const onLog = await policyOnLog(log, target);
    for (const { estimator, value: estimate, low, high } of evaluatePolicy(log, onLog).estimates) {
      found[estimator].push(estimate);
      if (low <= value && value <= high) covered[estimator]++;
    }
  }
  const bias = (estimator: Estimator) => mean(found[estimator]) - value;
  const error = (estimator: Estimator) => Math.sqrt(variance(found[estimator]) / RUNS);

  test("the target is worth more than what was logged, so that there is something to tell", () => {
    expect(truth(targetOf) - truth(loggingOf)).toBeGreaterThan(0.1);
  });

  test.each<Estimator>(["ips", "snips", "dr"])("%s meets the true value", (estimator) => {
    expect(Math.abs(bias(estimator))).toBeLessThan(3.5 * error(estimator));
    expect(error(estimator)).toBeLessThan(0.01);
  });

  test("the direct method does not: its model knows no kinds of users", () => {
    expect(Math.abs(bias("dm"))).toBeGreaterThan(5 * error("dm"));
  });

  test("doubly robust varies less than ips, and so does snips", () => {
    expect(variance(found.dr)).toBeLessThan(0.9 * variance(found.ips));
    expect(variance(found.snips)).toBeLessThan(variance(found.ips));
  });

  test.each<Estimator>(["ips", "snips", "dr"])("the 95 %% interval of %s holds the truth about so often", (estimator) => {
    expect(covered[estimator] / RUNS).toBeGreaterThan(0.91);
    expect(covered[estimator] / RUNS).toBeLessThan(0.985);
  });
});

test("doubly robust is right when either the propensities or the reward model are", async () => {
  const random = createRandom(7);
  const value = truth(targetOf);
  const log = simulate(60_000, random);
  const kindOf = (row: number) => log.userIndex![row] % KINDS;
  const rows = Array.from(log.itemIndex);
  const probability = Float64Array.from(rows, (item, row) => targetOf(kindOf(row))[item]);
  const predicted = Float64Array.from(rows, (item, row) => clicks(kindOf(row), item));
  const expected = Float64Array.from(rows, (_, row) =>
    targetOf(kindOf(row)).reduce((sum, p, item) => sum + p * clicks(kindOf(row), item), 0),
  );
  const dr = (propensity: Float64Array, shift: number) =>
    evaluatePolicy(
      { ...log, userIndex: undefined, propensity },
      { name: "target", probability, predicted: predicted.map((p) => p + shift), expected: expected.map((p) => p + shift) },
    ).estimates[2];
  const wrong = log.propensity.map((p, row) => (log.itemIndex[row] % 2 ? p : p / 2));
  for (const right of [dr(log.propensity, 0.4), dr(wrong, 0)]) expect(Math.abs(right.value - value)).toBeLessThan(4 * right.standardError);
  const both = dr(wrong, 0.4);
  expect(Math.abs(both.value - value)).toBeGreaterThan(10 * both.standardError);
});

describe("policies of a recommender", async () => {
  const { train } = split(fixture({ events: 500 }), { by: "time", testFraction: 0.2 });
  const model = await fit("als", train, { factors: 4, iterations: 3 }, { threads: 1 });
  const candidates = Int32Array.of(9, 3, 20, 0, 14);

  test("greedy shows its best candidate, softmax all of them in the order of their scores", async () => {
    const users = Int32Array.of(0, 4, 7);
    const greedy = await greedyPolicy(model, candidates).probabilities(users);
    const softmax = await softmaxPolicy(model, candidates, 0.5).probabilities(users);
    for (const [q, userIndex] of users.entries()) {
      const list = await model.recommend({ userIndex }, { topK: 5, include: candidates, excludeSeen: false });
      const own = Array.from(candidates, (item, column) => ({ item, p: softmax[q * 5 + column], best: greedy[q * 5 + column] }));
      expect(own.filter(({ best }) => best === 1).map(({ item }) => item)).toEqual([list.itemIndex[0]]);
      expect(own.reduce((sum, { p }) => sum + p, 0)).toBeCloseTo(1, 12);
      const score = new Map(Array.from(list.itemIndex, (item, place) => [item, list.score[place]]));
      for (const a of own) for (const b of own) expect(Math.log(a.p / b.p)).toBeCloseTo((score.get(a.item)! - score.get(b.item)!) / 0.5, 6);
    }
  });

  test("on a log that shows candidates at random, greedy earns the mean reward of the rows it agrees with", async () => {
    const random = createRandom(3);
    const numRows = 2000;
    const log: LoggedImpressions = {
      userIndex: Int32Array.from({ length: numRows }, () => random.integer(train.numUsers)),
      itemIndex: Int32Array.from({ length: numRows }, () => candidates[random.integer(5)]),
      numItems: train.numItems,
      propensity: new Float64Array(numRows).fill(1 / 5),
      reward: Float64Array.from({ length: numRows }, () => random.integer(2)),
    };
    const best = await model.recommendBatch(Array.from(log.userIndex!), { topK: 1, include: candidates, excludeSeen: false });
    const agreed = Array.from(log.reward).filter((_, row) => best.itemIndex[row] === log.itemIndex[row]);
    const onLog = await policyOnLog(log, greedyPolicy(model, candidates));
    const { estimates, effectiveSampleSize, maxWeight } = evaluatePolicy(log, onLog);
    expect(estimates[1].value).toBeCloseTo(mean(agreed), 12);
    expect(estimates[0].value).toBeCloseTo((5 * agreed.reduce((a, b) => a + b, 0)) / numRows, 12);
    expect([effectiveSampleSize, maxWeight]).toEqual([agreed.length, 5]);
    expect(onLog.unsupported).toBe(0);
    expect(loggedValue(log).value).toBeCloseTo(mean(Array.from(log.reward)), 12);
  });

  test("items that the log never shows are counted as unsupported", async () => {
    const log: LoggedImpressions = {
      itemIndex: Int32Array.of(9, 9),
      numItems: train.numItems,
      propensity: Float64Array.of(1, 1),
      reward: Float64Array.of(1, 0),
    };
    const even: TargetPolicy = {
      name: "even",
      candidates: Int32Array.of(9, 3),
      probabilities: async (users) => new Float64Array(users.length * 2).fill(0.5),
    };
    expect((await policyOnLog(log, even)).unsupported).toBe(0.5);
  });

  test("no candidates, and a temperature of 0, are errors", async () => {
    await expectError(() => greedyPolicy(model, new Int32Array(0)), "E_CONFIG", /no candidates/);
    await expectError(() => softmaxPolicy(model, candidates, 0), "E_CONFIG", /temperature is 0/);
  });
});
