/**
 * Logistic matrix factorization: the chance of an event of user u with item i is σ(x_u·y_i + b_u + b_i).
 *   maximise Σ over events log σ(s_ui) + Σ over numNegatives drawn items j of each event log σ(−s_uj) − L2
 * Johnson (2014), with sampled negatives. A step per term; adam is lazy: moments and step counts of a row stand still while it has
 * no part. Weights are not used. The steps run in kernels/ranking-sgd.ts.
 */
import { z } from "zod";
import type { ModelDefinition } from "../core/model.js";
import type { SgdPlan } from "./parts/sgd-fit.js";
import { fitSgd, refitSgd, restoreSgd, warmStart } from "./parts/sgd-model.js";
import { regularizationOf, relabellingSkip, sharedHelp, sharedSchema } from "./parts/sgd-params.js";

const schema = z.strictObject({
  ...sharedSchema,
  factors: z.int().min(1).max(1024).default(128),
  epochs: z.int().min(1).max(10_000).default(20),
  learningRate: z.number().positive().max(10).default(0.15),
  regularization: z.number().min(0).default(0.01),
  initScale: z.number().positive().max(100).default(0.1),
  numNegatives: z.int().min(1).max(1000).default(5),
  optimizer: z.enum(["adagrad", "adam"]).default("adagrad"),
});

export type LogisticMfParams = z.output<typeof schema>;

export const logisticMf: ModelDefinition<LogisticMfParams> = {
  name: "logistic-mf",
  title: "Logistic matrix factorization",
  reference: "Johnson (2014), Logistic matrix factorization for implicit feedback data",
  description: "Matrix factorization of the chance of an event, with user and item biases; weights are not used. Folds in unseen users.",
  task: "retrieve",
  params: schema,
  help: {
    ...sharedHelp,
    learningRate: { help: "First step size; it falls to a tenth of it.", range: [0.0005, 0.5], scale: "log" },
    numNegatives: { help: "Items drawn as negatives for each event.", range: [1, 20], scale: "log" },
    optimizer: { help: "adagrad, or adam (lazy: a row without a part in a step stands still)." },
  },
  skips: [relabellingSkip],
  complexity: 24,
  unsuited: ({ numUsers, numItems }) =>
    Math.min(numUsers, numItems) < 10 ? "there are fewer than ten users or items to factorize" : undefined,
  fit: (train, params, context) => fitSgd(train, planOf(params), params, context),
  partialRefit: {
    how: warmStart,
    refit: (previous, train, context) => refitSgd(previous, train, planOf(previous.params as LogisticMfParams), context),
  },
  restore: (saved) => restoreSgd(saved, planOf(saved.params), saved.params),
};

function planOf(params: LogisticMfParams): SgdPlan {
  return { ...params, name: "logistic-mf", loss: "logistic", draws: params.numNegatives, regularization: regularizationOf(params) };
}
