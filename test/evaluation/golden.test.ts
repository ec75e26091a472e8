/** Every metric, test and correction against golden/golden.json, which golden/make-golden.py computes independently. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { adjustPValues } from "../../src/evaluation/adjust-p-values.js";
import { comparePaired } from "../../src/evaluation/compare.js";
import { evaluateCases } from "../../src/evaluation/evaluate.js";
import { hasListLength, listMetrics } from "../../src/evaluation/metrics.js";
import { evaluateRatings } from "../../src/evaluation/ratings.js";
import { studentTQuantile, studentTTwoSided } from "../../src/evaluation/student-t.js";
import { givenScores } from "../support/given-scores.js";

interface World {
  name: string;
  excludeSeen: boolean;
  history: [number, number][][];
  popularity: number[];
  vectors: number[][];
  categories: (string | string[] | null)[];
  cases: { user: number; scores: number[]; relevant: number[] }[];
  metrics: Record<string, number | null>;
}

interface Golden {
  worlds: World[];
  studentT: { t: number; degrees: number; p: number }[];
  comparisons: { a: number[]; b: number[]; cluster: number[] | null; difference: number; effectSize: number; pT: number }[];
  corrections: { p: number[]; holm: number[]; "benjamini-hochberg": number[] }[];
  ratings: { predictions: number[]; truth: number[]; metrics: Record<string, number> }[];
}

const golden = JSON.parse(readFileSync(new URL("golden/golden.json", import.meta.url), "utf8")) as Golden;

/** Within 1e−12, relative for figures above 1; null stands for "not defined". */
function expectEqual(got: number, wanted: number | null, what: string): void {
  if (wanted === null) expect(got, what).toBeNaN();
  else expect(Math.abs(got - wanted), `${what}: ${got} instead of ${wanted}`).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(wanted)));
}

describe("golden values", () => {
  it.each(golden.worlds)("lists: $name", async ({ excludeSeen, history, popularity, vectors, categories, cases, metrics }) => {
    const model = givenScores({ scores: cases.map(({ scores }) => scores), history, popularity, itemVectors: vectors });
    const labels = Object.keys(metrics);
    const judged = await evaluateCases(
      model,
      cases.map(({ user, relevant }) => ({ query: { userIndex: user }, relevant })),
      { metrics: labels, excludeSeen, context: { categories } },
    );
    for (const label of labels) expectEqual(judged[label], metrics[label], label);
    // one by one, lists are only as long as that metric needs them: other cuts through ties
    for (const label of labels) {
      const alone = await evaluateCases(
        model,
        cases.map(({ user, relevant }) => ({ query: { userIndex: user }, relevant })),
        { metrics: [label], excludeSeen, context: { categories } },
      );
      expectEqual(alone[label], metrics[label], `${label} alone`);
    }
  });

  it("covers every metric", () => {
    const covered = new Set(
      [...golden.worlds, ...golden.ratings].flatMap(({ metrics }) => Object.keys(metrics)).map((label) => label.split("@")[0]),
    );
    expect([...covered].sort()).toEqual(
      listMetrics()
        .map(({ name }) => name)
        .sort(),
    );
    expect(
      listMetrics()
        .filter((metric) => !hasListLength(metric))
        .map(({ name }) => name),
    ).toEqual(["auc", "rmse", "mae", "log-loss", "train-rmse"]);
  });

  it.each(golden.ratings)("ratings: $metrics", ({ predictions, truth, metrics }) => {
    const judged = evaluateRatings(predictions, truth, { metrics: Object.keys(metrics) });
    for (const [label, value] of Object.entries(metrics)) expectEqual(judged[label], value, label);
  });

  it("Student's t", () => {
    for (const { t, degrees, p } of golden.studentT) {
      expectEqual(studentTTwoSided(t, degrees), p, `t = ${t}, ${degrees} degrees`);
      if (t > 0) expect(studentTQuantile(1 - p / 2, degrees)).toBeCloseTo(t, 8); // far out, 1 − p / 2 has few digits left
    }
  });

  it.each(golden.comparisons)("paired comparison $pT", ({ a, b, cluster, difference, effectSize, pT }) => {
    const compared = comparePaired(Float64Array.from(a), Float64Array.from(b), { cluster: cluster ? Int32Array.from(cluster) : undefined });
    expectEqual(compared.difference, difference, "difference");
    expectEqual(compared.effectSize, effectSize, "effect size");
    expectEqual(compared.pT, pT, "p");
  });

  it.each(golden.corrections)("corrections of $p.length", ({ p, ...adjusted }) => {
    for (const method of ["holm", "benjamini-hochberg"] as const) {
      adjustPValues(p, method).forEach((value, i) => {
        expectEqual(value, adjusted[method][i], `${method} ${i}`);
      });
    }
  });
});
