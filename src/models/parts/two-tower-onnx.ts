/**
 * Scoring of two-tower as one ONNX file: users and the items they had in, scores of all items out. What the user tower reads of each
 * user, and of each item in a history, is written out as a table.
 */
import { scoringFile } from "../../nn/onnx/scoring.js";
import { multiply } from "../../nn/ops/elementwise.js";
import { gather } from "../../nn/ops/gather.js";
import { integerMath, maximum, power, sumOfRows } from "../../nn/ops/indexes.js";
import { gemm } from "../../nn/ops/matrix.js";
import { split } from "../../nn/ops/shape.js";
import type { Parameters } from "../../nn/parameters.js";
import { createGraph, input, type Tensor } from "../../nn/tensor.js";
import { type TowerSource, towerBatch, towerBuffers, writeTowerInputs } from "./tower-inputs.js";
import { towerInputs, towerVectors } from "./tower-network.js";

export interface TwoTowerFile {
  title: string;
  parameters: Parameters;
  source: TowerSource;
  /** numItems × dimensions. */
  itemVectors: Float32Array;
  /** Of each item, added to a score temperature times. */
  itemBias: Float32Array;
  temperature: number;
  /** 1 for items that may count in a history. */
  knownItems: Uint8Array;
  numUsers: number;
  historyExponent: number;
}

export function twoTowerOnnx({ title, parameters, source, numUsers, historyExponent, temperature, ...items }: TwoTowerFile): Uint8Array {
  const { itemVectors, itemBias, knownItems } = items;
  const { shape } = source;
  const { dimensions } = shape;
  const numItems = knownItems.length;
  const graph = createGraph();
  const tables: Record<string, Float32Array> = { itemVectors, itemBias };
  const given: Record<string, Tensor> = {};
  const inputs: Record<string, string> = {};

  if (source.features) {
    const user = integerMath("Add", input(graph, "user", ["batch"], "int64"), 1);
    inputs.user = "int64 [batch]: user indexes, −1 for unknown ones.";
    const rows = towerBuffers(shape, numUsers + 1); // the first stands for unknown users
    const indexes = Int32Array.from({ length: numUsers + 1 }, (_, row) => row - 1);
    writeTowerInputs(source, towerBatch(source, { indexes }), rows);
    for (const [name, width] of Object.entries(towerInputs(shape))) {
      if (name === `${shape.name}.history`) continue;
      tables[name] = rows[name];
      given[name] = gather(input(graph, name, [numUsers + 1, width]), user);
    }
  }
  if (shape.history) {
    const history = input(graph, "history", ["batch", "length"], "int64");
    inputs.history = "int64 [batch × length]: distinct item indexes in any order, −1 in places left over.";
    tables.historyRows = historyRows(source, knownItems);
    const { sum } = sumOfRows(input(graph, "historyRows", [numItems, dimensions + 1]), history);
    const [embedded, count] = split(sum, [dimensions, 1], 1);
    given[`${shape.name}.history`] = multiply(embedded, power(maximum(count, 1), -historyExponent));
  }
  const bias = multiply(input(graph, "itemBias", [numItems]), temperature);
  const asked = towerVectors({ graph, parameters, masks: [], dropout: 0 }, given, shape);
  return scoringFile({
    model: "two-tower",
    title,
    scores: gemm(asked, input(graph, "itemVectors", [numItems, dimensions]), { transposeB: true, bias }),
    parameters,
    tables,
    inputs,
    facts: { numUsers, numItems, dimensions },
  });
}

/** What an item adds to a history, and a 1 behind it; zeros for an item that training never met. */
function historyRows(source: TowerSource, knownItems: Uint8Array): Float32Array {
  const { dimensions } = source.shape;
  const only: TowerSource = { shape: { ...source.shape, numFields: 0, numDense: 0 }, history: source.history };
  const indexes = new Int32Array(knownItems.length).fill(-1);
  const bags = Array.from(knownItems, (known, item) => ({ items: known ? [item] : [], weight: 1 }));
  const out = towerBuffers(only.shape, knownItems.length);
  writeTowerInputs(only, towerBatch(only, { indexes, bags }), out);
  const rows = new Float32Array(knownItems.length * (dimensions + 1));
  knownItems.forEach((known, item) => {
    rows.set(out[`${only.shape.name}.history`].subarray(item * dimensions, (item + 1) * dimensions), item * (dimensions + 1));
    rows[item * (dimensions + 1) + dimensions] = known;
  });
  return rows;
}
