/**
 * Bayesian personalized ranking: an event's item should score above an item that the user does not have.
 *   maximise Σ over events (u, i) and drawn items j of log σ(x_u·(y_i − y_j) + b_i − b_j) − L2, by stochastic gradient steps
 * Rendle, Freudenthaler, Gantner & Schmidt-Thieme (2009). An event is one positive per epoch, whatever its weight.
 * The steps run in kernels/ranking-sgd.ts.
 */
import { z } from "zod";
import type { ModelDefinition } from "../core/model.js";
import type { SgdPlan } from "./parts/sgd-fit.js";
import { fitSgd, refitSgd, restoreSgd, warmStart } from "./parts/sgd-model.js";
import { regularizationOf, relabellingSkip, sharedHelp, sharedSchema } from "./parts/sgd-params.js";

const schema = z.strictObject({
  ...sharedSchema,
  factors: z.int().min(1).max(1024).default(128),
  epochs: z.int().min(1).max(10_000).default(100),
  learningRate: z.number().positive().max(10).default(0.05),
  regularization: z.number().min(0).default(0.01),
  initScale: z.number().positive().max(100).default(1),
});

export type BprParams = z.output<typeof schema>;

export const bpr: ModelDefinition<BprParams> = {
  name: "bpr",
  title: "Bayesian personalized ranking",
  reference: "Rendle, Freudenthaler, Gantner & Schmidt-Thieme (2009), BPR: Bayesian personalized ranking from implicit feedback",
  description: "Matrix factorization that learns to put a user's items above others; weights are not used. Folds in unseen users.",
  task: "retrieve",
  params: schema,
  help: { ...sharedHelp, learningRate: { help: "First step size; it falls to a tenth of it.", range: [0.005, 0.3], scale: "log" } },
  skips: [relabellingSkip],
  complexity: 25,
  unsuited: ({ numUsers, numItems }) =>
    Math.min(numUsers, numItems) < 10 ? "there are fewer than ten users or items to factorize" : undefined,
  fit: (train, params, context) => fitSgd(train, planOf(params), params, context),
  partialRefit: {
    how: warmStart,
    refit: (previous, train, context) => refitSgd(previous, train, planOf(previous.params as BprParams), context),
  },
  restore: (saved) => restoreSgd(saved, planOf(saved.params), saved.params),
};

function planOf(params: BprParams): SgdPlan {
  return { ...params, name: "bpr", loss: "bpr", optimizer: "sgd", draws: 1, regularization: regularizationOf(params) };
}
