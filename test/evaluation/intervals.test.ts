/** Intervals, clusters, comparisons and corrections: figures known in closed form, and simulations under fixed seeds. */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { adjustPValues } from "../../src/evaluation/adjust-p-values.js";
import { comparePaired } from "../../src/evaluation/compare.js";
import { evaluate, evaluateWithIntervals } from "../../src/evaluation/evaluate.js";
import type { CaseValues } from "../../src/evaluation/judge.js";
import { judgeRatings } from "../../src/evaluation/ratings.js";
import { summarize } from "../../src/evaluation/summarize.js";
import { fit } from "../../src/models/registry.js";
import { expectError } from "../support/errors.js";
import { fixture } from "../support/fixture.js";

const normals = (n: number, seed: number, mean = 0) => {
  const random = createRandom(seed);
  return Float64Array.from({ length: n }, () => mean + random.normal());
};
const caseValues = (values: Float64Array, cluster?: Int32Array): CaseValues => ({
  labels: ["m"],
  numCases: values.length,
  values: { m: values },
  cluster,
  catalogue: {},
});

describe("intervals", () => {
  it("have the width of the normal theory and are repeatable by seed", () => {
    const values = normals(400, 1);
    const { m } = summarize(caseValues(values), { intervals: { resamples: 4000 } });
    expect(m.standardError! / (1 / Math.sqrt(400))).toBeGreaterThan(0.9);
    expect(m.standardError! / (1 / Math.sqrt(400))).toBeLessThan(1.1);
    expect((m.high! - m.low!) / (2 * 1.96 * m.standardError!)).toBeCloseTo(1, 1);
    expect(summarize(caseValues(values), { intervals: { resamples: 4000 } }).m).toEqual(m);
    expect(summarize(caseValues(values), { intervals: { resamples: 4000, seed: 7 } }).m.low).not.toBe(m.low);
    const narrower = summarize(caseValues(values), { intervals: { resamples: 4000, level: 0.5 } }).m;
    expect((narrower.high! - narrower.low!) / (m.high! - m.low!)).toBeCloseTo(0.6745 / 1.96, 1);
  });

  it("cover the true mean about as often as they say", () => {
    let covered = 0;
    for (let run = 0; run < 300; run++) {
      const { low, high } = summarize(caseValues(normals(60, 1000 + run, 3)), { intervals: { resamples: 300 } }).m;
      if (low! <= 3 && 3 <= high!) covered++;
    }
    expect(covered / 300).toBeGreaterThan(0.9);
    expect(covered / 300).toBeLessThan(0.98);
  });

  it("widen by the root of the cluster size when all cases of a cluster are alike", () => {
    const users = normals(200, 5);
    const values = Float64Array.from({ length: 800 }, (_, c) => users[c % 200]);
    const cluster = Int32Array.from({ length: 800 }, (_, c) => c % 200);
    const alone = summarize(caseValues(values), { intervals: {} }).m;
    const clustered = summarize(caseValues(values, cluster), { intervals: {} }).m;
    expect(clustered.value).toBe(alone.value);
    expect(clustered.standardError! / alone.standardError!).toBeGreaterThan(1.8);
    expect(clustered.standardError! / alone.standardError!).toBeLessThan(2.2);
  });

  it("leave undefined cases out, and are absent for a single case", () => {
    const { m } = summarize(caseValues(Float64Array.of(1, Number.NaN, 3)), { intervals: {} });
    expect(m).toMatchObject({ value: 2, numCases: 2, low: 1, high: 3 });
    expect(summarize(caseValues(Float64Array.of(1, Number.NaN)), { intervals: {} }).m).toEqual({ value: 1, numCases: 1 });
  });

  it("come beside the figures of evaluate, catalogue figures included", async () => {
    const data = fixture({ events: 800 });
    const model = await fit("popularity", data);
    const metrics = ["ndcg@5", "coverage@5", "gini@5"];
    const plain = await evaluate(model, data, fixture({ seed: 2 }), { metrics, excludeSeen: false });
    const judged = await evaluateWithIntervals(model, data, fixture({ seed: 2 }), { metrics, excludeSeen: false });
    expect(Object.keys(judged)).toEqual(metrics);
    for (const label of metrics) {
      expect(judged[label].value).toBe(plain[label]);
      expect(judged[label].low!).toBeLessThanOrEqual(judged[label].value);
      expect(judged[label].high!).toBeGreaterThanOrEqual(judged[label].value);
      expect(judged[label].numCases).toBe(22);
    }
    // everyone gets the same list: leaving users out changes nothing
    expect(judged["coverage@5"].standardError).toBeCloseTo(0, 12);
    expect(judged["ndcg@5"].standardError!).toBeGreaterThan(0);
  });

  it("of rmse are those of the root, over users", () => {
    const truth = new Float64Array(3000);
    const { rmse, mae } = summarize(judgeRatings(normals(3000, 8), truth, { cluster: Int32Array.from(truth, (_, e) => e % 300) }), {
      intervals: {},
    });
    expect(rmse.value).toBeCloseTo(1, 1);
    expect(rmse.low!).toBeLessThan(rmse.value);
    expect(rmse.high!).toBeGreaterThan(rmse.value);
    expect(rmse.standardError!).toBeCloseTo(1 / Math.sqrt(6000), 2); // of the root of a mean of 3000 squares
    expect(mae.value).toBeCloseTo(Math.sqrt(2 / Math.PI), 1);
  });

  it("refuse a wrong level or number of resamples", async () => {
    await expectError(() => summarize(caseValues(normals(5, 1)), { intervals: { level: 95 } }), "E_CONFIG", /level/);
    await expectError(() => summarize(caseValues(normals(5, 1)), { intervals: { resamples: 0 } }), "E_CONFIG", /resamples/);
  });
});

describe("paired comparison", () => {
  it("finds a difference, and none where there is none", () => {
    const a = normals(200, 11);
    const better = a.map((value, c) => value - 0.3 + 0.5 * normals(200, 12)[c]);
    const found = comparePaired(a, better);
    expect(found.difference).toBeCloseTo(0.3, 1);
    expect(found.low).toBeGreaterThan(0);
    expect(found.pBootstrap).toBeLessThan(0.01);
    expect(found.pT).toBeLessThan(0.001);
    expect(found.effectSize).toBeCloseTo(0.6, 0);
    const back = comparePaired(better, a);
    expect(back.difference).toBeCloseTo(-found.difference, 12);
    expect(back.pT).toBeCloseTo(found.pT, 12);
    expect(comparePaired(a, a)).toMatchObject({ difference: 0, low: 0, high: 0, pBootstrap: 1, pT: 1, effectSize: 0 });
    expect(comparePaired(Float64Array.of(2, 3), Float64Array.of(1, 2))).toMatchObject({ difference: 1, pT: 0, effectSize: Infinity });
  });

  it("is wrong about as often as it says when there is no difference, with clusters too", () => {
    const cluster = Int32Array.from({ length: 120 }, (_, c) => c % 40);
    let t = 0;
    let bootstrap = 0;
    for (let run = 0; run < 300; run++) {
      const shared = normals(40, 5000 + run);
      const a = normals(120, 9000 + run).map((value, c) => value + 2 * shared[cluster[c]]);
      const { pT, pBootstrap } = comparePaired(a, normals(120, 13000 + run), { cluster, resamples: 200 });
      if (pT < 0.05) t++;
      if (pBootstrap < 0.05) bootstrap++;
    }
    expect(t / 300).toBeLessThan(0.09);
    expect(t / 300).toBeGreaterThan(0.02);
    expect(bootstrap / 300).toBeLessThan(0.11);
  });

  it("leaves out pairs with an undefined value; refuses unequal lengths and too few pairs", async () => {
    const compared = comparePaired(Float64Array.of(1, Number.NaN, 3, 9), Float64Array.of(0, 5, 1, Number.NaN));
    expect(compared).toMatchObject({ difference: 1.5, numCases: 2 });
    await expectError(() => comparePaired(new Float64Array(3), new Float64Array(4)), "E_CONFIG", /same cases/);
    await expectError(() => comparePaired(new Float64Array(1), new Float64Array(1)), "E_DATA", /two cases/);
    await expectError(() => comparePaired(new Float64Array(3), new Float64Array(3), { cluster: new Int32Array(3) }), "E_DATA", /clusters/);
  });

  it("corrects p values, and refuses what is none", async () => {
    expect(adjustPValues([], "holm")).toEqual([]);
    await expectError(() => adjustPValues([0.5, 1.5], "holm"), "E_CONFIG", /position 1/);
    await expectError(() => adjustPValues([0.5], "hol" as "holm"), "E_CONFIG", /holm/);
  });
});
