/**
 * Rating ALS against its float64 twin in every variant, 1 to 67 factors, rows of 0 to 67 ratings. Tolerance: 1e-3 of the largest value
 * (float32 normal equations).
 */
import { expect, it } from "vitest";
import { Interactions } from "../../src/data/interactions.js";
import type { ArenaOptions } from "../../src/kernels/arena.js";
import { createRatingAls, type RatingAlsProblem } from "../../src/kernels/rating-als.js";
import { referenceRatingAls } from "../../src/kernels/reference/rating-als.js";
import { relativeError, skewedLengths } from "./als-fixture.js";
import { ratingEvents, startValues } from "./rating-fixture.js";
import { builds, environments, variants } from "./variants.js";

const terms = { regularization: 0.5, regularizationExponent: 0.5 };

function problemOf(lengths: readonly number[], numItems: number, factors: number, more: Partial<RatingAlsProblem> = {}): RatingAlsProblem {
  const events = ratingEvents({ lengths, numItems, seed: factors });
  const { numUsers, userIndex, itemIndex, values } = events;
  const data = Interactions.fromArrays({ userIndex, itemIndex, weight: values.map(Math.abs), numUsers, numItems });
  return { byUser: data.eventsByUser(), byItem: data.eventsByItem(), factors, ...terms, start: startValues(events, factors), ...more };
}

async function sweeps(problem: RatingAlsProblem, sides: readonly ("user" | "item")[], options: ArenaOptions) {
  const als = await createRatingAls(problem, options);
  for (const side of sides) await als.sweep(side);
  const result = { factors: als.factors(), error: await als.error() };
  als.dispose();
  return result;
}

const cases = Array.from({ length: 67 }, (_, k) => {
  const problem = problemOf([0, k, 5, 67 - k, 20, 67], 31, k + 1);
  const { itemFactors, itemBias, userFactors, userBias } = problem.start;
  const side = k % 2 === 0 ? ("user" as const) : ("item" as const);
  const expected =
    side === "user"
      ? referenceRatingAls(problem.byUser, { factors: itemFactors, bias: itemBias }, problem)
      : referenceRatingAls(problem.byItem, { factors: userFactors, bias: userBias }, problem);
  return { problem, side, expected };
});

it.each(variants)("$title: a sweep equals the reference, and the error the predictions", async ({ options }) => {
  for (const { problem, side, expected } of cases) {
    const { factors, error } = await sweeps(problem, [side], options);
    expect(relativeError(factors[`${side}Factors`], expected.factors), `factors ${problem.factors}`).toBeLessThan(1e-3);
    expect(relativeError(factors[`${side}Bias`], expected.bias), `factors ${problem.factors}`).toBeLessThan(1e-3);
    expect(error / errorOf(problem, factors), `factors ${problem.factors}`).toBeCloseTo(1, 4);
  }
});

function errorOf(
  { byUser, factors: f }: RatingAlsProblem,
  { userFactors, itemFactors, userBias, itemBias }: RatingAlsProblem["start"],
): number {
  let squares = 0;
  for (let user = 0; user < byUser.numRows; user++) {
    for (let e = byUser.offsets[user]; e < byUser.offsets[user + 1]; e++) {
      const item = byUser.indices[e];
      let predicted = userBias[user] + itemBias[item];
      for (let d = 0; d < f; d++) predicted += userFactors[user * f + d] * itemFactors[item * f + d];
      squares += (byUser.values[e] - predicted) ** 2;
    }
  }
  return Math.sqrt(squares / byUser.indices.length);
}

it.each(builds)("%s: the same bits for any threads and either memory", async (build) => {
  const problem = problemOf(skewedLengths(700, 200), 300, 24);
  const results = [];
  for (const environment of [...environments, { shared: true, threads: 5 }])
    results.push(await sweeps(problem, ["user", "item", "user"], { ...environment, build } as ArenaOptions));
  for (const result of results.slice(1)) expect(result).toEqual(results[0]);
});

it("stays finite without regularization, with more factors than ratings, with equal and with huge ratings", async () => {
  const base = problemOf([1, 2, 0, 9], 6, 20, { regularization: 0 });
  const valued = (value: number) => ({
    byUser: { ...base.byUser, values: base.byUser.values.map(() => value) },
    byItem: { ...base.byItem, values: base.byItem.values.map(() => value) },
  });
  for (const problem of [base, { ...base, ...valued(0) }, { ...base, ...valued(1e6) }]) {
    const { factors, error } = await sweeps(problem, ["user", "item", "user", "item"], { threads: 1 });
    const all = [factors.userFactors, factors.itemFactors, factors.userBias, factors.itemBias].flatMap((values) => [...values]);
    expect([...all, error].every(Number.isFinite)).toBe(true);
  }
});

it("refuses arrays that do not fit", async () => {
  const problem = problemOf([3, 2], 4, 2);
  await expect(createRatingAls({ ...problem, factors: 3 }, { threads: 1 })).rejects.toThrow("userFactors has 4 values, but 6 are needed");
  await expect(createRatingAls({ ...problem, byItem: problem.byUser }, { threads: 1 })).rejects.toThrow(
    "does not hold the events of byUser",
  );
});
