/** Rows that are sums: what a step does to them, by hand, and that dense and sparse gradients agree. */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { createComposedTable } from "../../src/nn/composed-table.js";
import { createSparseTable } from "../../src/nn/sparse-table.js";

// item 0: features 0 and 1, item 1: feature 1, item 2: none
const bags = { offsets: Int32Array.of(0, 2, 3, 3), rows: Int32Array.of(0, 1, 1), weights: Float32Array.of(0.5, 0.5, 1) };

function tables() {
  const random = createRandom(1);
  const own = createSparseTable({ name: "own", numRows: 3, dimensions: 2, deviation: 1, random });
  const features = createSparseTable({ name: "features", numRows: 2, dimensions: 2, deviation: 1, random });
  return { own, features, items: createComposedTable("items", { own, features, bags }) };
}

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(actual.length).toBe(expected.length);
  for (let k = 0; k < actual.length; k++) expect(actual[k]).toBeCloseTo(expected[k], 5);
};

describe("composed table", () => {
  it("adds features to rows, and hands gradients on to both", () => {
    const { own, features, items } = tables();
    const sum = (item: number, d: number) =>
      own.values[2 * item + d] +
      (item === 0 ? 0.5 * (features.values[d] + features.values[2 + d]) : item === 1 ? features.values[2 + d] : 0);
    const expected = () => [0, 1, 2].flatMap((item) => [sum(item, 0), sum(item, 1)]);
    expectClose(items.values, expected());
    const out = new Float32Array(4);
    items.gather(Int32Array.of(1, -1), out);
    expectClose(out, [sum(1, 0), sum(1, 1), 0, 0]);
    const [ownBefore, featuresBefore] = [own.values.slice(), features.values.slice()];
    items.addGradients(Int32Array.of(0, 1, -1), Float32Array.of(1, 2, 3, 4, 9, 9));
    expect(items.gradientSquares()).toBeCloseTo(1 + 4 + 9 + 16 + 0.25 + 1 + 3.5 ** 2 + 5 ** 2, 4);
    items.step({ name: "sgd", rate: 0.1, step: 1 });
    expectClose(
      own.values.map((value, k) => ownBefore[k] - value),
      [0.1, 0.2, 0.3, 0.4, 0, 0],
    );
    expectClose(
      features.values.map((value, k) => featuresBefore[k] - value),
      [0.05, 0.1, 0.35, 0.5],
    );
    expectClose(items.values, expected());
  });

  it("does the same with a gradient of the whole table, and by bags of its rows", () => {
    const gradient = Float32Array.of(1, 2, 3, 4, 5, 6);
    const [sparse, dense, bagged] = [tables(), tables(), tables()];
    sparse.items.addGradients(Int32Array.of(0, 1, 2, 1), Float32Array.of(...gradient, 7, 8));
    dense.items.addDense(gradient.slice());
    dense.items.addGradients(Int32Array.of(1, -1), Float32Array.of(7, 8, 9, 9));
    const of = { offsets: Int32Array.of(0, 1, 2, 3), rows: Int32Array.of(0, 1, 2), weights: Float32Array.of(1, 1, 1) };
    bagged.items.addBagGradients(of, gradient);
    bagged.items.addDense(Float32Array.of(0, 0, 7, 8, 0, 0));
    for (const { items } of [sparse, dense, bagged]) items.step({ name: "adam", rate: 0.1, step: 1 });
    expectClose(dense.items.values, sparse.items.values);
    expectClose(bagged.items.values, sparse.items.values);
  });

  it("goes on from its state", () => {
    const first = tables();
    const step = ({ items }: ReturnType<typeof tables>, n: number) => {
      items.addGradients(Int32Array.of(0, 2), Float32Array.of(1, 2, 3, 4));
      items.step({ name: "adam", rate: 0.1, step: n });
    };
    step(first, 1);
    const saved = first.items.state();
    const random = createRandom(9);
    const own = createSparseTable({ name: "own", numRows: 3, dimensions: 2, deviation: 1, random, saved });
    const features = createSparseTable({ name: "features", numRows: 2, dimensions: 2, deviation: 1, random, saved });
    const again = { own, features, items: createComposedTable("items", { own, features, bags }) };
    expect(again.items.values).toEqual(saved.items.data);
    step(first, 2);
    step(again, 2);
    expect(again.items.values).toEqual(first.items.values);
  });
});
