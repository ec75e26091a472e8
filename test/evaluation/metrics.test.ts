import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listMetrics, parseMetric } from "../../src/evaluation/metrics.js";
import { expectError } from "../support/errors.js";

/** By hand: hits at places 1, 3 and 6 of k = 6, four relevant items. */
const list = { gains: [1, 0, 1, 0, 0, 1], numRelevant: 4, k: 6 };
const expected: Record<string, number> = {
  precision: 3 / 6,
  recall: 3 / 4,
  "recall-truncated": 3 / 4,
  ndcg: (1 + 1 / 2 + 1 / Math.log2(7)) / (1 + 1 / Math.log2(3) + 1 / 2 + 1 / Math.log2(5)),
  map: (1 / 1 + 2 / 3 + 3 / 6) / 4,
  mrr: 1,
  "hit-rate": 1,
  accuracy: 1,
};

describe("metrics", () => {
  for (const metric of listMetrics()) {
    if (metric.of !== "query") continue;
    it(`${metric.name}: a case by hand, no hits, all hits, bounds`, () => {
      expect(metric.value(list)).toBeCloseTo(expected[metric.name], 12);
      expect(metric.value({ gains: [0, 0, 0], numRelevant: 2, k: 3 })).toBe(0);
      expect(metric.value({ gains: [1, 1, 1], numRelevant: 3, k: 3 })).toBeCloseTo(1, 12);
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 30 }), fc.nat(5), (gains, more) => {
          const numRelevant = Math.max(1, gains.reduce((a, b) => a + b, 0) + more);
          const value = metric.value({ gains, numRelevant, k: gains.length });
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1 + 1e-12);
        }),
      );
    });
  }

  it("recall-truncated divides by k when there are more relevant items", () => {
    const { metric } = parseMetric("recall-truncated@2");
    expect(metric.of === "query" && metric.value({ gains: [1, 1], numRelevant: 9, k: 2 })).toBe(1);
  });

  it("precision counts repeated lines of a basket", () => {
    const { metric } = parseMetric("precision@2");
    expect(metric.of === "query" && metric.value({ gains: [3, 0], numRelevant: 1, k: 2 })).toBe(1.5);
  });

  it("coverage counts distinct items", () => {
    const { metric } = parseMetric("coverage@2");
    expect(metric.of === "catalogue" && metric.value(Int32Array.of(0, 3, 1, 0))).toBe(0.5);
  });

  it("refuses unknown and incomplete labels", async () => {
    await expectError(() => parseMetric("ndgc@10"), "E_CONFIG", /ndcg/);
    await expectError(() => parseMetric("ndcg"), "E_CONFIG", /ndcg@10/);
    await expectError(() => parseMetric("ndcg@0"), "E_CONFIG", /list length/);
  });
});
