/**
 * Ranking SGD against its float64 twin in every variant, for all losses and optimizers, 1 to 67 factors, with and without strata;
 * the bit-equality of thread counts and memory kinds; single steps by hand. Tolerance: 2e-4 of the largest value after an epoch
 * (float32 rows, an approximated exponential, and steps that follow from each other).
 */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import { split } from "../../src/data/splits.js";
import { createRankingSgd, type RankingSgdOptions, type RankingSgdProblem } from "../../src/kernels/ranking-sgd.js";
import { createRankingSgdFoldIn } from "../../src/kernels/ranking-sgd-fold-in.js";
import { planStrata, resetOptimizer, rowLength, type SgdStep, type Strata, valueLength } from "../../src/kernels/ranking-sgd-layout.js";
import { referenceEpoch, referenceFoldIn } from "../../src/kernels/reference/ranking-sgd.js";
import { tastes } from "../support/tastes.js";
import { relativeError } from "./als-fixture.js";
import { builds, environments, variants } from "./variants.js";

const tolerance = 2e-4;
const losses = ["bpr", "warp", "logistic"] as const;
const optimizers = ["sgd", "adagrad", "adam"] as const;

const base: SgdStep = {
  factors: 5,
  loss: "bpr",
  optimizer: "sgd",
  draws: 3,
  negatives: "uniform",
  regularization: { user: 0.02, positive: 0.03, negative: 0.01, bias: 0.04 },
};

function rowsOf(numRows: number, { factors, optimizer }: SgdStep, seed: number): Float32Array {
  const random = createRandom(seed);
  const rows = new Float32Array(numRows * rowLength(factors, optimizer));
  for (let row = 0; row < rows.length; row += rowLength(factors, optimizer)) {
    for (let k = 0; k < factors; k++) rows[row + k] = 0.3 * random.normal();
    rows[row + valueLength(factors) - 4] = 0.3 * random.normal();
  }
  resetOptimizer(rows, factors, optimizer);
  return rows;
}

/** Users with 0 to 19 events, some of them repeated; the last user has all items. */
function problemOf(step: SgdStep, { numUsers = 40, numItems = 53, seed = 1 } = {}): RankingSgdProblem {
  const random = createRandom(seed);
  const pairs = Array.from({ length: numUsers }, (_, user) =>
    Array.from({ length: user % 20 }, () => [user, Math.floor(random.uniform() ** 2 * numItems)]),
  )
    .flat()
    .concat(Array.from({ length: numItems }, (_, item) => [numUsers - 1, item]));
  const data = Interactions.fromArrays({
    userIndex: pairs.map(([user]) => user),
    itemIndex: pairs.map(([, item]) => item),
    numUsers,
    numItems,
  });
  return {
    ...step,
    seen: data.matrixByUser(),
    events: data.eventsByUser(),
    userRows: rowsOf(numUsers, step, seed + 1),
    itemRows: rowsOf(numItems, step, seed + 2),
  };
}

const epochOptions = { seed: 12345, learningRate: 0.05 };

async function epoch(problem: RankingSgdProblem, options: RankingSgdOptions, epochs = 1) {
  const sgd = await createRankingSgd(problem, options);
  let loss = 0;
  for (let e = 0; e < epochs; e++) loss = await sgd.epoch({ ...epochOptions, seed: epochOptions.seed + e });
  const result = { loss, userRows: sgd.userRows(), itemRows: sgd.itemRows() };
  sgd.dispose();
  return result;
}

describe.each(variants)("$title", ({ options }) => {
  for (const loss of losses)
    for (const optimizer of optimizers)
      it(`${loss} with ${optimizer} equals the reference`, async () => {
        for (const [k, strata] of [
          { blocks: 1, parts: 1 },
          { blocks: 3, parts: 2 },
          { blocks: 4, parts: 1 },
        ].entries())
          for (const negatives of ["uniform", "popularity"] as const) {
            const problem = problemOf({ ...base, loss, optimizer, negatives, factors: 3 + 7 * k }, { seed: 10 + k });
            const expected = { ...problem, userRows: [...problem.userRows], itemRows: [...problem.itemRows] };
            const expectedLoss = referenceEpoch(expected, strata, epochOptions);
            const got = await epoch(problem, { ...options, strata });
            const what = `${negatives}, ${strata.blocks} blocks`;
            expect(got.loss, what).toBeCloseTo(expectedLoss, 4);
            expect(relativeError(got.userRows, expected.userRows), `users, ${what}`).toBeLessThan(tolerance);
            expect(relativeError(got.itemRows, expected.itemRows), `items, ${what}`).toBeLessThan(tolerance);
          }
      });

  it("1 to 67 factors", async () => {
    for (let factors = 1; factors <= 67; factors++) {
      const step = { ...base, factors, loss: losses[factors % 3], optimizer: optimizers[Math.floor(factors / 3) % 3] };
      const problem = problemOf(step, { numUsers: 12, numItems: 17, seed: factors });
      const expected = { ...problem, userRows: [...problem.userRows], itemRows: [...problem.itemRows] };
      referenceEpoch(expected, { blocks: 2, parts: 1 }, epochOptions);
      const got = await epoch(problem, { ...options, strata: { blocks: 2, parts: 1 } });
      expect(relativeError(got.userRows, expected.userRows), `factors ${factors}`).toBeLessThan(tolerance);
      expect(relativeError(got.itemRows, expected.itemRows), `factors ${factors}`).toBeLessThan(tolerance);
    }
  });

  it("fold-in equals the reference, alone and in a batch", async () => {
    for (const loss of losses)
      for (const optimizer of optimizers) {
        const step = { ...base, loss, optimizer, factors: 9 };
        const itemValues = rowsOf(30, { ...step, optimizer: "sgd" }, 4);
        const pool = Int32Array.from({ length: 30 }, (_, item) => item);
        const problem = { ...step, itemValues, numItems: 30, pool, rates: [0.1, 0.05, 0.02], seed: 77 };
        const foldIn = await createRankingSgdFoldIn(problem, options);
        const histories = [[3, 9, 3], [], [29, 0, 4, 17]];
        const rows = await foldIn.encode(histories);
        const alone = await foldIn.encode([histories[2]]);
        foldIn.dispose();
        const expected = histories.flatMap((history) =>
          referenceFoldIn({ ...problem, itemValues: [...itemValues], pool: [...pool] }, history),
        );
        expect(relativeError(rows, expected), `${loss} ${optimizer}`).toBeLessThan(tolerance);
        expect(alone).toEqual(rows.slice(2 * valueLength(9)));
      }
  });
});

it.each(builds)("%s: the same bits for any threads and either memory", async (build) => {
  for (const loss of losses) {
    const problem = problemOf({ ...base, loss, optimizer: "adagrad", factors: 6 }, { numUsers: 120, numItems: 500, seed: 3 });
    const results = [];
    for (const environment of [...environments, { shared: true, threads: 5 }])
      results.push(await epoch(problem, { ...environment, build, strata: { blocks: 7, parts: 3 } }, 3));
    for (const result of results.slice(1)) expect(result).toEqual(results[0]);
  }
});

describe("one step by hand", () => {
  // one user with item 0 of two items: the only negative is item 1. Factors 1: x = 1, y = (2, 1); biases 0.5 and 0
  const one = (step: SgdStep): RankingSgdProblem => {
    const data = Interactions.fromArrays({ userIndex: [0], itemIndex: [0], numUsers: 1, numItems: 2 });
    const [userRows, itemRows] = [rowsOf(1, step, 1), rowsOf(2, step, 1)];
    const length = rowLength(1, step.optimizer);
    userRows.set([1]);
    itemRows.set([2]);
    itemRows.set([1], length);
    [userRows[16], itemRows[16], itemRows[length + 16]] = [0, 0.5, 0];
    return { ...step, seen: data.matrixByUser(), events: data.eventsByUser(), userRows, itemRows };
  };
  const valuesOf = ({ userRows, itemRows }: { userRows: Float32Array; itemRows: Float32Array }) => {
    const length = userRows.length;
    return [userRows[0], userRows[16], itemRows[0], itemRows[16], itemRows[length], itemRows[length + 16]];
  };
  const expectValues = (got: number[], expected: number[]) =>
    got.forEach((value, k) => {
      expect(value).toBeCloseTo(expected[k], 6);
    });
  const step: SgdStep = { ...base, factors: 1, draws: 1, regularization: { user: 0.1, positive: 0.2, negative: 0.3, bias: 0.4 } };

  it("bpr", async () => {
    const got = await epoch(one(step), { threads: 1 });
    const z = 1 / (1 + Math.exp(1.5)); // s⁺ = 2.5, s⁻ = 1
    expect(got.loss).toBeCloseTo(Math.log(1 + Math.exp(-1.5)), 5);
    expectValues(valuesOf(got), [
      1 + 0.05 * (z * (2 - 1) - 0.1),
      0,
      2 + 0.05 * (z - 0.2 * 2),
      0.5 + 0.05 * (z - 0.4 * 0.5),
      1 + 0.05 * (-z - 0.3),
      0.05 * -z,
    ]);
  });

  it("logistic, a positive and then a negative", async () => {
    const got = await epoch(one({ ...step, loss: "logistic" }), { threads: 1 });
    const z = 1 / (1 + Math.exp(2.5));
    const [x, b] = [1 + 0.05 * (z * 2 - 0.1), 0.05 * z];
    const score = x * 1 + b;
    const zn = 1 / (1 + Math.exp(-score));
    expect(got.loss).toBeCloseTo((Math.log(1 + Math.exp(-2.5)) + Math.log(1 + Math.exp(score))) / 2, 5);
    expectValues(valuesOf(got), [
      x + 0.05 * (-zn - 0.1 * x),
      b + 0.05 * (-zn - 0.4 * b),
      2 + 0.05 * (z - 0.2 * 2),
      0.5 + 0.05 * (z - 0.2),
      1 + 0.05 * (-zn * x - 0.3),
      0.05 * -zn,
    ]);
  });

  it("warp steps only where the margin is missing, with the weight of the trial", async () => {
    const far = one({ ...step, loss: "warp" }); // s⁺ − s⁻ = 1.5: nothing to mend
    const kept = await epoch(far, { threads: 1 });
    expect(kept).toEqual({ loss: 0, userRows: far.userRows, itemRows: far.itemRows });
    const near = one({ ...step, loss: "warp", regularization: { user: 0, positive: 0, negative: 0, bias: 0 } });
    near.itemRows[0] = 1.2; // s⁺ − s⁻ = 0.7
    const got = await epoch(near, { threads: 1 });
    expectValues(valuesOf(got), valuesOf(near)); // the estimated rank ⌊(2 − 1) / 1⌋ is 1: log 1 = 0
  });
});

describe("strata", () => {
  it("depend on the sizes alone; small data has one block", () => {
    expect(planStrata({ numUsers: 900, numItems: 1700, numEvents: 75_000, rowBytes: 272 })).toEqual({ blocks: 1, parts: 4 });
    expect(planStrata({ numUsers: 138_000, numItems: 27_000, numEvents: 18_600_000, rowBytes: 272 })).toEqual({ blocks: 8, parts: 72 });
    expect(planStrata({ numUsers: 0, numItems: 0, numEvents: 0, rowBytes: 272 })).toEqual({ blocks: 1, parts: 1 });
  });

  it.each(["uniform", "popularity"] as const)("%s negatives of strata teach as well as those from all items", async (negatives) => {
    const { train, test } = split(tastes(), { by: "random-per-user", testFraction: 0.25, seed: 1 });
    const step = { ...base, negatives, factors: 16, regularization: { user: 0.01, positive: 0.01, negative: 0.01, bias: 0.01 } };
    const hits = async (strata: Strata, seed: number) => {
      const [userRows, itemRows] = [rowsOf(train.numUsers, step, seed), rowsOf(train.numItems, step, seed + 1)];
      const problem = { ...step, seen: train.matrixByUser(), events: train.eventsByUser(), userRows, itemRows };
      const sgd = await createRankingSgd(problem, { threads: 2, strata });
      for (let e = 0; e < 30; e++) await sgd.epoch({ seed: 100 * seed + e, learningRate: 0.05 });
      const share = shareOfHits(sgd.userRows(), sgd.itemRows(), { train, test, length: rowLength(16, "sgd") });
      sgd.dispose();
      return share;
    };
    let [inStrata, inOneBlock] = [0, 0];
    for (const seed of [1, 2, 3]) {
      inStrata += (await hits({ blocks: 6, parts: 4 }, seed)) / 3;
      inOneBlock += (await hits({ blocks: 1, parts: 1 }, seed)) / 3;
    }
    expect(inStrata).toBeGreaterThan(0.97 * inOneBlock);
  });
});

/** Share of held-out items among the 20 best unseen items of their users. */
function shareOfHits(
  userRows: Float32Array,
  itemRows: Float32Array,
  { train, test, length }: { train: Interactions; test: Interactions; length: number },
) {
  const [seen, heldOut] = [train.matrixByUser(), test.matrixByUser()];
  let hits = 0;
  for (let user = 0; user < train.numUsers; user++) {
    const own = seen.indices.subarray(seen.offsets[user], seen.offsets[user + 1]);
    const score = (item: number) => {
      let sum = itemRows[item * length + length - 4];
      for (let k = 0; k < length - 4; k++) sum += userRows[user * length + k] * itemRows[item * length + k];
      return sum;
    };
    const best = Array.from({ length: train.numItems }, (_, item) => ({ item, score: own.includes(item) ? -Infinity : score(item) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 20)
      .map(({ item }) => item);
    hits += heldOut.indices.subarray(heldOut.offsets[user], heldOut.offsets[user + 1]).filter((item) => best.includes(item)).length;
  }
  return hits / heldOut.indices.length;
}

it("misshapen input is refused with what is wrong", async () => {
  const problem = problemOf(base);
  await expect(createRankingSgd({ ...problem, factors: 0 }, { threads: 1 })).rejects.toThrow("factors is 0");
  await expect(createRankingSgd({ ...problem, userRows: new Float32Array(3) }, { threads: 1 })).rejects.toThrow("userRows has 3 values");
  await expect(
    createRankingSgd({ ...problem, regularization: { ...problem.regularization, user: Number.NaN } }, { threads: 1 }),
  ).rejects.toThrow("regularization.user");
  const none = { offsets: new Int32Array(41), indices: new Int32Array(0) };
  await expect(createRankingSgd({ ...problem, seen: { ...problem.seen, ...none } }, { threads: 1 })).rejects.toThrow("no items in seen");
});
