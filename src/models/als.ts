/**
 * Alternating least squares for implicit feedback.
 *   Σ_{u,i} w_ui (a_ui − x_uᵀ y_i)² + Σ_u λ_u ‖x_u‖² + Σ_i λ_i ‖y_i‖²
 *   observed: a = 1, w = unobservedWeight + alpha · weight; otherwise a = 0, w = unobservedWeight
 *   λ_u = regularization · (#u + unobservedWeight · numItems)^regularizationExponent
 *   regularization "auto": one λ from the data, see als-regularization.ts
 * Hu, Koren & Volinsky (2008); the frequency-scaled λ is Rendle et al. (2022), Revisiting the performance of iALS.
 * The sweeps run in kernels/als.ts.
 */
import { z } from "zod";
import { throwIfCancelled } from "../core/errors.js";
import type { FittedModel, HistoryEvent, ModelDefinition } from "../core/model.js";
import { parseParams } from "../core/params.js";
import { createRandom } from "../core/random.js";
import { type AlsFoldIn, createAlsFoldIn, createAlsSolver } from "../kernels/als.js";
import { autoRegularization } from "./parts/als-regularization.js";
import { checkLoss } from "./parts/check-loss.js";
import { savedFloat32 } from "./parts/saved-arrays.js";

const schema = z
  .strictObject({
    factors: z.int().min(1).max(1024).default(64),
    regularization: z.union([z.number().min(0), z.literal("auto")]).default("auto"),
    regularizationExponent: z.number().min(0).max(2).default(0),
    alpha: z.number().positive().default(1),
    unobservedWeight: z.number().positive().default(1),
    iterations: z.int().min(1).max(1000).default(15),
    solver: z.enum(["cg", "cholesky"]).default("cg"),
    cgSteps: z.int().min(1).max(100).default(3),
    initScale: z.number().positive().default(0.1),
  })
  .refine(({ regularization, regularizationExponent }) => regularization !== "auto" || regularizationExponent === 0, {
    path: ["regularizationExponent"],
    message: "An exponent needs a number as regularization; auto has none",
  });

export type AlsParams = z.output<typeof schema>;

export const als: ModelDefinition<AlsParams> = {
  name: "als",
  title: "Alternating least squares",
  reference:
    "Hu, Koren & Volinsky (2008), Collaborative filtering for implicit feedback datasets; Takács, Pilászy & Tikk (2011) for conjugate gradient",
  description: "Matrix factorization of all user–item pairs, observed ones with higher confidence; folds in unseen users.",
  task: "retrieve",
  params: schema,
  help: {
    factors: { help: "Latent dimensions.", range: [8, 256], scale: "log" },
    regularization: {
      help: "L2 penalty λ on both factor matrices; auto takes it from the size and density of the data.",
      range: [0.01, 100],
      scale: "log",
    },
    regularizationExponent: { help: "ν: how much λ grows with the number of events; 0 = the same λ for all.", range: [0, 1] },
    alpha: { help: "Confidence of an observed pair: unobservedWeight + alpha · weight.", range: [0.1, 50], scale: "log" },
    unobservedWeight: { help: "Weight of pairs without an event.", range: [1e-3, 1], scale: "log" },
    iterations: { help: "Sweeps over users and items.", range: [5, 50] },
    solver: { help: "cg: a few conjugate gradient steps per row (fast); cholesky: exact.", tune: false },
    cgSteps: { help: "Conjugate gradient steps per row and sweep.", range: [1, 10], tune: false },
    initScale: {
      help: "Initial factors: normal with standard deviation initScale / √factors.",
      range: [0.01, 1],
      scale: "log",
      tune: false,
    },
  },

  skips: [
    {
      check: "permutes its answers when users and items are relabelled",
      reason: "the seeded start goes by index; the loss after relabelling is compared instead",
    },
  ],
  complexity: 20,
  unsuited: ({ numUsers, numItems }) =>
    Math.min(numUsers, numItems) < 10 ? "there are fewer than ten users or items to factorize" : undefined,

  async fit(train, params, { seed, threads, signal, onProgress, onStep }) {
    const { numUsers, numItems } = train;
    const { factors, iterations } = params;
    const random = createRandom(seed);
    const sd = params.initScale / Math.sqrt(factors);
    const normal = (length: number) => Float32Array.from({ length }, () => sd * random.normal());
    const [byUser, byItem] = [train.matrixByUser(), train.matrixByItem()];
    const regularization = params.regularization === "auto" ? autoRegularization({ byUser, byItem }, params) : params.regularization;
    const solver = await createAlsSolver(
      {
        ...params,
        regularization,
        matrixByUser: byUser,
        matrixByItem: byItem,
        itemFactors: normal(numItems * factors),
        userFactors: normal(numUsers * factors),
      },
      { threads },
    );
    try {
      const losses: number[] = [];
      const model = () =>
        alsModel({ numUsers, numItems, regularization, losses: [...losses] }, params, {
          userFactors: solver.userFactors(),
          itemFactors: solver.itemFactors(),
        });
      for (let iteration = 1; iteration <= iterations; iteration++) {
        throwIfCancelled(signal);
        await solver.sweep("users", signal);
        await solver.sweep("items", signal);
        const loss = await solver.loss(signal);
        checkLoss(loss, { model: "als", step: iteration, hint: "Bring the weights closer together (log1p, a ceiling), or lower alpha." });
        losses.push(loss);
        onProgress?.({ stage: "als", done: iteration, total: iterations, loss });
        if ((await onStep?.({ step: iteration, total: iterations, model })) === "stop") break;
      }
      return model();
    } finally {
      solver.dispose();
    }
  },

  partialRefit: { unavailable: "its sweeps always start anew" },

  restore({ params, numUsers, numItems, state }) {
    const { losses, regularization } = parseParams(savedSchema, state.extra, "Saved model als");
    return alsModel({ numUsers, numItems, regularization, losses }, params, {
      userFactors: savedFloat32(state, "user_factors", [numUsers, params.factors]),
      itemFactors: savedFloat32(state, "item_factors", [numItems, params.factors]),
    });
  },
};

/** What is saved beside the factors. */
const savedSchema = z.strictObject({ losses: z.array(z.number()), regularization: z.number().min(0) });

interface Size {
  numUsers: number;
  numItems: number;
  /** λ, also where the parameter says auto. */
  regularization: number;
  losses: readonly number[];
}

function alsModel(
  { numUsers, numItems, regularization, losses }: Size,
  params: AlsParams,
  factorsOf: { userFactors: Float32Array; itemFactors: Float32Array },
): FittedModel {
  const { factors } = params;
  const { userFactors, itemFactors } = factorsOf;
  let foldIn: Promise<AlsFoldIn> | undefined;
  return {
    name: "als",
    params,
    numUsers,
    numItems,
    personal: true,
    losses,
    vectors: {
      dimensions: factors,
      itemVectors: itemFactors,
      async encode(queries, out) {
        const folded: number[] = [];
        queries.forEach(({ userIndex = -1, history }, q) => {
          if (history?.length) folded.push(q);
          else if (userIndex >= 0) out.set(userFactors.subarray(userIndex * factors, (userIndex + 1) * factors), q * factors);
          else out.fill(0, q * factors, (q + 1) * factors);
        });
        if (folded.length === 0) return;
        foldIn ??= createAlsFoldIn({ ...params, regularization, itemFactors, numItems });
        const vectors = new Float32Array(folded.length * factors);
        await (await foldIn).encode(
          folded.map((q) => summedHistory(queries[q].history!)),
          vectors,
        );
        folded.forEach((q, f) => {
          out.set(vectors.subarray(f * factors, (f + 1) * factors), q * factors);
        });
      },
    },
    itemSimilarityVectors: { dimensions: factors, vectors: itemFactors },
    state: () => ({
      arrays: {
        user_factors: { shape: [numUsers, factors], data: userFactors },
        item_factors: { shape: [numItems, factors], data: itemFactors },
      },
      extra: { losses, regularization },
    }),
  };
}

/** Weights of repeated items summed, items ascending: a matrix row like those of training. */
function summedHistory(history: readonly HistoryEvent[]): { indices: Int32Array; weights: Float32Array } {
  const sums = new Map<number, number>();
  for (const { itemIndex, weight = 1 } of history) sums.set(itemIndex, (sums.get(itemIndex) ?? 0) + weight);
  const indices = Int32Array.from(sums.keys()).sort();
  return { indices, weights: Float32Array.from(indices, (item) => sums.get(item)!) };
}
