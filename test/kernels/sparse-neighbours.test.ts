/**
 * Nearest rows against the plain twin in every variant. Small whole numbers make dots exact and ties frequent: equality, ties included.
 * Real values are sums in the same order in float64: values within 1 unit in the last place of float32, hence compared within 1e-6.
 */
import { describe, expect, it } from "vitest";
import { KernelError } from "../../src/core/errors.js";
import type { Csr } from "../../src/core/interactions.js";
import { createRandom } from "../../src/core/random.js";
import type { ArenaOptions } from "../../src/kernels/arena.js";
import { referenceNeighbours } from "../../src/kernels/reference/sparse-neighbours.js";
import { type PairMeasure, sparseNeighbours } from "../../src/kernels/sparse-neighbours.js";
import { expectError } from "../support/errors.js";
import { variants } from "./variants.js";

interface Shape {
  numRows: number;
  numColumns: number;
  density: number;
  seed: number;
  whole?: boolean;
}

/** Zeros among the values, empty rows and columns, rows of very unequal length. */
function randomMatrix({ numRows, numColumns, density, seed, whole = true }: Shape): Csr {
  const random = createRandom(seed);
  const offsets = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (let row = 0; row < numRows; row++) {
    const share = density * (row % 5 === 4 ? 0 : (row % 7) / 3);
    for (let column = 0; column < numColumns; column++) {
      if (random.uniform() >= share) continue;
      indices.push(column);
      values.push(whole ? random.integer(4) : random.uniform());
    }
    offsets.push(indices.length);
  }
  return { numRows, numColumns, offsets: Int32Array.from(offsets), indices: Int32Array.from(indices), values: Float32Array.from(values) };
}

function measures(matrix: Csr): PairMeasure[] {
  const { numRows, offsets, values } = matrix;
  const sums = (power: number) =>
    Float64Array.from({ length: numRows }, (_, row) =>
      values.subarray(offsets[row], offsets[row + 1]).reduce((sum, value) => sum + value ** power, 0),
    );
  const norms = sums(2).map(Math.sqrt);
  return [
    {},
    { left: norms, right: norms, leftTerm: new Float64Array(numRows).fill(2) }, // shrunk cosine
    { left: new Float64Array(numRows), leftTerm: sums(2), rightTerm: sums(2), dotFactor: -1 }, // Tanimoto
    { left: sums(1), right: sums(1).map((sum) => sum ** 0.5) }, // not symmetric
  ];
}

const expectations = new Map<string, ReturnType<typeof questions>>();

/** A matrix with every measure and count, and the answers; kept for the next variant. */
function questions(shape: Shape, counts: readonly number[]) {
  const matrix = randomMatrix(shape);
  return measures(matrix).flatMap((measure) =>
    counts.map((count) => ({ matrix, measure, count, expected: referenceNeighbours(matrix, count, measure) })),
  );
}

async function expectTwin(shape: Shape, options: ArenaOptions, counts = [1, 5, 1000]) {
  const key = JSON.stringify(shape);
  const asked = expectations.get(key) ?? questions(shape, counts);
  expectations.set(key, asked);
  for (const { matrix, measure, count, expected } of asked)
    expect(await sparseNeighbours(matrix, { ...options, count, measure }), key).toEqual(expected);
}

describe.each(variants)("$title", ({ options }) => {
  it("0 to 67 rows and columns, dense and sparse", async () => {
    for (let k = 0; k <= 67; k += k < 9 ? 1 : 7) {
      await expectTwin({ numRows: k, numColumns: (k * 31) % 68, density: 0.4, seed: k }, options, [3]);
      await expectTwin({ numRows: (k * 17) % 68, numColumns: k, density: 0.05, seed: k + 100 }, options, [4]);
    }
  });

  it("many rows: few of them met by each, and most of them", async () => {
    await expectTwin({ numRows: 400, numColumns: 90, density: 0.02, seed: 1 }, options);
    await expectTwin({ numRows: 201, numColumns: 40, density: 0.5, seed: 2 }, options);
  });

  it("real values", async () => {
    const matrix = randomMatrix({ numRows: 300, numColumns: 200, density: 0.1, seed: 3, whole: false });
    const [, measure] = measures(matrix);
    const got = await sparseNeighbours(matrix, { ...options, count: 20, measure });
    const expected = referenceNeighbours(matrix, 20, measure);
    expect(got.offsets).toEqual(expected.offsets);
    got.values.forEach((value, e) => {
      expect(Math.abs(value - expected.values[e])).toBeLessThan(1e-6);
    });
  });
});

it("gives the same bits for any threads, memory and order of work", async () => {
  const matrix = randomMatrix({ numRows: 2000, numColumns: 300, density: 0.1, seed: 4, whole: false });
  const [, measure] = measures(matrix);
  const one = await sparseNeighbours(matrix, { threads: 1, shared: false, count: 30, measure });
  for (const threads of [1, 2, 5]) expect(await sparseNeighbours(matrix, { threads, count: 30, measure })).toEqual(one);
});

it("reports progress and stops when aborted", async () => {
  const matrix = randomMatrix({ numRows: 500, numColumns: 100, density: 0.2, seed: 5 });
  const controller = new AbortController();
  const shares: number[] = [];
  const run = sparseNeighbours(matrix, {
    threads: 2,
    count: 5,
    signal: controller.signal,
    onProgress: (done, total) => shares.push(done / total) === 3 && controller.abort(),
  });
  await expectError(run, "E_CANCELLED");
  expect(shares.length).toBe(3);
  expect(shares.every((share, k) => share > 0 && share <= 1 && (k === 0 || share > shares[k - 1]))).toBe(true);
});

it("refuses misshapen input", async () => {
  const matrix = randomMatrix({ numRows: 4, numColumns: 4, density: 1, seed: 6 });
  const run = (changed: Partial<Csr>, options = {}) => sparseNeighbours({ ...matrix, ...changed }, { threads: 1, count: 2, ...options });
  await expect(run({}, { count: 0 })).rejects.toThrow("count is 0");
  await expect(run({ numRows: 5 })).rejects.toThrow(KernelError);
  await expect(run({ numColumns: 1 })).rejects.toThrow("column");
  await expect(run({ values: matrix.values.map(() => -1) })).rejects.toThrow("value -1");
  await expect(run({}, { measure: { left: new Float64Array(3) } })).rejects.toThrow("left has 3 values");
});
