/** What holds for all inputs: order of users, items and cases, scale of scores, bounds, repeated items, growth with k. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { evaluateCases } from "../../src/evaluation/evaluate.js";
import { listMetrics } from "../../src/evaluation/metrics.js";
import { givenScores } from "../support/given-scores.js";

interface World {
  scores: number[][];
  relevant: number[][];
  history: number[][][];
  popularity: number[];
  itemVectors: number[][];
  categories: string[];
}

const numItems = 9;
const numUsers = 4;
const levels = fc.integer({ min: 0, max: 4 });
const row = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: numItems, maxLength: numItems });
const perUser = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: numUsers, maxLength: numUsers });
const items = (minLength: number) => fc.uniqueArray(fc.nat(numItems - 1), { minLength, maxLength: 4 });
const world: fc.Arbitrary<World> = fc.record({
  scores: perUser(row(levels)),
  relevant: perUser(items(1)),
  history: perUser(items(0).map((had) => had.map((item) => [item, 1]))),
  popularity: row(fc.nat(5)),
  itemVectors: row(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 2, maxLength: 2 })),
  categories: row(fc.constantFrom("a", "b", "c")),
});

const labels = listMetrics().flatMap((metric) => {
  if (metric.of === "rating") return [];
  return metric.of === "ranking" ? [metric.name] : [1, 3, 20].map((k) => `${metric.name}@${k}`);
});
/** Those that do not look at which of several items of equal score the list happens to show. */
const ofRanking = labels.filter((label) => /^(precision|recall|recall-truncated|ndcg|map|mrr|hit-rate|auc)(@|$)/.test(label));

function judge({ relevant, categories, ...given }: World, metrics: string[], { order = [...relevant.keys()] } = {}) {
  const cases = order.map((user) => ({ query: { userIndex: user }, relevant: relevant[user] }));
  return evaluateCases(givenScores(given), cases, { metrics, excludeSeen: false, context: { categories } });
}

function expectSame(a: Record<string, number>, b: Record<string, number>): void {
  for (const [label, value] of Object.entries(a)) {
    if (Number.isNaN(value)) expect(b[label], label).toBeNaN();
    else expect(b[label], label).toBeCloseTo(value, 12);
  }
}

const shuffled = (n: number, seed: number) => createRandom(seed).shuffle(Array.from({ length: n }, (_, i) => i));

describe("metrics, for all inputs", () => {
  it("do not depend on the order of cases", async () => {
    await fc.assert(
      fc.asyncProperty(world, fc.nat(), async (one, seed) => {
        expectSame(await judge(one, labels), await judge(one, labels, { order: shuffled(numUsers, seed) }));
      }),
      { numRuns: 60 },
    );
  });

  it("do not depend on the numbers of users and items", async () => {
    await fc.assert(
      fc.asyncProperty(world, fc.nat(), async (one, seed) => {
        const user = shuffled(numUsers, seed);
        const item = shuffled(numItems, seed + 1); // item[new] = old
        const renamed = item.map((_, old) => item.indexOf(old));
        const permuted: World = {
          scores: user.map((u) => item.map((i) => one.scores[u][i])),
          relevant: user.map((u) => one.relevant[u].map((i) => renamed[i])),
          history: user.map((u) => one.history[u].map(([i, weight]) => [renamed[i], weight])),
          popularity: item.map((i) => one.popularity[i]),
          itemVectors: item.map((i) => one.itemVectors[i]),
          categories: item.map((i) => one.categories[i]),
        };
        expectSame(await judge(one, ofRanking), await judge(permuted, ofRanking));
        // without ties, what the list shows does not depend on numbers either
        const spread = (of: World, index: (i: number) => number): World => ({
          ...of,
          scores: of.scores.map((scores) => scores.map((score, i) => score + index(i) / 16)),
          popularity: of.popularity.map((count, i) => count + index(i) / 16),
        });
        expectSame(
          await judge(
            spread(one, (i) => i),
            labels,
          ),
          await judge(
            spread(permuted, (i) => item[i]),
            labels,
          ),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("do not change when scores are multiplied by a positive number", async () => {
    await fc.assert(
      fc.asyncProperty(world, fc.constantFrom(0.25, 2, 1024), async (one, factor) => {
        const scaled = { ...one, scores: one.scores.map((scores) => scores.map((score) => score * factor)) };
        expectSame(await judge(one, labels), await judge(scaled, labels));
      }),
      { numRuns: 30 },
    );
  });

  it("stay within their bounds", async () => {
    await fc.assert(
      fc.asyncProperty(world, async (one) => {
        for (const [label, value] of Object.entries(await judge(one, labels))) {
          if (Number.isNaN(value)) continue;
          const name = label.split("@")[0];
          const most: Record<string, number> = {
            diversity: 2,
            novelty: Math.log2(numUsers),
            "average-popularity": Math.max(...one.popularity),
            calibration: Math.log(100),
            gini: (numItems - 1) / numItems,
          };
          expect(value, label).toBeGreaterThanOrEqual(-1e-12);
          expect(value, label).toBeLessThanOrEqual((most[name] ?? 1) + 1e-12);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("grow with k where they must", async () => {
    const growing = ["recall", "hit-rate", "mrr", "coverage"];
    await fc.assert(
      fc.asyncProperty(world, async (one) => {
        const metrics = growing.flatMap((name) => [1, 2, 3, 4, 5, 9, 10].map((k) => `${name}@${k}`));
        const judged = Object.values(await judge(one, metrics));
        judged.forEach((value, i) => {
          if (i % 7 > 0) expect(value, metrics[i]).toBeGreaterThanOrEqual(judged[i - 1] - 1e-15);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("count an item once however often it is relevant, but for precision", async () => {
    await fc.assert(
      fc.asyncProperty(world, fc.integer({ min: 2, max: 4 }), async (one, times) => {
        const repeated = { ...one, relevant: one.relevant.map((wanted) => Array.from({ length: times }, () => wanted).flat()) };
        const [once, often] = [await judge(one, labels), await judge(repeated, labels)];
        for (const label of labels) if (label.startsWith("precision")) once[label] *= times;
        expectSame(once, often);
      }),
      { numRuns: 40 },
    );
  });
});
