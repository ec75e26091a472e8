/**
 * UltraGCN against its float64 twin in every variant, with 1 to 67 factors; its step against central differences. Tolerance: 1e-3 of the
 * largest value (float32 over two epochs; Adagrad's first steps divide by small sums).
 */
import { expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import type { ArenaOptions } from "../../src/kernels/arena.js";
import { type ReferenceUltraGcnFactors, referenceUltraGcnEpoch } from "../../src/kernels/reference/ultra-gcn.js";
import { createUltraGcn, itemTerm, type UltraGcnFactors, type UltraGcnProblem, userTerm } from "../../src/kernels/ultra-gcn.js";
import { alsProblem, normals, relativeError, skewedLengths } from "./als-fixture.js";
import { builds, environments, variants } from "./variants.js";

const keys = ["userFactors", "itemFactors", "userSquares", "itemSquares"] as const;

function problemOf(lengths: readonly number[], numItems: number, factors: number, more: Partial<UltraGcnProblem> = {}): UltraGcnProblem {
  const { matrixByUser: pairs } = alsProblem({ lengths, numItems, factors: 1, seed: factors });
  const random = createRandom(factors + 5);
  const indices = Array.from({ length: numItems }, (_, item) => [(item + 1 + random.integer(numItems - 1)) % numItems]).map(
    ([other]) => other,
  );
  return {
    pairs,
    links: {
      numRows: numItems,
      numColumns: numItems,
      offsets: Int32Array.from({ length: numItems + 1 }, (_, item) => item),
      indices: Int32Array.from(indices),
      values: Float32Array.from(indices, () => 0.5 + random.uniform()),
    },
    factors,
    regularization: 0.05,
    negatives: 3,
    weights: { positive: [1, 2], negative: [0.5, 3] },
    seed: 4,
    start: {
      userFactors: normals(lengths.length * factors, 1),
      itemFactors: normals(numItems * factors, 2),
      userSquares: new Float32Array(lengths.length).fill(0.5),
      itemSquares: new Float32Array(numItems).fill(0.5),
    },
    ...more,
  };
}

async function epochs(problem: UltraGcnProblem, count: number, options: ArenaOptions, rate = 0.1) {
  const solver = await createUltraGcn(problem, options);
  const losses = [];
  for (let epoch = 1; epoch <= count; epoch++) losses.push(await solver.epoch(epoch, rate));
  const factors = solver.factors();
  solver.dispose();
  return { losses, factors };
}

const wide = (start: UltraGcnFactors) =>
  Object.fromEntries(keys.map((key) => [key, Float64Array.from(start[key])])) as unknown as ReferenceUltraGcnFactors;

const cases = Array.from({ length: 67 }, (_, k) => {
  const problem = problemOf([0, k % 20, 5, 12, 1], 23, k + 1, { numBlocks: 1 + (k % 4) });
  const expected = wide(problem.start);
  const losses = [1, 2].map((epoch) => referenceUltraGcnEpoch(problem, expected, { epoch, learningRate: 0.1 }));
  return { problem, expected, losses };
});

it.each(variants)("$title: equals the reference after two epochs, 1 to 67 factors", async ({ options }) => {
  for (const { problem, expected, losses } of cases) {
    const got = await epochs(problem, 2, options);
    for (const key of keys) expect(relativeError(got.factors[key], expected[key]), `factors ${problem.factors}, ${key}`).toBeLessThan(1e-3);
    expect(relativeError(got.losses, losses)).toBeLessThan(1e-3);
  }
});

it.each(builds)("%s: the same bits for any threads and either memory", async (build) => {
  const problem = problemOf(skewedLengths(600, 200), 400, 24, { numBlocks: 5 });
  const results = [];
  for (const environment of [...environments, { shared: true, threads: 5 }])
    results.push(await epochs(problem, 2, { ...environment, build } as ArenaOptions));
  for (const result of results.slice(1)) expect(result).toEqual(results[0]);
});

it("moves a lone pair along the negative gradient, at Adagrad's rate", async () => {
  const problem = problemOf([1], 2, 3, { weights: { positive: [1, 2], negative: [0, 0] } });
  const item = problem.pairs.indices[0];
  const links = { ...problem.links, offsets: Int32Array.of(0, 0, 0), indices: new Int32Array(0), values: new Float32Array(0) };
  const { factors: moved } = await epochs({ ...problem, links }, 1, { threads: 1 }, 1e-3);
  const weight = problem.pairs.values[0] * (1 + 2 * userTerm(1) * itemTerm(1));
  const objective = ({ userFactors: u, itemFactors: all }: { userFactors: ArrayLike<number>; itemFactors: ArrayLike<number> }) => {
    let [score, length] = [0, 0];
    for (let d = 0; d < 3; d++) {
      score += u[d] * all[item * 3 + d];
      length += u[d] ** 2 + all[item * 3 + d] ** 2;
    }
    return weight * (Math.log(1 + Math.exp(-score)) + (problem.regularization / 2) * length);
  };
  for (const key of ["userFactors", "itemFactors"] as const) {
    const squares = key === "userFactors" ? moved.userSquares[0] : moved.itemSquares[item];
    for (let d = 0; d < 3; d++) {
      const at = key === "userFactors" ? d : item * 3 + d;
      const nudged = (by: number) => {
        const values = wide(problem.start);
        values[key][at] += by;
        return objective(values);
      };
      const slope = (nudged(1e-5) - nudged(-1e-5)) / 2e-5;
      expect((moved[key][at] - problem.start[key][at]) / 1e-3).toBeCloseTo(-slope / Math.sqrt(squares), 3);
    }
  }
});

it("refuses arrays that do not fit", async () => {
  const problem = problemOf([3, 2], 4, 2);
  await expect(createUltraGcn({ ...problem, factors: 3 }, { threads: 1 })).rejects.toThrow("userFactors has 4 values, but 6 are needed");
  await expect(createUltraGcn({ ...problem, negatives: 0 }, { threads: 1 })).rejects.toThrow("negatives is 0");
});
