/**
 * Alternating least squares over all user–item pairs.
 *   Σ_{u,i} w_ui (a_ui − x_uᵀy_i)² + Σ_u λ_u ‖x_u − m_u‖² + Σ_i λ_i ‖y_i − m_i‖²
 *   observed: w = unobservedWeight + alpha · s_ui · C_i; otherwise w = unobservedWeight and a = 0
 *   target "preference" (Hu, Koren & Volinsky 2008): a = 1, s = weight;  "value" (ratings; WALS): a = weight, s = 1
 *   itemWeights (WALS): C_i = 1 | (1/n_i)^featureWeightExponent ("log") | observedWeight / n_i ("linear"), n_i = pairs of item i
 *   λ_u = regularization · (#u + unobservedWeight · numItems)^regularizationExponent (Rendle et al. 2022); "auto": als-regularization.ts
 *   m = Bᵀf where side features are given (als-priors.ts), else 0
 * WALS, ‖√W∘(A − UVᵀ)‖² + λ(‖U‖² + ‖V‖²) with W = w₀ + C_i where A is observed, is target "value" with alpha 1.
 * The sweeps are in parts/als-fit.ts, their kernels behind kernels/als.ts.
 */
import { z } from "zod";
import type { ModelDefinition } from "../core/model.js";
import { parseParams } from "../core/params.js";
import { createRandom } from "../core/random.js";
import { sweepAls } from "./parts/als-fit.js";
import { type AlsFittedModel, alsModel } from "./parts/als-model.js";
import { pairRule } from "./parts/als-objective.js";
import { type AlsParams, alsHelp, alsSchema } from "./parts/als-params.js";
import { refitAls } from "./parts/als-refit.js";
import { savedFloat32 } from "./parts/saved-arrays.js";

export const als: ModelDefinition<AlsParams> = {
  name: "als",
  title: "Alternating least squares",
  reference:
    "Hu, Koren & Volinsky (2008), Collaborative filtering for implicit feedback datasets; Takács, Pilászy & Tikk (2011) for conjugate gradient; Rendle et al. (2021), iALS++, for block descent",
  description:
    "Matrix factorization of all user–item pairs, observed ones with higher confidence; ratings, item weights and side features where wanted; folds in unseen users.",
  task: "retrieve",
  params: alsSchema,
  help: alsHelp,
  skips: [
    {
      check: "permutes its answers when users and items are relabelled",
      reason: "the seeded start goes by index; the loss after relabelling is compared instead",
    },
  ],
  complexity: 20,
  starter: true,
  predictsWeights: ({ target }) => target === "value",
  unsuited: ({ numUsers, numItems }) =>
    Math.min(numUsers, numItems) < 10 ? "there are fewer than ten users or items to factorize" : undefined,

  fit(train, params, context) {
    const { factors, iterations } = params;
    const random = createRandom(context.seed);
    const sd = params.initScale / Math.sqrt(factors);
    const normal = (length: number) => Float32Array.from({ length }, () => sd * random.normal());
    const itemFactors = normal(train.numItems * factors);
    const start = { itemFactors, userFactors: normal(train.numUsers * factors), trained: false };
    return sweepAls(train, params, { start, iterations, context });
  },

  partialRefit: {
    how: "Users and items that are new or have new events are solved exactly against the rest, then two sweeps go over everything; parameters stay.",
    refit: (previous, train, context) => refitAls(previous as AlsFittedModel, train, context),
  },

  restore({ params, numUsers, numItems, state, seen }) {
    const { losses, regularization, userFeatures, itemFeatures } = parseParams(savedSchema, state.extra, "Saved model als");
    return alsModel({
      params,
      rule: pairRule(seen, params),
      regularization,
      losses,
      seen,
      userFactors: savedFloat32(state, "user_factors", [numUsers, params.factors]),
      itemFactors: savedFloat32(state, "item_factors", [numItems, params.factors]),
      userPriors: userFeatures ? savedFloat32(state, "user_priors", [numUsers, params.factors]) : undefined,
      itemFeatures,
    });
  },
};

/** What is saved beside the factors. */
const savedSchema = z.strictObject({
  losses: z.array(z.number()),
  regularization: z.number().min(0),
  userFeatures: z.boolean().default(false),
  itemFeatures: z.boolean().default(false),
});
