/** Sobol points against scipy.stats.qmc.Sobol(32, scramble=False, bits=32) (scipy 1.17.1), and what a shift must keep. */
import { expect, test } from "vitest";
import { maxSobolDimensions, sobolPoint } from "../../src/tuning/sobol.js";
import { expectError } from "../support/errors.js";

const golden: Record<number, number[]> = {
  5: [
    0.875, 0.875, 0.125, 0.375, 0.875, 0.625, 0.875, 0.375, 0.375, 0.125, 0.375, 0.875, 0.875, 0.125, 0.875, 0.375, 0.875, 0.375, 0.375,
    0.625, 0.625, 0.625, 0.875, 0.375, 0.375, 0.375, 0.875, 0.125, 0.625, 0.625, 0.875, 0.625,
  ],
  201: [
    0.70703125, 0.88671875, 0.91015625, 0.08984375, 0.31640625, 0.05859375, 0.52734375, 0.47265625, 0.83203125, 0.12109375, 0.49609375,
    0.08984375, 0.80859375, 0.08984375, 0.59765625, 0.19140625, 0.13671875, 0.34765625, 0.24609375, 0.67578125, 0.86328125, 0.80078125,
    0.36328125, 0.76953125, 0.56640625, 0.87890625, 0.72265625, 0.28515625, 0.54296875, 0.02734375, 0.38671875, 0.58984375,
  ],
};

test.each(Object.entries(golden))("point %s is scipy's in all 32 dimensions", (index, point) => {
  expect(sobolPoint(Number(index), 32)).toEqual(point);
});

test("each dimension of 2^k points has one in every interval of 2^−k, shifted or not", () => {
  for (const seed of [undefined, 1, 2]) {
    for (let d = 0; d < maxSobolDimensions; d++) {
      const cells = Array.from({ length: 256 }, (_, n) => Math.floor(sobolPoint(n, maxSobolDimensions, seed)[d] * 256));
      expect(new Set(cells).size).toBe(256);
    }
  }
});

test("the seed moves the points", () => {
  expect(sobolPoint(3, 4, 1)).toEqual(sobolPoint(3, 4, 1));
  expect(sobolPoint(3, 4, 1)).not.toEqual(sobolPoint(3, 4, 2));
});

test("more dimensions than are known are refused", async () => {
  await expectError(() => sobolPoint(0, 33), "E_CONFIG", /32 dimensions, but 33/);
});
