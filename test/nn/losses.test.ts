/** Losses in closed form: their gradients against central differences, their values against plain formulas. */
import { describe, expect, it } from "vitest";
import { gather } from "../../src/nn/ops/gather.js";
import {
  binaryCrossEntropy,
  bprMaxLoss,
  fullSoftmaxLoss,
  generalizedCrossEntropy,
  inBatchSoftmaxLoss,
  multinomialLoss,
  pairwiseLoss,
  sampledSoftmaxLoss,
  squaredError,
} from "../../src/nn/ops/losses.js";
import { reshape } from "../../src/nn/ops/shape.js";
import { createSession } from "../../src/nn/session.js";
import { constant, createGraph, input } from "../../src/nn/tensor.js";
import { gradientError } from "./gradient-check.js";

describe("gradients of losses", () => {
  it("full softmax", async () => {
    const graph = createGraph();
    const [hidden, items, weight] = [input(graph, "hidden", [3, 4]), input(graph, "items", [5, 4]), input(graph, "weight", [3, 1])];
    const target = constant(graph, [4, 0, 4], [3, 1], "int64");
    const targetRows = gather(items, reshape(target, [3])); // its gradient joins that of the items
    expect(await gradientError(fullSoftmaxLoss({ hidden, items, targetRows, target, weight }), [hidden, items])).toBeLessThan(1e-6);
  });

  it("sampled softmax", async () => {
    const graph = createGraph();
    const of = {
      hidden: input(graph, "hidden", [3, 4]),
      positives: input(graph, "positives", [3, 4]),
      negatives: input(graph, "negatives", [6, 4]),
    };
    const rest = { positiveBias: input(graph, "a", [3, 1]), negativeBias: input(graph, "b", [6]), weight: input(graph, "weight", [3, 1]) };
    expect(await gradientError(sampledSoftmaxLoss({ ...of, ...rest }), Object.values(of))).toBeLessThan(1e-6);
  });

  it("generalized cross-entropy", async () => {
    const graph = createGraph();
    const of = {
      hidden: input(graph, "hidden", [3, 4]),
      positives: input(graph, "positives", [3, 4]),
      negatives: input(graph, "negatives", [6, 4]),
    };
    const loss = generalizedCrossEntropy({ ...of, weight: input(graph, "weight", [3, 1]) }, 0.3);
    expect(await gradientError(loss, Object.values(of))).toBeLessThan(1e-6);
  });

  it("BPR-max", async () => {
    const graph = createGraph();
    const of = {
      hidden: input(graph, "hidden", [3, 4]),
      positives: input(graph, "positives", [3, 4]),
      negatives: input(graph, "negatives", [6, 4]),
    };
    expect(await gradientError(bprMaxLoss({ ...of, weight: input(graph, "weight", [3, 1]) }), Object.values(of))).toBeLessThan(1e-6);
  });

  it("in-batch softmax", async () => {
    const graph = createGraph();
    const [queries, candidates] = [input(graph, "queries", [4, 3]), input(graph, "candidates", [4, 3])];
    const rest = { weight: input(graph, "weight", [4, 1]), bias: input(graph, "bias", [4]) };
    expect(await gradientError(inBatchSoftmaxLoss({ queries, candidates, ...rest }), [queries, candidates])).toBeLessThan(1e-6);
  });

  it("multinomial", async () => {
    const graph = createGraph();
    const of = { hidden: input(graph, "hidden", [3, 4]), items: input(graph, "items", [5, 4]), bias: input(graph, "bias", [5]) };
    const counts = constant(graph, [1, 0, 2, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], [3, 5]);
    const loss = multinomialLoss({ ...of, counts, weight: input(graph, "weight", [3, 1]) });
    expect(await gradientError(loss, Object.values(of))).toBeLessThan(1e-6);
  });

  it("binary cross-entropy, pairwise, squared error", async () => {
    const graph = createGraph();
    const [x, y, weight] = [input(graph, "x", [5, 1]), input(graph, "y", [5, 1]), input(graph, "weight", [5, 1])];
    expect(await gradientError(binaryCrossEntropy(x, y, weight), [x])).toBeLessThan(1e-6);
    expect(await gradientError(pairwiseLoss(x, y, weight), [x, y])).toBeLessThan(1e-6);
    expect(await gradientError(squaredError(x, y, weight), [x, y])).toBeLessThan(1e-6);
  });
});

describe("values of losses", () => {
  it("generalized cross-entropy by hand", async () => {
    const graph = createGraph();
    const of = (values: number[]) => constant(graph, values, [values.length / 2, 2]);
    const weight = input(graph, "weight", [1, 1]);
    const parts = {
      hidden: of([1, 2]),
      positives: of([0.5, 0.25]),
      negatives: of([1, 0, -1, 1]),
      weight,
    };
    const session = await createSession({ loss: generalizedCrossEntropy(parts, 0.3) });
    await session.run({ weight: Float32Array.of(2) });
    const logChance = (x: number) => Math.log(1 / (1 + Math.exp(-x)));
    expect(session.outputs.loss[0]).toBeCloseTo(2 * -(0.3 * logChance(1) + 2 * logChance(-1)), 5);
    await session.release();
  });

  it("sampled softmax over all items is the full one", async () => {
    const graph = createGraph();
    const table = [0.5, -1, 2, 0.25, 1, 1, -0.5, 0];
    const [hidden, weight] = [input(graph, "hidden", [2, 2]), constant(graph, [0.5, 0.5], [2, 1])];
    const items = constant(graph, table, [4, 2]);
    const target = constant(graph, [1, 3], [2, 1], "int64");
    const targetRows = constant(graph, [2, 0.25, -0.5, 0], [2, 2]);
    const full = fullSoftmaxLoss({ hidden, items, targetRows, target, weight });
    // negatives: the three other items; their logarithmic corrections are 0
    const sampled = (row: number, others: number[]) =>
      sampledSoftmaxLoss({
        hidden: constant(graph, row === 0 ? [1, 2] : [-1, 0.5], [1, 2]),
        positives: constant(graph, row === 0 ? [2, 0.25] : [-0.5, 0], [1, 2]),
        negatives: constant(
          graph,
          others.flatMap((item) => table.slice(item * 2, item * 2 + 2)),
          [3, 2],
        ),
        positiveBias: constant(graph, [0], [1, 1]),
        negativeBias: constant(graph, [0, 0, 0], [3]),
        weight: constant(graph, [0.5], [1, 1]),
      });
    const session = await createSession({ full, first: sampled(0, [0, 2, 3]), second: sampled(1, [0, 1, 2]) });
    await session.run({ hidden: Float32Array.of(1, 2, -1, 0.5) });
    const scores = [
      [1, 2],
      [-1, 0.5],
    ].map(([a, b]) => [0, 1, 2, 3].map((item) => a * table[2 * item] + b * table[2 * item + 1]));
    const nll = (row: number[], item: number) => Math.log(row.reduce((total, score) => total + Math.exp(score), 0)) - row[item];
    expect(session.outputs.full[0]).toBeCloseTo(0.5 * nll(scores[0], 1) + 0.5 * nll(scores[1], 3), 5);
    expect(session.outputs.first[0] + session.outputs.second[0]).toBeCloseTo(session.outputs.full[0], 5);
    await session.release();
  });
});
