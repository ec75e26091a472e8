/** Search spaces: from definitions, narrowed, and as axes. */
import { describe, expect, test } from "vitest";
import { parseParams } from "../../src/core/params.js";
import { createRandom } from "../../src/core/random.js";
import { getModel, listModels } from "../../src/models/registry.js";
import { modelSpace, repairFor } from "../../src/tuning/model-space.js";
import { fromUnit } from "../../src/tuning/sampler.js";
import { axesOf, type NumberRange, paramsAt, pointOf, type SearchSpace, sizeOf } from "../../src/tuning/search-space.js";
import { expectError } from "../support/errors.js";

const defaults = (name: string) => parseParams(getModel(name).params, {}, name);
const space = (name: string, narrowed?: Record<string, unknown>, hasTimestamps = true) =>
  modelSpace(getModel(name), { params: defaults(name), narrowed, hasTimestamps });

describe("the space of a model", () => {
  test("follows from its definition", () => {
    const { searched, fixed } = space("als");
    expect(searched.factors).toEqual({ kind: "number", low: 8, high: 256, scale: "log", whole: true, alternatives: [] });
    expect(searched.regularization).toMatchObject({ scale: "log", whole: false, alternatives: ["auto"] });
    expect(fixed).toMatchObject({ solver: "auto", cgSteps: 3, initScale: 0.1, target: "preference" });
  });

  test("absence is an alternative, and parameters that need times are left alone without them", () => {
    expect(space("popularity").searched).toMatchObject({
      count: { kind: "choice", values: ["events", "users", "weight"] },
      windowDays: { alternatives: [undefined] },
    });
    expect(Object.keys(space("popularity", {}, false).searched)).toEqual(["count"]);
  });

  test("a recipe fixes, lists and gives ranges", () => {
    const narrowed = { factors: [16, 32], alpha: { min: 1, max: 4 }, iterations: 8, regularization: ["auto"], cgSteps: { min: 2, max: 4 } };
    const { searched, fixed } = space("als", narrowed);
    expect(searched).toMatchObject({
      factors: { kind: "choice", values: [16, 32] },
      alpha: { low: 1, high: 4, scale: "log" },
      cgSteps: { low: 2, high: 4, whole: true },
    });
    expect(fixed).toMatchObject({ iterations: 8, regularization: "auto", solver: "auto" });
  });

  test("a value is judged by itself, a combination is mended", () => {
    const start = defaults("als"); // target "preference", which needs a weight for unobserved pairs
    const narrowed = space("als", { unobservedWeight: [0, 0.1], target: ["preference", "value"] });
    const repair = repairFor(getModel("als"), narrowed, start);
    expect(repair({ ...start, unobservedWeight: 0 })).toEqual(start);
    const fine = { ...start, target: "value", unobservedWeight: 0 };
    expect(repair(fine)).toBe(fine);
    expect(repair({ ...start, factors: -1, alpha: -1 })).toBeUndefined();
  });

  test("null stands for absence", () => {
    expect(space("repeat", { halfLifeDays: [null, 30] }).searched.halfLifeDays).toEqual({ kind: "choice", values: [undefined, 30] });
    expect(space("repeat", { halfLifeDays: null }).searched.halfLifeDays).toBeUndefined();
  });

  test.each<[Record<string, unknown>, RegExp]>([
    [{ factor: [1, 2] }, /no parameter "factor" to search.*Did you mean factors/],
    [{ factors: { min: 64, max: 64 } }, /range of factors is empty.*min must be below max/],
    [{ factors: { min: 64, max: 8 } }, /range of factors is empty/],
    [{ factors: [] }, /list is empty/],
    [{ factors: { min: 8, max: 4000 } }, /4000 cannot be searched for factors/],
    [{ factors: { min: 8.5, max: 64 } }, /8\.5 cannot be searched/],
    [{ alpha: { min: -1, max: 4 } }, /log scale|cannot be searched/],
    [{ regularizationExponent: { min: 0, max: 1, scale: "log" } }, /log scale needs min above 0/],
    [{ solver: { min: 0, max: 1 } }, /solver.*not a number.*list/],
    [{ solver: ["cg", "qr"] }, /"qr" cannot be searched for solver/],
    [{ factors: { min: 8, mx: 64 } }, /no parameter "mx".*Did you mean/],
  ])("%j is refused", async (narrowed, message) => {
    await expectError(() => space("als", narrowed), "E_CONFIG", message);
  });

  test("every point of every model's space is accepted by the model, and found again", () => {
    for (const definition of listModels()) {
      const { name, params: schema } = definition;
      const all = space(name);
      const repair = repairFor(definition, all, defaults(name));
      const axes = axesOf(all);
      const random = createRandom(3);
      for (let i = 0; i < 200; i++) {
        const params = repair(
          paramsAt(
            all,
            axes,
            fromUnit(axes, () => random.uniform()),
          ),
        )!;
        expect(() => parseParams(schema, params, name)).not.toThrow();
        const point = pointOf(all, axes, params)!;
        expect(paramsAt(all, axes, point), name).toEqual(params);
      }
    }
  });
});

describe("axes", () => {
  const one = (over: Partial<NumberRange>): SearchSpace => ({
    searched: { x: { kind: "number", low: 1, high: 4, scale: "linear", whole: true, alternatives: [], ...over } },
    fixed: { y: 7 },
  });
  const at = (space: SearchSpace, place: number) => paramsAt(space, axesOf(space), [place]).x;

  test("whole numbers own equal shares, ends included", () => {
    const counts = new Map<unknown, number>();
    for (let i = 0; i < 4000; i++) counts.set(at(one({}), (i + 0.5) / 4000), (counts.get(at(one({}), (i + 0.5) / 4000)) ?? 0) + 1);
    expect([...counts]).toEqual([1, 2, 3, 4].map((x) => [x, 1000]));
  });

  test("a log scale puts the geometric mean in the middle", () => {
    expect(at(one({ low: 0.01, high: 100, scale: "log", whole: false }), 0.5)).toBeCloseTo(1, 6);
    expect(at(one({ low: 0.01, high: 100, scale: "log", whole: false }), 1)).toBe(100);
  });

  test("sizes", () => {
    expect(sizeOf(one({}))).toBe(4);
    expect(sizeOf(one({ alternatives: ["auto", undefined] }))).toBe(6);
    expect(sizeOf(one({ whole: false }))).toBe(Infinity);
  });
});
