/**
 * What ALS promises over sweeps: exact sweeps never raise the objective, many conjugate gradient steps reach the exact solution,
 * and folding in a training user's history gives that user's row.
 */
import { describe, expect, it } from "vitest";
import { KernelError } from "../../src/core/errors.js";
import { createAlsFoldIn, createAlsSolver } from "../../src/kernels/als.js";
import { alsProblem, relativeError, skewedLengths } from "./als-fixture.js";
import { builds, variants } from "./variants.js";

const sizes = { lengths: skewedLengths(300, 90), numItems: 120, factors: 21, seed: 40 };

it.each(builds)("%s: the objective does not rise over exact sweeps", async (build) => {
  const als = await createAlsSolver(alsProblem(sizes), { threads: 2, build });
  let before = await als.loss();
  for (let sweep = 0; sweep < 12; sweep++) {
    await als.sweep(sweep % 2 === 0 ? "users" : "items");
    const after = await als.loss();
    expect(after).toBeLessThanOrEqual(before * (1 + 1e-6));
    before = after;
  }
  als.dispose();
});

it.each(builds)("%s: conjugate gradients reach the exact rows when given the steps", async (build) => {
  const exact = await createAlsSolver(alsProblem(sizes), { threads: 2, build });
  const cg = await createAlsSolver(alsProblem(sizes, { solver: "cg", cgSteps: 60 }), { threads: 2, build });
  for (const als of [exact, cg]) for (const side of ["users", "items"] as const) await als.sweep(side);
  expect(relativeError(cg.itemFactors(), exact.itemFactors())).toBeLessThan(1e-3);
  expect((await cg.loss()) / (await exact.loss())).toBeCloseTo(1, 4);
  exact.dispose();
  cg.dispose();
});

describe.each(variants)("fold-in, $title", ({ options }) => {
  const problem = alsProblem({ ...sizes, lengths: [0, ...skewedLengths(2000, 90)] });
  const { offsets, indices, values } = problem.matrixByUser;
  const histories = Array.from({ length: problem.matrixByUser.numRows }, (_, user) => ({
    indices: indices.slice(offsets[user], offsets[user + 1]),
    weights: values.slice(offsets[user], offsets[user + 1]),
  }));

  it("gives the bits of the trained rows, for one history and for many", async () => {
    const als = await createAlsSolver(problem, options);
    await als.sweep("users");
    const foldIn = await createAlsFoldIn({ ...problem, numItems: sizes.numItems }, options);
    const rows = new Float32Array(histories.length * problem.factors);
    await foldIn.encode(histories, rows);
    expect(rows).toEqual(als.userFactors());
    const one = new Float32Array(problem.factors).fill(7);
    await foldIn.encode([histories[3]], one);
    expect(one).toEqual(rows.slice(3 * problem.factors, 4 * problem.factors));
    als.dispose();
    foldIn.dispose();
  });

  it("adds up repeated items in any order, and takes no, empty and misfit histories", async () => {
    const foldIn = await createAlsFoldIn({ ...problem, numItems: sizes.numItems }, options);
    const [summed, repeated, empty] = [0, 1, 2].map(() => new Float32Array(problem.factors).fill(7));
    await foldIn.encode([{ indices: Int32Array.of(4, 9), weights: Float32Array.of(3, 0.5) }], summed);
    await foldIn.encode([{ indices: Int32Array.of(9, 4, 4), weights: Float32Array.of(0.5, 1, 2) }], repeated);
    expect(repeated).toEqual(summed);
    await foldIn.encode([{ indices: new Int32Array(0), weights: new Float32Array(0) }], empty);
    expect(empty.every((value) => value === 0)).toBe(true);
    await foldIn.encode([], new Float32Array(0));
    for (const item of [-1, sizes.numItems])
      await expect(foldIn.encode([{ indices: Int32Array.of(item), weights: Float32Array.of(1) }], summed)).rejects.toThrow(KernelError);
    foldIn.dispose();
  });
});
