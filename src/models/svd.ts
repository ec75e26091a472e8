/**
 * Biased matrix factorization of ratings.
 *   r̂(u, i) = μ + b_u + b_i + p_uᵀ q_i
 *   minimise Σ (r − r̂)² + Σ_u λ_u (‖p_u‖² + b_u²) + Σ_i λ_i (‖q_i‖² + b_i²),  λ_r = regularization · #r^regularizationExponent
 * over the observed events only, a pair rated twice counting twice, ratings standardised inside. Funk (2006) and Koren, Bell & Volinsky
 * (2009) by SGD, Zhou et al. (2008) by ALS. The defaults were found on validation parts of MovieLens 100k.
 */
import { z } from "zod";
import type { ModelDefinition } from "../core/model.js";
import { fitRatings } from "./parts/rating-fit.js";
import { ratingHelp } from "./parts/rating-help.js";
import { ratingModel, restoredRating } from "./parts/rating-model.js";

const schema = z.strictObject({
  factors: z.int().min(1).max(1024).default(50),
  regularization: z.number().min(0).default(1),
  regularizationExponent: z.number().min(0).max(2).default(0.5),
  solver: z.enum(["sgd", "als"]).default("sgd"),
  learningRate: z.number().positive().default(0.03),
  epochs: z.int().min(1).max(10_000).default(40),
  iterations: z.int().min(1).max(1000).default(10),
  initScale: z.number().positive().default(0.1),
});

export type SvdParams = z.output<typeof schema>;

export const svd: ModelDefinition<SvdParams> = {
  name: "svd",
  title: "Biased matrix factorization of ratings",
  reference: "Koren, Bell & Volinsky (2009), Matrix factorization techniques for recommender systems; Zhou et al. (2008) for ALS",
  description: "Predicts a rating from mean, biases and the product of a user's and an item's factors; folds in unseen users.",
  task: "rate",
  params: schema,
  help: {
    ...ratingHelp,
    solver: { help: "sgd: stochastic gradient descent; als: each row exactly, in sweeps, without a learning rate.", tune: false },
    iterations: { help: "Sweeps of als over users and items.", range: [5, 30], tune: false, fast: 3 },
  },
  skips: [{ check: "permutes its answers when users and items are relabelled", reason: "the seeded start goes by index" }],
  complexity: 25,
  starter: true,

  fit: (train, params, context) => fitRatings("svd", { train, params }, context),

  restore({ seen, restoreModel: _restoreModel, ...saved }) {
    return ratingModel({ ...saved, name: "svd", seen }, restoredRating("svd", saved, false));
  },

  partialRefit: {
    how: "All factors and biases go on from their present values for a quarter of the epochs (or iterations) over all events; new users and items start anew; mean and scale stay.",
    refit(previous, train, context) {
      const params = previous.params as SvdParams;
      const { numUsers, numItems } = previous;
      const state = restoredRating("svd", { params, numUsers, numItems, state: previous.state() }, false);
      return fitRatings("svd", { train, params, previous: state }, context);
    },
  },
};
