/** Scoring of Mult-VAE as one ONNX file: a set of items in, scores of all items out. */
import { scoringFile } from "../../nn/onnx/scoring.js";
import { divide, sqrt } from "../../nn/ops/elementwise.js";
import { maximum, sumOfRows } from "../../nn/ops/indexes.js";
import { gemm } from "../../nn/ops/matrix.js";
import type { Parameters } from "../../nn/parameters.js";
import { createGraph, input } from "../../nn/tensor.js";
import { decodedMean, ITEM_BIAS, ITEMS, type MultVaeShape } from "./mult-vae-network.js";

export interface MultVaeFile {
  title: string;
  parameters: Parameters;
  /** numItems × hidden: the first layer. */
  encoder: Float32Array;
  shape: MultVaeShape;
}

export function multVaeOnnx({ title, parameters, encoder, shape }: MultVaeFile): Uint8Array {
  const { hidden, latent, numItems } = shape;
  const graph = createGraph();
  const history = input(graph, "history", ["batch", "length"], "int64");
  const { sum, count } = sumOfRows(input(graph, "encoder", [numItems, hidden]), history);
  const rows = divide(sum, sqrt(maximum(count, 1)));
  const state = decodedMean({ graph, parameters, masks: [], dropout: 0 }, rows, shape);
  const bias = parameters.use(graph, ITEM_BIAS, [numItems]);
  return scoringFile({
    model: "mult-vae",
    title,
    scores: gemm(state, parameters.use(graph, ITEMS, [numItems, hidden]), { transposeB: true, bias }),
    parameters,
    tables: { encoder },
    inputs: { history: "int64 [batch × length]: distinct item indexes in any order, −1 in places left over." },
    facts: { numItems, hidden, latent },
  });
}
