/**
 * ALS kernels against their float64 twins in every variant: all factor counts and row lengths up to 67, padding, degenerate input,
 * and the bit-equality of thread counts and memory kinds. Tolerance: 1e-4 of the largest factor (float32 sums of up to 140 terms).
 */
import { describe, expect, it } from "vitest";
import { type AlsProblem, type AlsSolverOptions, createAlsSolver } from "../../src/kernels/als.js";
import { referenceAlsBlock, referenceAlsCg, referenceAlsCholesky, referenceAlsLoss } from "../../src/kernels/reference/als.js";
import { alsProblem, goalsAndPriors, relativeError, skewedLengths } from "./als-fixture.js";
import { builds, environments, variants } from "./variants.js";

const tolerance = 1e-4;
const lengths = Array.from({ length: 68 }, (_, user) => user);

async function sweepOnce(problem: AlsProblem, side: "users" | "items", options: AlsSolverOptions) {
  const solver = await createAlsSolver(problem, options);
  await solver.sweep(side);
  const result = { users: solver.userFactors(), items: solver.itemFactors(), loss: await solver.loss() };
  solver.dispose();
  return result;
}

/** The rows of one side after a sweep, by the reference. */
function expectedRows(problem: AlsProblem, side: "users" | "items"): Float64Array {
  const { matrixByUser, matrixByItem, userFactors, itemFactors, goals, userPriors, itemPriors, cgSteps } = problem;
  const [matrix, start, fixed, als] =
    side === "users"
      ? [matrixByUser, userFactors, itemFactors, { ...problem, goals: goals?.byUser, priors: userPriors }]
      : [matrixByItem, itemFactors, userFactors, { ...problem, goals: goals?.byItem, priors: itemPriors }];
  if (problem.solver === "cg") return referenceAlsCg(matrix, start, fixed, cgSteps, als);
  if (problem.solver === "ials++") return referenceAlsBlock(matrix, start, fixed, problem.blockFactors!, als);
  return referenceAlsCholesky(matrix, fixed, als);
}

for (const solver of ["cholesky", "cg", "ials++"] as const) {
  describe(`${solver} equals the reference`, () => {
    const cases = Array.from({ length: 67 }, (_, k) => {
      const plain = alsProblem({ lengths, numItems: 71, factors: k + 1, seed: 100 + k }, { solver, blockFactors: k % 5 === 0 ? 32 : 16 });
      const problem = k % 3 === 0 ? goalsAndPriors(plain, k) : plain;
      const side = k % 2 === 0 ? ("users" as const) : ("items" as const);
      return { problem, side, expected: expectedRows(problem, side) };
    });
    it.each(variants)("$title: 1 to 67 factors, rows of 0 to 67 entries", async ({ options }) => {
      for (const { problem, side, expected } of cases) {
        const result = await sweepOnce(problem, side, options);
        expect(relativeError(result[side], expected), `factors ${problem.factors}, ${side}`).toBeLessThan(tolerance);
        const als = { ...problem, goals: problem.goals?.byUser };
        const loss = referenceAlsLoss(problem.matrixByUser, problem.matrixByItem, result.users, result.items, als);
        expect(result.loss / loss, `loss, factors ${problem.factors}`).toBeCloseTo(1, 4);
      }
    });
  });

  it(`${solver}: rows without entries become exactly 0`, async () => {
    const problem = alsProblem({ lengths: [5, 0, 3], numItems: 20, factors: 17, seed: 5 }, { solver });
    const { users } = await sweepOnce(problem, "users", { threads: 1 });
    expect(users.subarray(17, 34).every((value) => value === 0)).toBe(true);
    expect(users.subarray(34).some((value) => value !== 0)).toBe(true);
  });

  it(`${solver}: goals of 1 and priors of 0 give the bits of none`, async () => {
    const problem = alsProblem({ lengths, numItems: 71, factors: 40, seed: 6 }, { solver });
    const { length } = problem.matrixByUser.indices;
    const goals = { byUser: new Float32Array(length).fill(1), byItem: new Float32Array(length).fill(1) };
    const userPriors = new Float32Array(lengths.length * 40);
    const given = { ...problem, goals, userPriors, itemPriors: new Float32Array(71 * 40) };
    const plain = await sweepOnce(problem, "users", { threads: 2 });
    expect((await sweepOnce(given, "users", { threads: 2 })).users).toEqual(plain.users);
  });

  it(`${solver}: priors may change between sweeps`, async () => {
    const problem = goalsAndPriors(alsProblem({ lengths, numItems: 71, factors: 20, seed: 7 }, { solver }), 7);
    const als = await createAlsSolver({ ...problem, itemPriors: new Float32Array(71 * 20) }, { threads: 2 });
    als.setPriors("items", problem.itemPriors!);
    await als.sweep("items");
    expect(als.itemFactors()).toEqual((await sweepOnce(problem, "items", { threads: 2 })).items);
    als.dispose();
  });

  it.each(builds)(`${solver}, %s: the same bits for any threads and either memory`, async (build) => {
    const problem = alsProblem({ lengths: skewedLengths(2100, 600), numItems: 1300, factors: 24, seed: 8 }, { solver });
    const results = [];
    for (const environment of [...environments, { shared: true, threads: 5 }]) {
      const als = await createAlsSolver(problem, { ...environment, build });
      const losses = [];
      for (let iteration = 0; iteration < 2; iteration++) {
        await als.sweep("users");
        await als.sweep("items");
        losses.push(await als.loss());
      }
      results.push({ users: als.userFactors(), items: als.itemFactors(), losses });
      als.dispose();
    }
    for (const result of results.slice(1)) expect(result).toEqual(results[0]);
  });

  const degenerate: Record<string, AlsProblem> = {
    "no users": alsProblem({ lengths: [], numItems: 4, factors: 3, seed: 1 }, { solver }),
    "no items": alsProblem({ lengths: [0, 0], numItems: 0, factors: 3, seed: 1 }, { solver }),
    neither: alsProblem({ lengths: [], numItems: 0, factors: 3, seed: 1 }, { solver }),
    "one item": alsProblem({ lengths: [1, 0, 1], numItems: 1, factors: 20, seed: 1 }, { solver }),
    "nothing weighs anything": alsProblem(
      { lengths: [3, 9, 0], numItems: 9, factors: 5, seed: 1 },
      { solver, alpha: 0, unobservedWeight: 0, regularization: 0 },
    ),
    "more factors than entries, no regularization": alsProblem(
      { lengths: [1, 2, 3, 40], numItems: 50, factors: 33, seed: 1 },
      { solver, unobservedWeight: 0, regularization: 0, cgSteps: 40 },
    ),
    "zero factors": alsProblem(
      { lengths: [3, 4], numItems: 5, factors: 4, seed: 1 },
      { solver, userFactors: new Float32Array(8), itemFactors: new Float32Array(20), regularization: 0 },
    ),
    "huge weights": alsProblem({ lengths: [3, 9, 7], numItems: 9, factors: 8, seed: 1 }, { solver, alpha: 1e9, regularization: 0 }),
  };
  it.each(Object.entries(degenerate))(`${solver}: factors and loss stay finite with %s`, async (_, problem) => {
    for (const { options } of variants) {
      const als = await createAlsSolver(problem, options);
      for (const side of ["users", "items", "users"] as const) await als.sweep(side);
      expect([...als.userFactors(), ...als.itemFactors(), await als.loss()].every(Number.isFinite)).toBe(true);
      als.dispose();
    }
  });
}

it("long rows gathered again in every step give the same bits as cached ones", async () => {
  const problem = alsProblem({ lengths: skewedLengths(40, 300), numItems: 320, factors: 16, seed: 3 }, { solver: "cg" });
  const cached = await sweepOnce(problem, "users", { threads: 2 });
  for (const panelCacheBytes of [0, 5 * 512]) expect(await sweepOnce(problem, "users", { threads: 2, panelCacheBytes })).toEqual(cached);
});
