/**
 * Scoring of a sequence model as one ONNX file: item indexes of a history in, scores of all items out. Called by sasrec and the
 * recurrent models.
 */
import type { LayerContext } from "../../nn/layers.js";
import { scoringFile } from "../../nn/onnx/scoring.js";
import { multiply } from "../../nn/ops/elementwise.js";
import { gather } from "../../nn/ops/gather.js";
import { integerMath, rowOfEach, toFloat } from "../../nn/ops/indexes.js";
import { gemm } from "../../nn/ops/matrix.js";
import { reshape } from "../../nn/ops/shape.js";
import type { Parameters } from "../../nn/parameters.js";
import { createGraph, input, provide, times } from "../../nn/tensor.js";
import type { SequenceNetwork } from "./sequence-encoder.js";

export interface SequenceFile {
  /** Registered name and title. */
  model: string;
  title: string;
  parameters: Parameters;
  states: SequenceNetwork;
  /** numItems × dimensions. */
  items: Float32Array;
  numItems: number;
  dimensions: number;
  maxLength: number;
}

/** Scores are states of the last position · item vectors; 0 for an empty history. */
export function sequenceOnnx({ model, title, parameters, states, items, numItems, dimensions, maxLength }: SequenceFile): Uint8Array {
  const graph = createGraph();
  const context: LayerContext = { graph, parameters, masks: [], dropout: 0 };
  const history = input(graph, "history", ["batch", maxLength], "int64");
  const length = input(graph, "length", ["batch"], "int64");
  const table = input(graph, "items", [numItems, dimensions]);
  provide(graph, "rows", reshape(gather(table, history), [times("batch", maxLength), dimensions]));
  const all = reshape(states(context, { batch: "batch", length: maxLength }), ["batch", maxLength, dimensions]);
  const last = integerMath("Min", integerMath("Max", integerMath("Sub", length, 1), 0), maxLength - 1);
  const known = reshape(toFloat(integerMath("Min", length, 1)), ["batch", 1]);
  return scoringFile({
    model,
    title,
    scores: gemm(multiply(rowOfEach(all, last), known), table, { transposeB: true }),
    parameters,
    tables: { items },
    inputs: {
      history: `int64 [batch × ${maxLength}]: item indexes, oldest first, the newest ${maxLength} of them; behind them any valid index.`,
      length: "int64 [batch]: how many of them count; with 0 all scores are 0.",
    },
    facts: { numItems, dimensions, maxLength },
  });
}
