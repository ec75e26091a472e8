import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { nameHint, nearestNames } from "../../src/core/nearest-names.js";
import { parseParams } from "../../src/core/params.js";
import { createRandom } from "../../src/core/random.js";
import { expectError } from "../support/errors.js";

describe("random", () => {
  it("repeats for a seed, differs between seeds", () => {
    const draw = (seed: number) => Array.from({ length: 20 }, createRandom(seed).uniform);
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });

  it("has the moments of its distributions", () => {
    const random = createRandom(1);
    const n = 200_000;
    const uniform = Array.from({ length: n }, random.uniform);
    const normal = Array.from({ length: n }, random.normal);
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(uniform)).toBeCloseTo(0.5, 2);
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((x) => x * x))).toBeCloseTo(1, 1);
    expect(mean(normal.map((x) => x ** 4))).toBeGreaterThan(2.8);
    const counts = new Int32Array(7);
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)]++;
    expect(Math.min(...counts)).toBeGreaterThan(9_500);
  });

  it("shuffles without loss", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (values, seed) => {
        expect(
          createRandom(seed)
            .shuffle([...values])
            .sort(),
        ).toEqual([...values].sort());
      }),
    );
  });
});

describe("names and parameters", () => {
  it("finds the nearest names", () => {
    expect(nearestNames("popularty", ["als", "popularity", "repeat"])).toEqual(["popularity"]);
    expect(nameHint("xyz", ["als", "repeat"])).toMatch(/^Known: als, repeat/);
  });

  it("names the parameter, the value and the way out", async () => {
    const schema = z.strictObject({ factors: z.int().min(1).default(4), inner: z.strictObject({ depth: z.number() }).optional() });
    expect(parseParams(schema, {}, "Model x")).toEqual({ factors: 4 });
    await expectError(() => parseParams(schema, { factor: 1 }, "Model x"), "E_CONFIG", /factor.*Did you mean factors/);
    await expectError(() => parseParams(schema, { factors: 0 }, "Model x"), "E_CONFIG", /factors is 0/);
    await expectError(() => parseParams(schema, { inner: { depth: "a" } }, "Model x"), "E_CONFIG", /inner\.depth is "a"/);
  });
});
