/**
 * Estimators on values computed elsewhere. Golden values: plain Python 3 with exact fractions (w = π/p, sums and squares written out
 * from the formulas, errors by math.sqrt), seed 11 for the columns; cluster-robust errors over six clusters likewise.
 */
import { describe, expect, test } from "vitest";
import { evaluatePolicy, loggedValue } from "../../../src/evaluation/counterfactual/evaluate-policy.js";
import type { LoggedImpressions, TargetOnLog } from "../../../src/evaluation/counterfactual/logged-rows.js";
import { fitItemRewards } from "../../../src/evaluation/counterfactual/reward-model.js";
import { expectError } from "../../support/errors.js";

const f64 = (...values: number[]) => Float64Array.from(values);

function log(propensity: number[], reward: number[], parts: Partial<LoggedImpressions> = {}): LoggedImpressions {
  return { itemIndex: new Int32Array(reward.length), numItems: 1, propensity: f64(...propensity), reward: f64(...reward), ...parts };
}
const target = (probability: number[], parts: Partial<TargetOnLog> = {}): TargetOnLog => ({
  name: "new",
  probability: f64(...probability),
  ...parts,
});

describe("by hand", () => {
  // w = 1/2, 2, 1, 1/2
  const logged = log([0.5, 0.25, 0.5, 0.2], [1, 0, 1, 3]);
  const probability = [0.25, 0.5, 0.5, 0.1];

  test("four rows, all estimators", () => {
    const { estimates, effectiveSampleSize, maxWeight, meanWeight, numRows } = evaluatePolicy(
      logged,
      target(probability, { predicted: f64(0.5, 0.25, 0.5, 1), expected: f64(0.25, 0.5, 0.5, 0.75) }),
    );
    const value = Object.fromEntries(estimates.map((one) => [one.estimator, one.value]));
    expect(value.ips).toBe(3 / 4); // (1/2 + 0 + 1 + 3/2) / 4
    expect(value.snips).toBe(3 / 4); // 3 / (1/2 + 2 + 1 + 1/2)
    expect(value.dr).toBe((0.25 + 0.5 * 0.5 + (0.5 - 2 * 0.25) + (0.5 + 0.5) + (0.75 + 0.5 * 2)) / 4);
    expect(value.dm).toBe(0.5);
    expect(estimates[0].standardError).toBeCloseTo(Math.sqrt((0.25 ** 2 + 0.75 ** 2 + 0.25 ** 2 + 0.75 ** 2) / 3 / 4), 14);
    expect([effectiveSampleSize, maxWeight, meanWeight, numRows]).toEqual([16 / 5.5, 2, 1, 4]);
    // t with 3 degrees of freedom at 97.5 %: 3.182446305 (tables)
    expect((estimates[0].high - estimates[0].low) / 2 / estimates[0].standardError).toBeCloseTo(3.182446305, 8);
  });

  test("the policy that logged is worth its mean reward, by every estimator and with every weight 1", () => {
    const same = evaluatePolicy(logged, target([0.5, 0.25, 0.5, 0.2]));
    const own = loggedValue(logged);
    for (const { value, standardError } of same.estimates) expect([value, standardError]).toEqual([own.value, own.standardError]);
    expect(same.effectiveSampleSize).toBe(4);
  });

  test("clipping cuts weights down, and says so", () => {
    const clipped = evaluatePolicy(logged, target(probability), { clip: 1 });
    expect(clipped.maxWeight).toBe(1);
    expect(clipped.estimates[0].value).toBe(3 / 4); // the clipped row earned nothing
    expect(clipped.estimates[1].value).toBe(3 / 3);
    expect(clipped.warnings.join()).toMatch(/1 weights were clipped at 1/);
  });

  test("snips shifts with the rewards, ips does not", () => {
    const shifted = { ...logged, reward: logged.reward.map((reward) => reward + 10) };
    const [, before] = evaluatePolicy(logged, target([0.4, 0.2, 0.3, 0.1])).estimates;
    const [, after] = evaluatePolicy(shifted, target([0.4, 0.2, 0.3, 0.1])).estimates;
    expect(after.value).toBeCloseTo(before.value + 10, 12);
    expect(after.standardError).toBeCloseTo(before.standardError, 12);
  });
});

describe("golden values", () => {
  const propensity = [0.8, 0.9, 0.8, 0.8, 0.9, 0.4, 0.3, 0.9, 0.8, 0.3, 0.2, 0.8];
  const probability = [0.4, 0.2, 0.1, 0.8, 1.0, 0.0, 0.9, 0.6, 0.7, 1.0, 0.9, 1.0];
  const reward = [-0.5, 1.25, -1.0, 1.0, -0.75, -1.0, -1.0, -0.25, -0.25, 1.25, -1.0, 2.0];
  const predicted = f64(0.875, 0.625, 0.875, 0.375, 1.0, 0.375, 0.5, 0.875, 0.0, 0.125, 0.875, 0.5);
  const expected = f64(0.75, 1.0, 0.125, 0.5, 0.625, 0.375, 1.0, 0.5, 0.0, 0.125, 0.125, 0.75);
  const userIndex = Int32Array.of(0, 0, 1, 1, 1, 2, 3, 3, 4, 5, 5, 0);

  test("values, errors, effective sample size", () => {
    const report = evaluatePolicy(log(propensity, reward), target(probability, { predicted, expected }));
    const [ips, snips, dr] = report.estimates;
    expect(ips.value).toBeCloseTo(-0.09577546296296297, 14);
    expect(ips.standardError).toBeCloseTo(0.6435954587551382, 14);
    expect(snips.value).toBeCloseTo(-0.06930485762144054, 14);
    expect(snips.standardError).toBeCloseTo(0.45967680457169696, 14);
    expect(dr.value).toBeCloseTo(-0.37572337962962965, 14);
    expect(dr.standardError).toBeCloseTo(0.8966704480614666, 14);
    expect(report.effectiveSampleSize).toBeCloseTo(6.019863019482988, 12);
    expect([report.maxWeight, report.meanWeight].map((w) => Number(w.toFixed(12)))).toEqual([4.5, 1.381944444444]);
    expect(evaluatePolicy(log(propensity, reward), target(probability), { clip: 2 }).estimates[0].value).toBeCloseTo(
      0.05700231481481482,
      14,
    );
  });

  test("rows of one user belong together", () => {
    const [ips, , dr] = evaluatePolicy(log(propensity, reward, { userIndex }), target(probability, { predicted, expected })).estimates;
    expect(ips.standardError).toBeCloseTo(0.3755968527746496, 14);
    expect(dr.standardError).toBeCloseTo(0.6349684353932346, 14);
    const alone = evaluatePolicy(log(propensity, reward, { userIndex: userIndex.map(() => -1) }), target(probability)).estimates[0];
    expect(alone.standardError).toBeCloseTo(0.6435954587551382, 14); // unknown users stand alone
  });
});

test("the reward model draws items towards the mean, and never sees the row that it predicts", () => {
  const logged: LoggedImpressions = {
    itemIndex: Int32Array.of(0, 0, 1, 0),
    numItems: 3,
    propensity: f64(1, 1, 1, 1),
    reward: f64(1, 0, 1, 1),
  };
  const { foldOf, predictions } = fitItemRewards(logged, { folds: 2, smoothing: 1 });
  expect(Array.from(foldOf)).toEqual([0, 1, 0, 1]);
  // fold 0 is predicted from rows 1 and 3 (item 0: 0 and 1, mean 1/2), fold 1 from rows 0 and 2 (mean 1)
  expect(Array.from(predictions)).toEqual([1.5 / 3, 0.5, 0.5, 2 / 2, 2 / 2, 1]);
});

describe("what should not be believed", () => {
  test("missing and zero propensities are left out and counted", () => {
    const { warnings, numRows, estimates } = evaluatePolicy(log([0.5, Number.NaN, 0, 0.5], [1, 9, 9, 0]), target([0.5, 1, 1, 0.5]));
    expect(numRows).toBe(2);
    expect(estimates[0].value).toBe(0.5);
    expect(warnings.join("\n")).toMatch(/1 rows have no propensity[\s\S]*1 rows have propensity 0/);
  });

  test("a small effective sample is said, a large one not", () => {
    const rows = 1000;
    const even = log(new Array(rows).fill(0.5), new Array(rows).fill(1));
    expect(evaluatePolicy(even, target(new Array(rows).fill(0.5))).warnings).toEqual([]);
    const one = new Array(rows).fill(0.001);
    one[7] = 1;
    expect(evaluatePolicy(even, target(one)).warnings.join()).toMatch(
      /effective sample size is \d+ of 1,000 rows \(largest weight 2\.00\)/,
    );
    expect(evaluatePolicy(even, target(new Array(rows).fill(0.1))).warnings.join()).toMatch(/weights average 0\.200 and not 1/);
    const none = evaluatePolicy(even, target(new Array(rows).fill(0)));
    expect(none.warnings.join()).toMatch(/shows none of the logged items/);
    expect(none.estimates.map(({ value }) => value)).toEqual([0, Number.NaN]);
    expect(evaluatePolicy(even, target(new Array(rows).fill(0.5), { unsupported: 0.25 })).warnings.join()).toMatch(
      /25\.0 % of its probability/,
    );
  });

  test.each<[number[], number[], number[], object, "E_DATA" | "E_CONFIG", RegExp]>([
    [[1.5], [1], [1], {}, "E_DATA", /propensity of row 0 is 1\.5/],
    [[-0.1], [1], [1], {}, "E_DATA", /propensity of row 0 is -0\.1/],
    [[0.5], [1], [Number.NaN], {}, "E_DATA", /probability of new of row 0 is NaN/],
    [[0.5], [Infinity], [1], {}, "E_DATA", /reward of row 0 is Infinity/],
    [[0, Number.NaN], [1, 1], [1, 1], {}, "E_DATA", /None of the 2 logged rows has a propensity/],
    [[0.5], [1], [1, 1], {}, "E_DATA", /probability has 2 values, but itemIndex has 1/],
    [[0.5], [1], [1], { clip: 0 }, "E_CONFIG", /clip is 0/],
    [[0.5], [1], [1], { level: 95 }, "E_CONFIG", /level is 95/],
  ])("p %j, r %j, π %j, %j is an error", async (propensity, reward, probability, options, code, message) => {
    await expectError(() => evaluatePolicy(log(propensity, reward), target(probability), options), code, message);
  });
});
