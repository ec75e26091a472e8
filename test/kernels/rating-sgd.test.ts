/**
 * Rating SGD against its float64 twin in every variant, with 1 to 67 factors, with and without implicit factors; its step against central
 * differences; the strata. Tolerance: 1e-4 of the largest value (float32 over one epoch).
 */
import { describe, expect, it } from "vitest";
import type { ArenaOptions } from "../../src/kernels/arena.js";
import { dealStrata, epochPlan, numBlocksFor, type RatingEvents } from "../../src/kernels/rating-layout.js";
import { createRatingSgd, type RatingFactors, type RatingSgdProblem } from "../../src/kernels/rating-sgd.js";
import { type ReferenceRatingFactors, referenceRatingEpoch } from "../../src/kernels/reference/rating-sgd.js";
import { relativeError, skewedLengths } from "./als-fixture.js";
import { ratingEvents, startValues } from "./rating-fixture.js";
import { builds, environments, variants } from "./variants.js";

const keys = ["userFactors", "itemFactors", "userBias", "itemBias", "implicitFactors"] as const;
const terms = { regularization: 0.8, regularizationExponent: 0.5, implicitRegularization: 2, seed: 3 };

function problemOf(
  events: RatingEvents,
  factors: number,
  { implicit = false, ...more }: Partial<RatingSgdProblem> & { implicit?: boolean } = {},
) {
  return { events, factors, ...terms, start: startValues(events, factors, { implicit }), ...more } satisfies RatingSgdProblem;
}

async function epochs(problem: RatingSgdProblem, count: number, options: ArenaOptions) {
  const sgd = await createRatingSgd(problem, options);
  const errors = [];
  for (let epoch = 1; epoch <= count; epoch++) errors.push(await sgd.epoch(epoch, 0.05));
  const factors = sgd.factors();
  sgd.dispose();
  return { errors, factors };
}

function wide({ implicitFactors, ...rest }: RatingFactors): ReferenceRatingFactors {
  const copy = Object.fromEntries(Object.entries(rest).map(([key, values]) => [key, Float64Array.from(values)]));
  return {
    ...(copy as unknown as ReferenceRatingFactors),
    ...(implicitFactors && { implicitFactors: Float64Array.from(implicitFactors) }),
  };
}

describe.each([false, true])("implicit %s", (implicit) => {
  const cases = Array.from({ length: 67 }, (_, k) => {
    const events = ratingEvents({ lengths: [0, k, 5, 67 - k, 20, 1], numItems: 23 + (k % 5), seed: k });
    const problem = problemOf(events, k + 1, { implicit, numBlocks: 1 + (k % 4) });
    const expected = wide(problem.start);
    const errors = [1, 2].map((epoch) => referenceRatingEpoch(problem, expected, { epoch, learningRate: 0.05 }));
    return { problem, expected, errors };
  });
  it.each(variants)("$title: equals the reference after two epochs, 1 to 67 factors", async ({ options }) => {
    for (const { problem, expected, errors } of cases) {
      const got = await epochs(problem, 2, options);
      for (const key of keys)
        if (expected[key]) expect(relativeError(got.factors[key]!, expected[key]), `factors ${problem.factors}, ${key}`).toBeLessThan(1e-4);
      expect(relativeError(got.errors, errors)).toBeLessThan(1e-4);
    }
  });

  it.each(builds)("%s: the same bits for any threads and either memory", async (build) => {
    const events = ratingEvents({ lengths: skewedLengths(900, 300), numItems: 400, seed: 8 });
    const problem = problemOf(events, 24, { implicit, numBlocks: 5 });
    const results = [];
    for (const environment of [...environments, { shared: true, threads: 5 }])
      results.push(await epochs(problem, 2, { ...environment, build } as ArenaOptions));
    for (const result of results.slice(1)) expect(result).toEqual(results[0]);
  });

  it("moves a lone rating's rows along the negative gradient", async () => {
    const events = { ...ratingEvents({ lengths: [1], numItems: 2, seed: 1 }), itemIndex: Int32Array.of(1) };
    const problem = problemOf(events, 3, { implicit });
    const sgd = await createRatingSgd(problem, { threads: 1 });
    const rate = 1e-2;
    await sgd.epoch(1, rate);
    const moved = sgd.factors();
    sgd.dispose();
    for (const key of keys) {
      const values = problem.start[key];
      if (!values) continue;
      for (let at = 0; at < values.length; at++) {
        const half = (sign: number) =>
          objective({ ...wide(problem.start), [key]: nudged(values, at, sign * 1e-5) }, events.values[0], implicit);
        const slope = (half(1) - half(-1)) / 2e-5;
        // implicit factors follow once p and q have moved: the difference is of the order of the rate
        expect(Math.abs((moved[key]![at] - values[at]) / rate + slope / 2), `${key} ${at}`).toBeLessThan(
          key === "implicitFactors" ? 0.02 : 1e-4,
        );
      }
    }
  });
});

/** (r − r̂)² and penalties of user 0 and item 1; item 0 has no rating and no penalty. */
function objective(now: ReferenceRatingFactors, rating: number, implicit: boolean): number {
  let [predicted, penalty, implicitPenalty] = [now.userBias[0] + now.itemBias[1], now.userBias[0] ** 2 + now.itemBias[1] ** 2, 0];
  for (let d = 0; d < 3; d++) {
    const [p, q, y] = [now.userFactors[d], now.itemFactors[3 + d], implicit ? now.implicitFactors![3 + d] : 0];
    predicted += q * (p + y);
    penalty += p * p + q * q;
    implicitPenalty += y * y;
  }
  return (rating - predicted) ** 2 + terms.regularization * penalty + terms.implicitRegularization * implicitPenalty;
}

function nudged(values: Float32Array, at: number, by: number): Float64Array {
  const out = Float64Array.from(values);
  out[at] += by;
  return out;
}

describe("strata", () => {
  const events = ratingEvents({ lengths: skewedLengths(500, 200), numItems: 300, seed: 4 });

  it("hold every event once, no row twice in a stratum, about equally many in each block", () => {
    const strata = dealStrata(events, 9, 4);
    const original = Array.from(events.values, (value, e) => `${events.userIndex[e]} ${events.itemIndex[e]} ${value}`).sort();
    const userOf = new Map([...strata.userPlaces].map((place, user) => [place, user]));
    const itemOf = new Map([...strata.itemPlaces].map((place, item) => [place, item]));
    const dealt: string[] = [];
    const blockOfItem = new Map<number, number>();
    for (let block = 0; block < 4; block++) {
      for (let place = 0; place < events.numUsers; place++) {
        const at = block * (events.numUsers + 1) + place;
        for (let entry = strata.offsets[at]; entry < strata.offsets[at + 1]; entry++) {
          const item = strata.items[entry];
          expect(blockOfItem.get(item) ?? block).toBe(block);
          blockOfItem.set(item, block);
          dealt.push(`${userOf.get(place)} ${itemOf.get(item)} ${strata.values[entry]}`);
        }
      }
    }
    expect(dealt.sort()).toEqual(original);
    const sizes = Array.from({ length: 4 }, (_, block) => {
      const users = [...events.userIndex].filter((user) => {
        const place = strata.userPlaces[user];
        return place >= strata.userBounds[block] && place < strata.userBounds[block + 1];
      });
      return users.length;
    });
    expect(Math.max(...sizes)).toBeLessThan(1.5 * Math.min(...sizes));
  });

  it("are walked through entirely, in another order each epoch", () => {
    const strata = dealStrata(events, 9, 3);
    const [one, two] = [epochPlan(strata, 1), epochPlan(strata, 2)];
    expect([...one.shifts].sort()).toEqual([0, 1, 2]);
    expect([...one.walks]).not.toEqual([...two.walks]);
    for (let block = 0; block < 3; block++) {
      const count = strata.userBounds[block + 1] - strata.userBounds[block];
      const visited = new Set(Array.from({ length: count }, (_, k) => (one.walks[2 * block] + k * one.walks[2 * block + 1]) % count));
      expect(visited.size).toBe(count);
    }
  });

  it("are as many as the data ask for", () => {
    const of = (length: number) => numBlocksFor({ ...events, values: new Float32Array(length) });
    expect([0, 1000, 100_000, 1_000_000, 100_000_000].map(of)).toEqual([1, 1, 3, 7, 16]);
  });
});

it("refuses arrays that do not fit and indexes out of range", async () => {
  const events = ratingEvents({ lengths: [3, 2], numItems: 4, seed: 1 });
  const problem = problemOf(events, 2);
  const create = (more: Partial<RatingSgdProblem>) => createRatingSgd({ ...problem, ...more }, { threads: 1 });
  await expect(create({ factors: 3 })).rejects.toThrow("userFactors has 4 values, but 6 are needed");
  await expect(create({ events: { ...events, itemIndex: Int32Array.of(0, 1, 2, 3, 4) } })).rejects.toThrow("itemIndex is outside [0, 4)");
  await expect(create({ regularization: Number.NaN })).rejects.toThrow("regularization is NaN");
});
