/**
 * DeepFM: a factorization machine and a deep network over the same embeddings of the features of user and item.
 *   score = b + Σ_f w_f + ½ Σ_d [(Σ_f v_fd)² − Σ_f v_fd²] + deep([v_1 … v_F, numbers]);  a number z counts as w z and v z
 * Guo et al. (2017), DeepFM: a factorization-machine based neural network for CTR prediction; Rendle (2010) for the machine. Runs on ONNX Runtime.
 */
import { z } from "zod";
import type { ModelDefinition } from "../core/model.js";
import { deepLayers, linear } from "../nn/layers.js";
import { add, multiply, subtract } from "../nn/ops/elementwise.js";
import { gemm } from "../nn/ops/matrix.js";
import { sum } from "../nn/ops/reduce.js";
import { concat, reshape, split } from "../nn/ops/shape.js";
import { sizeOf } from "../nn/tensor.js";
import { fitPairModel, type PairDefinition, restorePairModel } from "./parts/pair-model.js";
import type { PairNetwork } from "./parts/pair-network.js";
import { pairHelp, pairShape } from "./parts/pair-params.js";

const schema = z.strictObject(pairShape);

export type DeepfmParams = z.output<typeof schema>;

export const deepfm: ModelDefinition<DeepfmParams> = {
  name: "deepfm",
  title: "DeepFM",
  reference: "Guo et al. (2017), DeepFM: a factorization-machine based neural network for CTR prediction",
  description: "Scores a user and an item from the features of both by a factorization machine and a deep network; clicks or ratings.",
  task: "rank",
  params: schema,
  help: pairHelp,
  skips: [{ check: "permutes its answers when users and items are relabelled", reason: "the seeded start goes by index" }],
  complexity: 84,
  needs: "onnxruntime",
  predictsWeights: ({ target }) => target === "rating",

  fit: (train, params, context) => fitPairModel(definitionOf(params), { train, params }, context),
  restore: (saved) => restorePairModel(definitionOf(saved.params), saved),
  partialRefit: { unavailable: "its network is trained anew on all events" },
};

/** An embedding is [w, v]. */
const definitionOf = (params: DeepfmParams): PairDefinition => ({
  name: "deepfm",
  title: deepfm.title,
  width: 1 + params.dimensions,
  network: networkOf(params),
});

const networkOf =
  ({ dimensions, deepLayers: numDeep, deepWidth }: DeepfmParams): PairNetwork =>
  (context, { embedded, dense, numFields }) => {
    const { graph, parameters } = context;
    const [n] = embedded.shape;
    const [weights, vectors] = split(reshape(embedded, [n, numFields, 1 + dimensions]), [1, dimensions], 2);
    let total = sum(vectors, [1]); // n × dimensions
    let squares = sum(multiply(vectors, vectors), [1]);
    let score = sum(weights, [1]);
    const flat = reshape(vectors, [n, numFields * dimensions]);
    const all = dense ? concat([flat, dense], 1) : flat;
    if (dense) {
      const factors = parameters.use(graph, "numbers.factors", [sizeOf(dense.shape.slice(1)), dimensions], 0.05);
      total = add(total, gemm(dense, factors));
      squares = add(squares, gemm(multiply(dense, dense), multiply(factors, factors)));
      score = add(score, gemm(dense, parameters.use(graph, "numbers.weight", [sizeOf(dense.shape.slice(1)), 1], "zeros")));
    }
    const pairs = multiply(sum(subtract(multiply(total, total), squares), [1], { keep: true }), 0.5);
    score = add(add(score, pairs), parameters.use(graph, "bias", [1], "zeros"));
    return numDeep > 0
      ? add(score, linear(context, deepLayers(context, all, "deep", new Array(numDeep).fill(deepWidth)), "score", 1))
      : score;
  };
