/**
 * DCN-v2: crosses of features learned by cross layers, beside or below a deep network, over the features of user and item.
 *   x₀ = [embeddings of every field, numbers],  x_{l+1} = x₀ ∘ (W_l x_l + b_l) + x_l,  score = wᵀ [deep(x_L)] (stacked) or wᵀ [x_L, deep(x₀)] (parallel)
 * Wang et al. (2021), DCN V2: improved deep & cross network. Runs on ONNX Runtime.
 */
import { z } from "zod";
import type { FeatureStrengths, ModelDefinition } from "../core/model.js";
import { crossMatrix, lowRankCrossLayer, mixtureCrossLayer } from "../nn/cross-layers.js";
import { crossLayer, deepLayers, linearOfParts } from "../nn/layers.js";
import { concat } from "../nn/ops/shape.js";
import { fitPairModel, type PairDefinition, restorePairModel } from "./parts/pair-model.js";
import type { PairNetwork, PairParts } from "./parts/pair-network.js";
import { pairHelp, pairShape } from "./parts/pair-params.js";

const schema = z.strictObject({
  ...pairShape,
  crossLayers: z.int().min(0).max(8).default(2),
  cross: z.enum(["full", "low-rank", "mixture"]).default("full"),
  rank: z.int().min(1).max(4096).default(16),
  experts: z.int().min(1).max(32).default(4),
  structure: z.enum(["stacked", "parallel"]).default("parallel"),
});

export type DcnParams = z.output<typeof schema>;

export const dcn: ModelDefinition<DcnParams> = {
  name: "dcn",
  title: "Deep & cross network (DCN-v2)",
  reference: "Wang et al. (2021), DCN V2: improved deep & cross network and practical lessons for web-scale learning to rank systems",
  description:
    "Scores a user and an item from the features of both: crosses of features by cross layers, the rest by a deep network; clicks or ratings.",
  task: "rank",
  params: schema,
  help: {
    ...pairHelp,
    crossLayers: { help: "Cross layers: l of them make crosses of up to l + 1 features; 0 = none.", range: [0, 4] },
    cross: { help: "full: one matrix per cross layer; low-rank: two thin ones; mixture: experts of low rank with gates.", tune: false },
    rank: { help: "Inner width of low-rank and mixture.", range: [4, 64], scale: "log", tune: false },
    experts: { help: "Experts of mixture.", range: [2, 8], tune: false },
    structure: { help: "stacked: deep layers read what the cross layers give; parallel: both read the features.", tune: false },
  },
  skips: [{ check: "permutes its answers when users and items are relabelled", reason: "the seeded start goes by index" }],
  complexity: 85,
  needs: "onnxruntime",
  predictsWeights: ({ target }) => target === "rating",

  fit: (train, params, context) => fitPairModel(definitionOf(params), { train, params }, context),
  restore: (saved) => restorePairModel(definitionOf(saved.params), saved),
  partialRefit: { unavailable: "its network is trained anew on all events" },
};

const definitionOf = (params: DcnParams): PairDefinition => ({
  name: "dcn",
  title: dcn.title,
  width: params.dimensions,
  network: networkOf(params),
  ...(params.crossLayers > 0 ? { featureStrengths: (parts: PairParts) => blockNorms(parts, params) } : {}),
});

const networkOf =
  ({ crossLayers, cross, rank, experts, structure, deepLayers: numDeep, deepWidth }: DcnParams): PairNetwork =>
  (context, { embedded, dense }) => {
    const first = dense ? concat([embedded, dense], 1) : embedded;
    let crossed = first;
    for (let layer = 0; layer < crossLayers; layer++) {
      const name = `cross${layer}`;
      if (cross === "full") crossed = crossLayer(context, first, crossed, name);
      else if (cross === "low-rank") crossed = lowRankCrossLayer(context, first, crossed, { name, rank });
      else crossed = mixtureCrossLayer(context, first, crossed, { name, rank, experts });
    }
    const deep = (x: typeof first) => deepLayers(context, x, "deep", new Array(numDeep).fill(deepWidth));
    const parallel = structure === "parallel" && crossLayers > 0 && numDeep > 0;
    return linearOfParts(context, parallel ? [crossed, deep(first)] : [deep(crossed)], "score", 1);
  };

/** Frobenius norm of each block of the first cross layer's matrix, as the paper shows it: row = part of x₀, column = what multiplies it. */
function blockNorms({ features: { user, item }, texts, parameters }: PairParts, params: DcnParams): FeatureStrengths {
  const matrix = crossMatrix(parameters, "cross0", { ...params, kind: params.cross });
  const blocks = [
    ...[...user.fields, ...item.fields, ...(texts?.fields ?? [])].map(({ name }) => ({ name, width: params.dimensions })),
    ...[...user.denseNames, ...item.denseNames].map((name) => ({ name, width: 1 })),
  ];
  const width = Math.sqrt(matrix.length);
  const blockOf = blocks.flatMap((block, b) => new Array<number>(block.width).fill(b));
  const squares = new Float64Array(blocks.length ** 2);
  for (let read = 0; read < width; read++)
    for (let to = 0; to < width; to++) squares[blockOf[to] * blocks.length + blockOf[read]] += matrix[read * width + to] ** 2;
  return { names: blocks.map(({ name }) => name), strengths: Float32Array.from(squares, Math.sqrt) };
}
