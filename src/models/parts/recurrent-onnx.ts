/**
 * Scoring of lstm and gru as one ONNX file: items of a session in, scores of all items out. Training unrolls the layers; here they are
 * the standard's own LSTM and GRU, which read sessions of any length. Called by parts/recurrent-model.ts.
 */
import { linear } from "../../nn/layers.js";
import { dataTypes } from "../../nn/onnx/schema.js";
import { scoringFile } from "../../nn/onnx/scoring.js";
import { add, multiply } from "../../nn/ops/elementwise.js";
import { integerMath, isIndex, rowsOrZeros, unsqueezed } from "../../nn/ops/indexes.js";
import { gemm } from "../../nn/ops/matrix.js";
import { concat, reshape, transpose } from "../../nn/ops/shape.js";
import type { Parameter, Parameters } from "../../nn/parameters.js";
import { addNode, constant, createGraph, input, op } from "../../nn/tensor.js";
import type { RecurrentShape } from "./recurrent-network.js";

export interface RecurrentFile {
  model: string;
  title: string;
  parameters: Parameters;
  shape: RecurrentShape;
  /** numItems × dimensions, and numUsers × userDimensions. */
  items: Float32Array;
  users?: Float32Array;
}

export function recurrentOnnx({ model, title, parameters, shape, items, users }: RecurrentFile): Uint8Array {
  const { cell, dimensions, units, layers, userDimensions } = shape;
  const [numItems, numUsers] = [items.length / dimensions, users ? users.length / userDimensions : 0];
  const graph = createGraph();
  const history = input(graph, "history", ["batch", "length"], "int64");
  const table = input(graph, "items", [numItems, dimensions]);
  const tokens = transpose(history, [1, 0]);
  let x = multiply(rowsOrZeros(table, tokens), Math.sqrt(dimensions)); // length × batch × d
  const lengths = op("Cast", [integerMath("Max", input(graph, "length", ["batch"], "int64"), 1)], {
    attributes: { to: dataTypes.int32 },
    outputs: [{ shape: ["batch"], type: "int32" }],
  });
  const user = users && rowsOrZeros(input(graph, "users", [numUsers, userDimensions]), input(graph, "user", ["batch"], "int64"));
  if (user) x = concat([x, add(unsqueezed(user, 0), multiply(unsqueezed(isIndex(tokens), 2), 0))], 2); // the same at every step
  let last = x;
  for (let layer = 0; layer < layers; layer++) {
    const own = (name: string) => parameters.list.find((one) => one.name === `layer${layer}.${name}`);
    const weights = standardWeights(cell, {
      input: own("input")!,
      recurrent: own("recurrent")!,
      bias: own("bias")!,
      candidateBias: own("candidateBias"),
    });
    const given = weights.map(({ values, shape: size }) => constant(graph, values, size));
    const outputs = [{ shape: ["length", 1, "batch", units] }, { shape: [1, "batch", units] }];
    const attributes = { hidden_size: units, ...(cell === "gru" ? { linear_before_reset: 1 } : {}) };
    const [all, end] = addNode(cell === "gru" ? "GRU" : "LSTM", [x, ...given, lengths], { attributes, outputs }).outputs;
    x = op("Squeeze", [all, constant(graph, [1], [1], "int64")], { outputs: [{ shape: ["length", "batch", units] }] });
    last = reshape(end, ["batch", units]);
  }
  const context = { graph, parameters, masks: [], dropout: 0 };
  const output = linear(context, user ? concat([last, user], 1) : last, "out", dimensions);
  return scoringFile({
    model,
    title,
    scores: gemm(output, table, { transposeB: true }),
    parameters,
    tables: { items, ...(users ? { users } : {}) },
    inputs: {
      history:
        "int64 [batch × length]: item indexes, oldest first, −1 at the borders of baskets (before the first, between, and before the basket in progress).",
      length: "int64 [batch]: how many entries of each row count.",
      ...(user ? { user: "int64 [batch]: user indexes, −1 for others." } : {}),
    },
    facts: { numItems, dimensions, units, layers, userDimensions },
  });
}

interface Weights {
  values: Float32Array;
  shape: readonly number[];
}

/** Where the standard has our gates: LSTM input, output, forget, cell; GRU update, reset, hidden. */
const GATES = { lstm: [0, 2, 1, 3], gru: [1, 0, 2] } as const;

/** W [1 × gates · units × width], R [1 × gates · units × units] and B [1 × 2 · gates · units] of the standard. */
function standardWeights(
  cell: RecurrentShape["cell"],
  { input, recurrent, bias, candidateBias }: { input: Parameter; recurrent: Parameter; bias: Parameter; candidateBias?: Parameter },
): Weights[] {
  const gates = GATES[cell];
  const units = recurrent.shape[0];
  const turned = ({ values, shape: [rows, columns] }: Parameter): Weights => {
    const out = new Float32Array(values.length);
    gates.forEach((gate, place) => {
      for (let unit = 0; unit < units; unit++)
        for (let row = 0; row < rows; row++) out[(place * units + unit) * rows + row] = values[row * columns + gate * units + unit];
    });
    return { values: out, shape: [1, columns, rows] };
  };
  const biases = new Float32Array(2 * gates.length * units);
  gates.forEach((gate, place) => {
    biases.set(bias.values.subarray(gate * units, (gate + 1) * units), place * units);
  });
  if (candidateBias) biases.set(candidateBias.values, biases.length - units);
  return [turned(input), turned(recurrent), { values: biases, shape: [1, biases.length] }];
}
