/**
 * UltraGCN: what graph convolutions converge to, without passing messages: logistic factors of users and items with weights from degrees,
 * and each item's nearest items as further positives.
 *   minimise Σ_{(u,i)} v_ui (1 + degreeWeight·β_ui) ℓ(s_ui) + neighbourWeight Σ_{(u,i)} Σ_{j∈S(i)} ω_ij ℓ(s_uj)
 *            + negativeWeight Σ_{(u,i)} mean over drawn j of (base + degreeWeight·β_uj) ℓ(−s_uj),  s_ui = e_uᵀe_i,  ℓ(s) = log(1 + e⁻ˢ)
 * Mao et al. (2021), UltraGCN: ultra simplification of graph convolutional networks, eq. 11–15; Adagrad by row in the place of Adam.
 * v_ui = the pair's weighted value over the mean of all (1 in the paper, here weighting binary); pairs of weight 0 are none.
 * The defaults were found on validation parts of Online Retail and MovieLens 100k.
 */
import { z } from "zod";
import { throwIfCancelled } from "../core/errors.js";
import type { Csr, Interactions } from "../core/interactions.js";
import type { FitContext, FittedModel, ModelDefinition } from "../core/model.js";
import { parseParams } from "../core/params.js";
import { createRandom } from "../core/random.js";
import { createUltraGcn, degreesOf, type UltraGcnFactors } from "../kernels/ultra-gcn.js";
import { checkLoss } from "./parts/check-loss.js";
import { positivePairs } from "./parts/positive-pairs.js";
import { savedFloat32, savedInt32, savedLength } from "./parts/saved-arrays.js";
import { weightingOf, weightings } from "./parts/similarity.js";
import { itemLinks } from "./parts/ultra-gcn-graph.js";
import { learnedOf, type Size, savedSchema, ultraGcnModel, weightsOf } from "./parts/ultra-gcn-model.js";

const schema = z.strictObject({
  factors: z.int().min(1).max(1024).default(64),
  neighbours: z.int().min(1).max(1000).default(5),
  neighbourWeight: z.number().min(0).default(3),
  degreeWeight: z.number().min(0).default(1),
  negatives: z.int().min(1).max(1000).default(4),
  negativeWeight: z.number().positive().default(30),
  weighting: z.enum(weightings).default("linear"),
  regularization: z.number().min(0).default(0.01),
  learningRate: z.number().positive().default(0.2),
  epochs: z.int().min(1).max(10_000).default(30),
});

export type UltraGcnParams = z.output<typeof schema>;

export const ultragcn: ModelDefinition<UltraGcnParams> = {
  name: "ultragcn",
  title: "UltraGCN",
  reference: "Mao, Zhu, Xiao, Lu, Wang & He (2021), UltraGCN: ultra simplification of graph convolutional networks for recommendation",
  description: "Factors learned from users' items, those items' nearest items, and weights by degree; a graph network without its layers.",
  task: "retrieve",
  params: schema,
  help: {
    factors: { help: "Latent dimensions.", range: [16, 256], scale: "log" },
    neighbours: { help: "Nearest items of each item that count as further positives.", range: [2, 30], scale: "log" },
    neighbourWeight: { help: "Weight of these; 0 leaves them out.", range: [0.3, 100], scale: "log" },
    degreeWeight: { help: "Weight of β: more for users and items with few events.", range: [0.1, 30], scale: "log" },
    negatives: { help: "Items drawn against each pair.", range: [2, 32], scale: "log", tune: false },
    negativeWeight: { help: "Weight of all that is drawn against a pair.", range: [5, 100], scale: "log" },
    weighting: { help: "What the weight of a pair counts among the pairs: 1, its logarithm, or the weight itself." },
    regularization: { help: "L2 penalty on both vectors, with every term.", range: [2e-3, 0.05], scale: "log" },
    learningRate: { help: "Step of Adagrad in the first epoch; falls linearly to 0.", range: [0.05, 0.5], scale: "log" },
    epochs: { help: "Passes over the pairs.", range: [10, 60], scale: "log", fast: 3 },
  },
  skips: [{ check: "permutes its answers when users and items are relabelled", reason: "the seeded start goes by index" }],
  complexity: 35,
  unsuited: ({ numUsers, numItems }) =>
    Math.min(numUsers, numItems) < 10 ? "there are fewer than ten users or items to factorize" : undefined,

  fit: (train, params, context) => fitUltraGcn({ train, params }, context),

  restore({ params, numUsers, numItems, state }) {
    const size = { numUsers, numItems, factors: params.factors };
    const length = savedLength(state, "neighbour_items");
    const links: Csr = {
      numRows: numItems,
      numColumns: numItems,
      offsets: savedInt32(state, "neighbour_offsets", [numItems + 1]),
      indices: savedInt32(state, "neighbour_items", [length]),
      values: savedFloat32(state, "neighbour_weights", [length]),
    };
    const extra = parseParams(savedSchema, state.extra, "Saved model ultragcn");
    return ultraGcnModel(params, {
      learned: learnedOf(state, size),
      links,
      ...extra,
      itemDegrees: savedInt32(state, "item_degrees", [numItems]),
    });
  },

  partialRefit: {
    how: "Users and items go on from their present vectors for a quarter of the epochs over all events; new ones start anew; the nearest items are found again.",
    refit(previous, train, context) {
      const params = previous.params as UltraGcnParams;
      const { numUsers, numItems } = previous;
      const learned = learnedOf(previous.state(), { numUsers, numItems, factors: params.factors });
      return fitUltraGcn({ train, params, previous: learned }, context);
    },
  },
};

const initScale = 0.1;

interface FitOf {
  train: Interactions;
  params: UltraGcnParams;
  /** Goes on from these for a quarter of the epochs. */
  previous?: UltraGcnFactors;
}

async function fitUltraGcn({ train, params, previous }: FitOf, context: FitContext): Promise<FittedModel> {
  const { seed, threads, signal, checkpoint, onProgress, onStep } = context;
  const counted = positivePairs(train.matrixByUser());
  const values = Float64Array.from(counted.values, weightingOf(params.weighting));
  const meanValue = values.reduce((sum, value) => sum + value, 0) / values.length || 1;
  const pairs = { ...counted, values: Float32Array.from(values, (value) => value / meanValue) };
  const byItem = positivePairs(train.matrixByItem());
  const { neighbours: count, neighbourWeight: weight, factors } = params;
  const links = await itemLinks({ pairs, byItem }, { count, weight, threads, signal });
  const size = { numUsers: train.numUsers, numItems: train.numItems, factors };
  const degrees = degreesOf(pairs);
  const from = checkpoint?.resumeFrom;
  const start = from ? learnedOf(from.state, size) : startOf(size, { degrees, seed, previous });
  const solver = await createUltraGcn({ ...params, pairs, links, weights: weightsOf(params), seed, start }, { threads });
  try {
    const losses = from ? [...parseParams(savedSchema, from.state.extra, "Checkpoint of ultragcn").losses] : [];
    const total = previous ? Math.ceil(params.epochs / 4) : params.epochs;
    const model = () =>
      ultraGcnModel(params, { learned: solver.factors(), links, losses: [...losses], meanValue, itemDegrees: degrees.item });
    for (let epoch = (from?.step ?? 0) + 1; epoch <= total; epoch++) {
      throwIfCancelled(signal);
      const loss = await solver.epoch(epoch, params.learningRate * (1 - (epoch - 1) / total), signal);
      checkLoss(loss, { model: "ultragcn", step: epoch, hint: "Lower learningRate, or raise regularization." });
      losses.push(loss);
      onProgress?.({ stage: "ultragcn", done: epoch, total, loss });
      await checkpoint?.save(epoch, () => model().state());
      if ((await onStep?.({ step: epoch, total, model })) === "stop") break;
    }
    return model();
  } finally {
    solver.dispose();
  }
}

interface StartOf {
  degrees: { user: Int32Array; item: Int32Array };
  seed: number;
  previous: UltraGcnFactors | undefined;
}

/** Normal with standard deviation 0.1 / √factors; 0 for users and items without pairs; what is known before stays. */
function startOf({ factors }: Size, { degrees, seed, previous }: StartOf): UltraGcnFactors {
  const random = createRandom(seed);
  const deviation = initScale / Math.sqrt(factors);
  const rows = (degree: Int32Array) =>
    Float32Array.from(
      { length: degree.length * factors },
      (_, at) => (degree[Math.floor(at / factors)] > 0 ? deviation : 0) * random.normal(),
    );
  const start: UltraGcnFactors = {
    userFactors: rows(degrees.user),
    itemFactors: rows(degrees.item),
    userSquares: new Float32Array(degrees.user.length),
    itemSquares: new Float32Array(degrees.item.length),
  };
  if (previous) for (const key of ["userFactors", "itemFactors", "userSquares", "itemSquares"] as const) start[key].set(previous[key]);
  return start;
}
