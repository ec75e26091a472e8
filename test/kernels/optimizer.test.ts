/**
 * The kernels of the optimizers against their plain twins, bit for bit in every build. Adam: ranges of all lengths to 70 and across pieces,
 * at odd places, with scaled gradients and weight decay, and nothing outside the range touched.
 */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { createOptimizerKernels } from "../../src/kernels/optimizer.js";
import { type AdamState, referenceAdam } from "../../src/kernels/reference/adam.js";
import { referenceSumOfSquares } from "../../src/kernels/reference/sum-of-squares.js";
import { builds } from "./variants.js";

const SIZE = 20_000;

function start(): { state: AdamState; gradient: Float32Array } {
  const random = createRandom(5);
  const drawn = (scale: number) => new Float32Array(SIZE).map(() => scale * random.normal());
  const state = { values: drawn(1), first: drawn(1e-3), second: drawn(1e-3).map((x) => x * x) };
  return { state, gradient: drawn(1e-2).map((g, k) => (k % 11 === 0 ? 0 : g)) };
}

const copied = ({ values, first, second }: AdamState) => ({ values: values.slice(), first: first.slice(), second: second.slice() });

describe.each(builds)("adam, %s", (build) => {
  it("has the bits of the plain twin", async () => {
    const { adam } = await createOptimizerKernels({ build });
    const { state, gradient } = start();
    const expected = copied(state);
    const ranges = [
      ...Array.from({ length: 70 }, (_, count) => ({ at: 3 * count, from: 7 * count, count })),
      { at: 1, from: 0, count: SIZE - 1 },
      { at: 0, from: 2, count: 16_384 },
    ];
    ranges.forEach((range, k) => {
      const step = { scale: 1 / (k + 1), kept: k % 2 === 0 ? 1 : 0.99, size: 1e-2 / (k + 1), epsilon: 1e-8 };
      adam(state, gradient, range, step);
      referenceAdam(expected, gradient, range, step);
    });
    expect(state).toEqual(expected);
  });

  it("leaves what lies beside a range as it is", async () => {
    const { adam } = await createOptimizerKernels({ build });
    const { state, gradient } = start();
    const before = copied(state);
    adam(state, gradient, { at: 100, from: 0, count: 9001 }, { scale: 1, kept: 0.5, size: 0.1, epsilon: 1e-8 });
    for (const name of ["values", "first", "second"] as const) {
      expect(state[name].subarray(0, 100)).toEqual(before[name].subarray(0, 100));
      expect(state[name].subarray(9101)).toEqual(before[name].subarray(9101));
      expect(state[name].subarray(100, 9101)).not.toEqual(before[name].subarray(100, 9101));
    }
  });
});

it.each(builds)("sum of squares, %s, has the bits of the plain twin", async (build) => {
  const { sumOfSquares } = await createOptimizerKernels({ build });
  const { gradient } = start();
  for (const count of [0, 1, 3, 511, 512, 513, 8191, 8192, 8193, 16_384, SIZE - 1, SIZE])
    expect(sumOfSquares(gradient, count)).toBe(referenceSumOfSquares(gradient, count));
  gradient[SIZE - 7] = Number.NaN;
  expect(sumOfSquares(gradient, SIZE)).toBeNaN();
  gradient[SIZE - 7] = Number.POSITIVE_INFINITY;
  expect(sumOfSquares(gradient, SIZE)).toBe(Number.POSITIVE_INFINITY);
});
