/**
 * WARP: items of a user should lead all others by a margin of 1, and the more so the nearer they are to the top of the list.
 *   For an event (u, i) items j are drawn until one has s_uj > s_ui − 1, after N draws at most maxTrials;
 *   then a gradient step on log ⌊(numItems − 1) / N⌋ · (s_uj − s_ui) + L2, the log being of i's estimated rank.
 * Weston, Bengio & Usunier (2011); trials and Adagrad steps as in LightFM (Kula 2015). Weights are not used.
 * The steps run in kernels/ranking-sgd.ts.
 */
import { z } from "zod";
import type { ModelDefinition } from "../core/model.js";
import type { SgdPlan } from "./parts/sgd-fit.js";
import { fitSgd, refitSgd, restoreSgd, warmStart } from "./parts/sgd-model.js";
import { regularizationOf, relabellingSkip, sharedHelp, sharedSchema } from "./parts/sgd-params.js";

const schema = z.strictObject({
  ...sharedSchema,
  factors: z.int().min(1).max(1024).default(64),
  epochs: z.int().min(1).max(10_000).default(20),
  learningRate: z.number().positive().max(10).default(0.05),
  regularization: z.number().min(0).default(0.001),
  initScale: z.number().positive().max(100).default(0.1),
  maxTrials: z.int().min(1).max(1000).default(30),
});

export type WarpParams = z.output<typeof schema>;

export const warp: ModelDefinition<WarpParams> = {
  name: "warp",
  title: "Weighted approximate-rank pairwise loss",
  reference: "Weston, Bengio & Usunier (2011), WSABIE: scaling up to large vocabulary image annotation; Kula (2015) for LightFM",
  description: "Matrix factorization that mends the top of each user's list; weights are not used. Folds in unseen users.",
  task: "retrieve",
  params: schema,
  help: {
    ...sharedHelp,
    learningRate: { help: "First step size of Adagrad; it falls to a tenth of it.", range: [0.005, 0.5], scale: "log" },
    maxTrials: { help: "Most items drawn for an event in search of one that ranks too high.", range: [3, 100], scale: "log" },
  },
  skips: [relabellingSkip],
  complexity: 26,
  unsuited: ({ numUsers, numItems }) =>
    Math.min(numUsers, numItems) < 10 ? "there are fewer than ten users or items to factorize" : undefined,
  fit: (train, params, context) => fitSgd(train, planOf(params), params, context),
  partialRefit: {
    how: warmStart,
    refit: (previous, train, context) => refitSgd(previous, train, planOf(previous.params as WarpParams), context),
  },
  restore: (saved) => restoreSgd(saved, planOf(saved.params), saved.params),
};

function planOf(params: WarpParams): SgdPlan {
  return { ...params, name: "warp", loss: "warp", optimizer: "adagrad", draws: params.maxTrials, regularization: regularizationOf(params) };
}
