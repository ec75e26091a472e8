/**
 * Item weights of EASE against the dense float64 computation, in every variant: sparse matrices with empty rows and columns, counts
 * and weights, across tiles; and what is refused before and during the work. Tolerance: 1e-4 of the largest weight.
 */
import { describe, expect, it } from "vitest";
import { computeEase, type EaseOptions, type EaseProblem } from "../../src/kernels/ease.js";
import { referenceEase } from "../../src/kernels/reference/ease.js";
import { expectError } from "../support/errors.js";
import { alsProblem, relativeError } from "./als-fixture.js";
import { builds, environments, variants } from "./variants.js";

function easeProblem(numItems: number, more: Partial<EaseProblem> = {}, seed = numItems): EaseProblem {
  const lengths = Array.from({ length: 60 }, (_, user) => Math.min(numItems, (user * 7) % 23));
  const { matrixByUser, matrixByItem } = alsProblem({ lengths, numItems, factors: 1, seed });
  return { matrixByUser, matrixByItem, binary: true, regularization: 3, ...more };
}

async function weightsOf(problem: EaseProblem, options: EaseOptions, by: "rows" | "columns" = "rows"): Promise<Float32Array> {
  const numItems = problem.matrixByItem.numRows;
  const weights = new Float32Array(numItems * numItems);
  const take = (item: number, vector: Float32Array) => {
    for (let other = 0; other < numItems; other++)
      weights[by === "rows" ? item * numItems + other : other * numItems + item] = vector[other];
  };
  await computeEase(problem, { by, bytes: weights.byteLength, take }, options);
  return weights;
}

const sameBits = (a: Float32Array, b: Float32Array) => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));

const problems = Array.from({ length: 70 }, (_, k) => {
  const problem = easeProblem(k + 1, { binary: k % 3 > 0 });
  return { problem, expected: referenceEase(problem.matrixByUser, problem).weights };
});

describe.each(variants)("$title", ({ options }) => {
  it("1 to 70 items, in one tile and in tiles of 16, by rows and by columns", async () => {
    for (const [k, { problem, expected }] of problems.entries()) {
      const rows = await weightsOf(problem, options);
      const columns = await weightsOf(problem, { ...options, tileSize: 16 }, "columns");
      expect(relativeError(rows, expected), `${k + 1} items`).toBeLessThan(1e-4);
      expect(relativeError(columns, expected), `${k + 1} items in tiles`).toBeLessThan(1e-4);
    }
  });
});

it.each(builds)("%s: the same bits for any threads and either memory", async (build) => {
  const problem = easeProblem(150, { binary: false });
  const first = await weightsOf(problem, { build, threads: 1, tileSize: 32 });
  for (const environment of [...environments, { shared: true, threads: 5 }])
    expect(sameBits(await weightsOf(problem, { build, ...environment, tileSize: 32 }), first)).toBe(true);
});

it("the scale of the weights does not matter when λ grows with its square", async () => {
  const problem = easeProblem(40, { binary: false });
  const scaledBy = (factor: number) => ({
    ...problem,
    regularization: 3 * factor ** 2,
    matrixByUser: { ...problem.matrixByUser, values: problem.matrixByUser.values.map((value) => value * factor) },
    matrixByItem: { ...problem.matrixByItem, values: problem.matrixByItem.values.map((value) => value * factor) },
  });
  const one = await weightsOf(problem, { threads: 1 });
  expect(await weightsOf(scaledBy(2 ** 90), { threads: 1 })).toEqual(one);
  expect(await weightsOf(scaledBy(2 ** -90), { threads: 1 })).toEqual(one);
});

it("says that regularization is too small when items repeat each other", async () => {
  const { matrixByUser, matrixByItem } = easeProblem(1);
  const twice = {
    matrixByItem: {
      ...matrixByItem,
      numRows: 2,
      offsets: Int32Array.of(0, matrixByItem.offsets[1], 2 * matrixByItem.offsets[1]),
      indices: Int32Array.of(...matrixByItem.indices, ...matrixByItem.indices),
    },
    matrixByUser: {
      ...matrixByUser,
      numColumns: 2,
      offsets: matrixByUser.offsets.map((offset) => 2 * offset),
      indices: Int32Array.from({ length: 2 * matrixByUser.indices.length }, (_, e) => e % 2),
    },
  };
  const problem = { ...twice, binary: true };
  for (const regularization of [0, 1e-9])
    await expectError(weightsOf({ ...problem, regularization }, { threads: 1 }), "E_TRAINING", /regularization .* item 1/);
  const weights = await weightsOf({ ...problem, regularization: 1 }, { threads: 1 });
  expect(weights[1]).toBeCloseTo(matrixByItem.indices.length / (matrixByItem.indices.length + 1), 5);
});

it("names the memory it needs before it starts", async () => {
  await expectError(weightsOf(easeProblem(200), { threads: 1, maxBytes: 1e5 }), "E_KERNEL", /200 items needs .*GiB/);
  const empty = { numRows: 1, numColumns: 50_000, offsets: Int32Array.of(0, 0), indices: new Int32Array(0), values: new Float32Array(0) };
  const problem = {
    matrixByUser: empty,
    matrixByItem: { ...empty, numRows: 50_000, numColumns: 1, offsets: new Int32Array(50_001) },
    binary: true,
    regularization: 1,
  };
  const receiver = { by: "rows" as const, bytes: 0, take: () => {} };
  await expectError(computeEase(problem, receiver, { threads: 1 }), "E_KERNEL", /50000 items .*4\.8 GiB/);
});

it("stops when aborted, at any step", async () => {
  for (const at of [1, 3, 5]) {
    const controller = new AbortController();
    const onProgress = (done: number) => done === at && controller.abort();
    await expectError(weightsOf(easeProblem(70), { threads: 2, tileSize: 16, signal: controller.signal, onProgress }), "E_CANCELLED");
  }
});
