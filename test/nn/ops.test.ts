/** The gradient of every operator against central differences in float64, and the shapes that are refused. */
import { describe, expect, it } from "vitest";
import { gradients } from "../../src/nn/gradients.js";
import * as elementwise from "../../src/nn/ops/elementwise.js";
import { gather, pick } from "../../src/nn/ops/gather.js";
import { batchedProduct, gemm } from "../../src/nn/ops/matrix.js";
import { layerNormalization, softmax } from "../../src/nn/ops/normalize.js";
import { mean, meanOfLast, sum } from "../../src/nn/ops/reduce.js";
import { concat, expand, reshape, slice, split, transpose, transposed } from "../../src/nn/ops/shape.js";
import { constant, createGraph, input, type Shape, type Tensor } from "../../src/nn/tensor.js";
import { expectError } from "../support/errors.js";
import { gradientError } from "./gradient-check.js";

const { add, divide, erf, exp, gelu, log, multiply, negate, reciprocal, relu, sigmoid, softplus, sqrt, subtract, tanh } = elementwise;

/** What is checked: shapes of the inputs, and the value made of them. */
const cases: Record<string, { shapes: Shape[]; float32?: true; value: (...inputs: Tensor[]) => Tensor }> = {
  add: { shapes: [[3, 4], [4]], value: add },
  "add, both broadcast": {
    shapes: [
      [3, 1],
      [1, 4],
    ],
    value: add,
  },
  subtract: {
    shapes: [
      [2, 3, 4],
      [3, 1],
    ],
    value: subtract,
  },
  multiply: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    value: multiply,
  },
  "multiply by itself": { shapes: [[3, 4]], value: (x) => multiply(x, x) },
  divide: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    value: (x, y) => divide(x, add(multiply(y, y), 1)),
  },
  "divide a number": { shapes: [[3]], value: (x) => divide(2, add(multiply(x, x), 1)) },
  negate: { shapes: [[5]], value: negate },
  exp: { shapes: [[5]], value: exp },
  log: { shapes: [[5]], value: (x) => log(add(multiply(x, x), 1)) },
  sqrt: { shapes: [[5]], value: (x) => sqrt(add(multiply(x, x), 1)) },
  reciprocal: { shapes: [[5]], value: (x) => reciprocal(add(multiply(x, x), 1)) },
  sigmoid: { shapes: [[5]], value: sigmoid },
  tanh: { shapes: [[5]], value: tanh },
  softplus: { shapes: [[5]], value: softplus },
  erf: { shapes: [[5]], float32: true, value: erf },
  relu: { shapes: [[3, 4]], value: relu },
  gelu: { shapes: [[3, 4]], float32: true, value: gelu },
  "sum of all": { shapes: [[3, 4]], value: (x) => sum(x) },
  "sum, leading axis, as a product": { shapes: [[70, 3]], value: (x) => sum(x, [0]) },
  "sum, last axis, kept": { shapes: [[2, 3, 4]], value: (x) => sum(x, [-1], { keep: true }) },
  "sum, middle axis": { shapes: [[2, 3, 4]], value: (x) => sum(x, [1]) },
  mean: { shapes: [[3, 4]], value: (x) => mean(x, [0]) },
  meanOfLast: { shapes: [[3, 4]], value: meanOfLast },
  reshape: { shapes: [[3, 4]], value: (x) => multiply(reshape(x, [2, 6]), reshape(x, [2, 6])) },
  transpose: { shapes: [[2, 3, 4]], value: (x) => transpose(x, [2, 0, 1]) },
  "transpose, written out": { shapes: [[2, 3]], value: transposed },
  expand: { shapes: [[3, 1]], value: (x) => expand(x, [3, 5]) },
  concat: {
    shapes: [
      [2, 3],
      [2, 1],
    ],
    value: (x, y) => concat([x, y, x], 1),
  },
  "slice, inside": { shapes: [[3, 5]], value: (x) => slice(x, 1, [1, 3]) },
  "slice, at the end": { shapes: [[3, 5]], value: (x) => slice(x, 0, [1, 3]) },
  split: { shapes: [[3, 5]], value: (x) => multiply(split(x, [2, 1, 2], 1)[0], split(x, [2, 1, 2], 1)[2]) },
  gemm: { shapes: [[3, 4], [4, 5], [5]], value: (a, b, bias) => gemm(a, b, { bias, alpha: 0.5 }) },
  "gemm, bias matrix": {
    shapes: [
      [3, 4],
      [4, 5],
      [3, 5],
    ],
    value: (a, b, bias) => gemm(a, b, { bias }),
  },
  "gemm, a transposed": {
    shapes: [
      [4, 3],
      [4, 5],
    ],
    value: (a, b) => gemm(a, b, { transposeA: true }),
  },
  "gemm, b transposed": {
    shapes: [
      [3, 4],
      [5, 4],
    ],
    value: (a, b) => gemm(a, b, { transposeB: true }),
  },
  "gemm, both transposed": {
    shapes: [
      [4, 3],
      [5, 4],
    ],
    value: (a, b) => gemm(a, b, { transposeA: true, transposeB: true }),
  },
  "batched product": {
    shapes: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    value: (a, b) => batchedProduct(a, b, { alpha: 0.5 }),
  },
  "batched product, a transposed": {
    shapes: [
      [2, 4, 3],
      [2, 4, 5],
    ],
    value: (a, b) => batchedProduct(a, b, { transposeA: true }),
  },
  "batched product, b transposed": {
    shapes: [
      [2, 3, 4],
      [2, 5, 4],
    ],
    value: (a, b) => batchedProduct(a, b, { transposeB: true }),
  },
  "batched product, both transposed": {
    shapes: [
      [2, 4, 3],
      [2, 5, 4],
    ],
    value: (a, b) => batchedProduct(a, b, { transposeA: true, transposeB: true }),
  },
  softmax: { shapes: [[3, 4]], value: softmax },
  "layer normalisation": { shapes: [[3, 4], [4], [4]], value: (x, gain, bias) => layerNormalization(x, { gain, bias }) },
  "layer normalisation, plain": { shapes: [[3, 4]], value: (x) => layerNormalization(x) },
  gather: {
    shapes: [[4, 3]],
    value: (table) =>
      multiply(
        gather(table, constant(table.node.graph, [1, 3, 1], [3], "int64")),
        gather(table, constant(table.node.graph, [0, 3, 1], [3], "int64")),
      ),
  },
  pick: { shapes: [[3, 4]], value: (x) => pick(x, constant(x.node.graph, [2, 0, 2], [3, 1], "int64")) },
};

describe("gradients of operators", () => {
  for (const [name, { shapes, value, float32 }] of Object.entries(cases)) {
    it(name, async () => {
      const graph = createGraph();
      const inputs = shapes.map((shape, k) => input(graph, `x${k}`, shape));
      expect(await gradientError(value(...inputs), inputs, { float32 })).toBeLessThan(float32 ? 1e-3 : 1e-6);
    });
  }

  it("adds up over all ways from an input to the loss, and is absent where there is none", () => {
    const graph = createGraph();
    const [x, y] = [input(graph, "x", [2]), input(graph, "y", [2])];
    expect(gradients(sum(elementwise.stopGradient(x)), [x, y])).toEqual([undefined, undefined]);
  });

  it("shares equal expressions", () => {
    const graph = createGraph();
    const x = input(graph, "x", [2, 2]);
    expect(add(exp(x), 1)).toBe(add(exp(x), 1));
    expect(add(exp(x), 1)).not.toBe(add(exp(x), 2));
  });
});

describe("shapes that do not fit", () => {
  const graph = createGraph();
  const [a, b] = [input(graph, "a", [2, 3]), input(graph, "b", [4, 5])];
  const refused: Record<string, () => unknown> = {
    add: () => add(a, b),
    gemm: () => gemm(a, b),
    "gemm, a vector": () => gemm(a, input(graph, "v", [3])),
    "batched product": () => batchedProduct(a, b),
    reshape: () => reshape(a, [5]),
    concat: () => concat([a, b], 0),
    split: () => split(a, [1, 1], 1),
    "layer normalisation": () => layerNormalization(a, { gain: input(graph, "g", [2]) }),
  };
  for (const [name, build] of Object.entries(refused))
    it(`${name} names both shapes`, async () => {
      await expectError(build, "E_CONFIG", /2 × 3.*\[/);
    });

  it("an axis, a scalar, a second input of one name", async () => {
    await expectError(() => sum(a, [2]), "E_CONFIG", /axis 2/);
    await expectError(() => gradients(a, [a]), "E_CONFIG", /scalar/);
    await expectError(() => input(graph, "a", [3]), "E_CONFIG", /already/);
  });
});
