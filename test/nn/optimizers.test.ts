import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { createOptimizerKernels } from "../../src/kernels/optimizer.js";
import { clipScale, rangeUpdate, rateAt, update } from "../../src/nn/optimizers.js";
import { createSparseTable } from "../../src/nn/sparse-table.js";

const parameter = (...values: number[]) => ({
  values: Float32Array.from(values),
  first: new Float32Array(values.length),
  second: new Float32Array(values.length),
});

describe("optimizers", () => {
  it("sgd and weight decay by hand", () => {
    const x = parameter(2);
    update(x, Float32Array.of(3), { name: "sgd", rate: 0.1, step: 1, weightDecay: 0.5, scale: 2 });
    expect(x.values[0]).toBeCloseTo(2 * (1 - 0.05) - 0.1 * 6, 6);
  });

  it("the first step of Adam has the size of the rate, whatever the gradient's", () => {
    const x = parameter(0, 0);
    update(x, Float32Array.of(1e-3, -50), { name: "adam", rate: 0.01, step: 1 });
    expect(x.values[0]).toBeCloseTo(-0.01, 5);
    expect(x.values[1]).toBeCloseTo(0.01, 5);
  });

  it("adagrad by hand, two steps", () => {
    const x = parameter(0);
    for (const step of [1, 2]) update(x, Float32Array.of(2), { name: "adagrad", rate: 0.5, step });
    expect(x.values[0]).toBeCloseTo(-1 / Math.sqrt(4.1) - 1 / Math.sqrt(8.1), 6);
  });

  it("warms up and decays", () => {
    const schedule = { rate: 1, warmUp: 10, decay: "linear", total: 30 } as const;
    expect([5, 10, 20, 30].map((step) => rateAt(schedule, step))).toEqual([0.5, 1, 0.5, 0]);
    expect(rateAt({ rate: 2, decay: "cosine", total: 10 }, 5)).toBeCloseTo(1, 12);
    expect(rateAt({ rate: 2 }, 1e9)).toBe(2);
  });

  it("clips by the joint norm and notices what is not finite", () => {
    expect(clipScale([Float32Array.of(3), Float32Array.of(4)], 1)).toBeCloseTo(0.2, 12);
    expect(clipScale([Float32Array.of(3)], undefined)).toBe(1);
    expect(clipScale([Float32Array.of(Number.NaN)], 1)).toBeNaN();
  });
});

describe("sparse table", () => {
  const options = { numRows: 5000, dimensions: 3, deviation: 0.1, random: createRandom(1), name: "items" };

  it("updates touched rows as a dense parameter would be, and no others", () => {
    const table = createSparseTable(options);
    const before = table.values.slice();
    const rows = Int32Array.from({ length: 3000 }, (_, k) => (k * 7) % 2500);
    const gradients = Float32Array.from({ length: rows.length * 3 }, (_, k) => Math.sin(k));
    table.addGradients(rows, gradients);
    table.addGradients(Int32Array.of(7, -1), Float32Array.of(1, 1, 1, 9, 9, 9));
    const sums = new Float32Array(before.length);
    rows.forEach((row, k) => {
      for (let d = 0; d < 3; d++) sums[row * 3 + d] += gradients[k * 3 + d];
    });
    for (let d = 0; d < 3; d++) sums[7 * 3 + d] += 1;
    expect(table.gradientSquares()).toBeCloseTo(
      sums.reduce((a, b) => a + b * b, 0),
      1,
    );
    table.step({ name: "adam", rate: 0.01, step: 1 });
    const dense = { values: before.slice(), first: new Float32Array(before.length), second: new Float32Array(before.length) };
    update(dense, sums, { name: "adam", rate: 0.01, step: 1 });
    expect(table.values).toEqual(dense.values);
    expect(table.values.subarray(2500 * 3)).toEqual(before.subarray(2500 * 3));
    expect(table.gradientSquares()).toBe(0);
  });

  it.each([500, 5000])("updates the same bits in runs of rows, where most of %i were touched, with the kernel", async (numRows) => {
    const touched = Int32Array.from({ length: 0.92 * numRows }, (_, k) => (k * 1201) % numRows).filter((row) => row % 17 !== 3);
    const gradients = Float32Array.from({ length: touched.length * 3 }, (_, k) => Math.sin(k));
    const table = createSparseTable({ ...options, numRows, random: createRandom(2) });
    const sums = new Float32Array(table.values.length);
    touched.forEach((row, k) => {
      for (let d = 0; d < 3; d++) sums[row * 3 + d] += gradients[k * 3 + d];
    });
    const rows = new Set(touched);
    const expected = { values: table.values.slice(), first: new Float32Array(sums.length), second: new Float32Array(sums.length) };
    table.addGradients(touched, gradients);
    table.step({ name: "adam", rate: 0.01, step: 1, kernels: await createOptimizerKernels() });
    for (const row of rows) rangeUpdate({ name: "adam", rate: 0.01, step: 1 })(expected, sums, { at: row * 3, from: row * 3, count: 3 });
    expect(rows.size).toBeGreaterThan(numRows / 2);
    expect(table.values).toEqual(expected.values);
  });

  it.each([2, 2200])("adds gradients in the kernel to the same bits, with %i rows and beyond its room", async (numRows) => {
    const dimensions = 1001; // room for 2095 rows
    const random = createRandom(7);
    const make = () => createSparseTable({ name: "t", numRows, dimensions, deviation: 1, random: createRandom(1) });
    const [plain, prepared] = [make(), make()];
    await prepared.prepare();
    for (const count of [3, 2800, 5]) {
      const rows = Int32Array.from({ length: count }, () => random.integer(numRows + 1) - 1);
      const gradients = new Float32Array(count * dimensions).map((_, k) => (k % 9973) / 9973);
      for (const table of [plain, prepared]) {
        table.addGradients(rows, gradients);
        table.addGradients(rows, gradients);
        table.step({ name: "adagrad", rate: 0.1, step: 1 });
      }
    }
    expect(Buffer.from(prepared.values.buffer).equals(Buffer.from(plain.values.buffer))).toBe(true); // element by element takes seconds
  });

  it("sums bags of rows and spreads their gradients by weight", () => {
    const table = createSparseTable({ name: "t", numRows: 3, dimensions: 2, deviation: 1, random: createRandom(1) });
    const before = table.values.slice();
    const bags = { offsets: Int32Array.of(0, 2, 2, 3), rows: Int32Array.of(0, 2, 2), weights: Float32Array.of(0.5, 2, 1) };
    const out = new Float32Array(6).fill(9);
    table.gatherBags(bags, out);
    for (let d = 0; d < 2; d++) {
      expect(out[d]).toBeCloseTo(0.5 * before[d] + 2 * before[4 + d], 5);
      expect(out[2 + d]).toBe(0);
      expect(out[4 + d]).toBe(before[4 + d]);
    }
    table.addBagGradients(bags, Float32Array.of(1, 2, 9, 9, 3, 4));
    table.step({ name: "sgd", rate: 1, step: 1 });
    const change = table.values.map((value, at) => before[at] - value);
    [0.5, 1, 0, 0, 2 + 3, 4 + 4].forEach((value, at) => {
      expect(change[at]).toBeCloseTo(value, 5);
    });
  });

  it("takes gradients of the whole table and of rows in any order", () => {
    const size = 5000 * 3;
    const dense = Float32Array.from({ length: size }, (_, k) => Math.cos(k));
    const rows = Int32Array.of(3, 4999, 3, -1);
    const gradients = Float32Array.from({ length: 12 }, (_, k) => k);
    const parts = [
      (table: ReturnType<typeof createSparseTable>) => table.addDense(dense.slice()),
      (table: ReturnType<typeof createSparseTable>) => table.addGradients(rows, gradients),
      (table: ReturnType<typeof createSparseTable>) => table.addDense(dense.slice()),
    ];
    const results = [
      [0, 1, 2],
      [1, 0, 2],
      [0, 2, 1],
    ].map((order) => {
      const table = createSparseTable({ ...options, random: createRandom(2) });
      for (const part of order) parts[part](table);
      const squares = table.gradientSquares();
      table.step({ name: "adam", rate: 0.01, step: 1 });
      return { squares, values: table.values, left: table.gradientSquares() };
    });
    const sums = dense.map((value) => 2 * value);
    for (let k = 0; k < 3; k++) for (let d = 0; d < 3; d++) sums[rows[k] * 3 + d] += gradients[k * 3 + d];
    const expected = {
      values: createSparseTable({ ...options, random: createRandom(2) }).values.slice(),
      first: new Float32Array(size),
    };
    update({ ...expected, second: new Float32Array(size) }, sums, { name: "adam", rate: 0.01, step: 1 });
    for (const { squares, values, left } of results) {
      expect(squares).toBeCloseTo(
        sums.reduce((a, b) => a + b * b, 0),
        0,
      );
      expect(Math.max(...values.map((value, k) => Math.abs(value - expected.values[k])))).toBeLessThan(1e-6);
      expect(left).toBe(0);
    }
  });

  it("gathers rows, zeros for negative ones, and goes on from its state", () => {
    const table = createSparseTable(options);
    const out = new Float32Array(9);
    table.gather(Int32Array.of(4, -1, 0), out);
    expect([...out]).toEqual([...table.values.subarray(12, 15), 0, 0, 0, ...table.values.subarray(0, 3)]);
    const step = (of: typeof table, n: number) => {
      of.addGradients(Int32Array.of(1, 2), Float32Array.of(1, 2, 3, 4, 5, 6));
      of.step({ name: "adam", rate: 0.1, step: n });
    };
    step(table, 1);
    const again = createSparseTable({ ...options, saved: table.state() });
    step(table, 2);
    step(again, 2);
    expect(again.values).toEqual(table.values);
  });
});
