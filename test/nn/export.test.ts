/** Graphs with a size known at run time only, files with values inside, and devices that are not there. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterEach, describe, expect, it } from "vitest";
import { openDevice } from "../../src/nn/device.js";
import { emitOnnx } from "../../src/nn/onnx/emit.js";
import { multiply } from "../../src/nn/ops/elementwise.js";
import { rowOfEach, rowsOrZeros, sumOfRows, topK } from "../../src/nn/ops/indexes.js";
import { batchedProduct } from "../../src/nn/ops/matrix.js";
import { reshape } from "../../src/nn/ops/shape.js";
import { type Runtime, setNeuralRuntime } from "../../src/nn/runtime.js";
import { loadNodeRuntime } from "../../src/nn/runtime-node.js";
import { createGraph, input, provide, times } from "../../src/nn/tensor.js";
import { expectError } from "../support/errors.js";

const int64 = (values: readonly number[], dims: readonly number[]) => new Tensor("int64", BigInt64Array.from(values, BigInt), dims);

describe("sizes known at run time only", () => {
  it("multiply, and reshape only to as many values", () => {
    expect(times(4, 3)).toBe(12);
    expect(times("batch", 1)).toBe("batch");
    expect(times(times("batch", 3), 2)).toBe("6·batch");
    const x = input(createGraph(), "x", [times("batch", 6), 2]);
    expect(reshape(x, ["batch", 3, 4]).shape).toEqual(["batch", 3, 4]);
    expect(() => reshape(x, ["batch", 3, 5])).toThrow(/Reshape cannot take tensors of shapes \[6·batch × 2\] and \[batch × 3 × 5\]/);
    expect(() => reshape(x, ["other", 12])).toThrow(/Reshape/);
  });
});

describe("files with values inside", () => {
  const table = Float32Array.from({ length: 12 }, (_, k) => k + 1); // 4 × 3

  it("need no such input, describe themselves, and hold operators of the standard only", async () => {
    const graph = createGraph();
    const rows = input(graph, "rows", ["batch", "length"], "int64");
    const x = input(graph, "x", ["batch", 2, 3]);
    const values = input(graph, "table", [4, 3]);
    const squares = batchedProduct(x, x, { transposeB: true, alpha: 0.5 }); // a fused operator of onnxruntime otherwise
    const { sum, count } = sumOfRows(values, rows);
    const best = topK(sum, input(graph, "k", [1], "int64"), "k");
    const newest = rowOfEach(x, input(graph, "last", ["batch"], "int64"));
    const outputs = { squares, sum, count, best: best.columns, newest, picked: rowsOrZeros(values, rows) };
    const { bytes, inputs } = emitOnnx(outputs, {
      standard: true,
      values: { table },
      documentation: "What it does.",
      metadata: { model: "test" },
      help: { x: "Numbers." },
    });
    expect(inputs.map(({ name }) => name).sort()).toEqual(["k", "last", "rows", "x"]);
    const text = Buffer.from(bytes).toString("latin1");
    for (const part of ["What it does.", "model", "Numbers."]) expect(text).toContain(part);
    expect(text).not.toContain("com.microsoft");

    const session = await InferenceSession.create(bytes);
    const numbers = Float32Array.from({ length: 18 }, (_, k) => k);
    for (const batch of [1, 3]) {
      const got = await session.run({
        rows: int64([3, 0, -1, 1, -1, -1, -1, -1, -1].slice(0, 3 * batch), [batch, 3]),
        x: new Tensor("float32", numbers.slice(0, 6 * batch), [batch, 2, 3]),
        last: int64([1, 0, 1].slice(0, batch), [batch]),
        k: int64([2], [1]),
      });
      expect([...(got.sum.data as Float32Array)].slice(0, 3)).toEqual([11, 13, 15]);
      expect([...(got.count.data as Float32Array)]).toEqual([2, 1, 0].slice(0, batch));
      expect(Array.from(got.best.data as BigInt64Array, Number).slice(0, 2)).toEqual([2, 1]);
      expect([...(got.newest.data as Float32Array)]).toEqual([3, 4, 5, 6, 7, 8, 15, 16, 17].slice(0, 3 * batch));
      expect([...(got.picked.data as Float32Array)].slice(0, 9)).toEqual([10, 11, 12, 1, 2, 3, 0, 0, 0]);
      expect([...(got.squares.data as Float32Array)].slice(0, 4)).toEqual([2.5, 7, 7, 25]);
    }
  });

  it("compute within what would be fed, and refuse values of another size", () => {
    const graph = createGraph();
    provide(graph, "rows", multiply(input(graph, "x", [2]), 3));
    const { inputs } = emitOnnx({ y: input(graph, "rows", [2]) });
    expect(inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(() => emitOnnx({ y: input(createGraph(), "x", [2]) }, { values: { x: [1, 2, 3] } })).toThrow(/x.*\[3\] and \[2\]/);
  });
});

describe("devices", () => {
  afterEach(() => setNeuralRuntime(loadNodeRuntime));

  it("are refused by name, or when no session can be made, with those that are known", async () => {
    expect(await openDevice()).toEqual({ name: expect.stringMatching(/^onnxruntime-node \d/), device: "cpu" });
    await expectError(openDevice("abacus"), "E_CONFIG", /There is no device "abacus"/);
    const broken: Runtime = {
      version: "a runtime 1.0",
      devices: ["cpu", "cuda"],
      createTensor: () => ({ dims: [], data: undefined }),
      createSession: () => Promise.reject(new Error("libcuda is missing\nat some place")),
    };
    setNeuralRuntime(async () => broken);
    const error = await openDevice("cuda").catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "E_CONFIG", message: "The device cuda does not work here: libcuda is missing" });
    expect(error.hint).toMatch(/a runtime 1\.0 knows cpu, cuda; cpu works everywhere/);
  });
});
