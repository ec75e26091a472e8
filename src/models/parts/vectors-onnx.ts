/**
 * Scoring of a dot-product model as one ONNX file: indexes of known users in, scores of all items out. For every model with vectors and
 * without an export of its own; histories of others cannot be folded in there.
 */
import type { FittedModel } from "../../core/model.js";
import { scoringFile } from "../../nn/onnx/scoring.js";
import { gather } from "../../nn/ops/gather.js";
import { gemm } from "../../nn/ops/matrix.js";
import { createGraph, input } from "../../nn/tensor.js";

const BLOCK = 4096;

/** Undefined for a model that does not score by vectors. */
export async function vectorsOnnx({ name, numUsers, numItems, vectors }: FittedModel): Promise<Uint8Array | undefined> {
  if (!vectors) return undefined;
  const { dimensions, itemVectors, encode } = vectors;
  const userVectors = new Float32Array(numUsers * dimensions);
  for (let from = 0; from < numUsers; from += BLOCK) {
    const queries = Array.from({ length: Math.min(BLOCK, numUsers - from) }, (_, k) => ({ userIndex: from + k }));
    await encode(queries, userVectors.subarray(from * dimensions, (from + queries.length) * dimensions));
  }
  const graph = createGraph();
  const rows = gather(input(graph, "users", [numUsers, dimensions]), input(graph, "user", ["batch"], "int64"));
  return scoringFile({
    model: name,
    title: "Dot products of user and item vectors",
    scores: gemm(rows, input(graph, "items", [numItems, dimensions]), { transposeB: true }),
    tables: { users: userVectors, items: itemVectors },
    inputs: { user: "int64 [batch]: user indexes." },
    facts: { numUsers, numItems, dimensions },
  });
}
