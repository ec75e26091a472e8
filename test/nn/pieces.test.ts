/** A training step in pieces of a batch: loss and gradients of the whole, what is fed and given back shared out in order. */
import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { type LayerContext, linear, linearOfParts } from "../../src/nn/layers.js";
import { createMaskPool } from "../../src/nn/masks.js";
import { add, multiply, tanh } from "../../src/nn/ops/elementwise.js";
import { sum } from "../../src/nn/ops/reduce.js";
import { concat } from "../../src/nn/ops/shape.js";
import { createParameters } from "../../src/nn/parameters.js";
import { createGraph, input, type Tensor } from "../../src/nn/tensor.js";
import { createTrainingStep, type Piece, piecesOf } from "../../src/nn/training-step.js";
import { expectError } from "../support/errors.js";

const [ROWS, WIDTH] = [1300, 3];

async function stepIn(pieces: readonly Piece[], last: (context: LayerContext, parts: Tensor[]) => Tensor) {
  const parameters = createParameters(createRandom(1));
  const context: LayerContext = { graph: createGraph(), parameters, masks: [], dropout: 0 };
  const loss = pieces
    .map(({ rows, of }) => {
      const x = input(context.graph, of("x"), [rows, WIDTH]);
      const out = last(context, [tanh(linear(context, x, "inner", 4)), x]);
      return sum(multiply(multiply(out, out), input(context.graph, of("weight"), [rows, 1])));
    })
    .reduce((total, part) => add(total, part));
  return createTrainingStep({ context, loss, rows: ["x"], masks: createMaskPool(0, 1, createRandom(0)) });
}

const feeds = {
  x: Float32Array.from({ length: ROWS * WIDTH }, (_, k) => Math.sin(k)),
  weight: Float32Array.from({ length: ROWS }, (_, k) => (1 + (k % 5)) / ROWS),
};

const copied = (context: LayerContext, parts: Tensor[]) => linear(context, concat(parts, 1), "out", 2);
const apart = (context: LayerContext, parts: Tensor[]) => linearOfParts(context, parts, "out", 2);

describe("pieces of a batch", () => {
  it("are equal but for the last, and one for few rows", () => {
    expect(piecesOf(ROWS).map(({ rows }) => rows)).toEqual([434, 434, 432]);
    expect(piecesOf(7).map(({ rows, of }) => [rows, of("x")])).toEqual([[7, "x"]]);
  });

  it("give the loss and the gradients of the whole, and a linear layer may read parts apart", async () => {
    const whole = await stepIn([{ rows: ROWS, of: (name) => name }], copied);
    const pieces = await stepIn(piecesOf(ROWS), apart);
    const random = createRandom(0);
    expect(await pieces.run(feeds, random)).toBeCloseTo(await whole.run(feeds, random), 5);
    const names = Object.keys(whole.parameterGradients);
    expect(names).toEqual(["inner.weight", "inner.bias", "out.weight", "out.bias"]);
    for (const [ours, theirs] of [
      [pieces.gradient("x"), whole.gradient("x")],
      ...names.map((name) => [pieces.parameterGradients[name], whole.parameterGradients[name]]),
    ]) {
      expect(ours).toHaveLength(theirs.length);
      expect(theirs.some((value) => Math.abs(value) > 1e-4)).toBe(true);
      for (const [k, value] of theirs.entries()) expect(Math.abs(ours[k] - value)).toBeLessThan(1e-5);
    }
    await whole.release();
    await pieces.release();
  });

  it("refuse an array that does not fit", async () => {
    const pieces = await stepIn(piecesOf(ROWS), apart);
    for (const length of [ROWS - 1, ROWS + 1])
      await expectError(pieces.run({ ...feeds, weight: new Float32Array(length) }, createRandom(0)), "E_CONFIG", /weight\/2/);
    await pieces.release();
  });
});
