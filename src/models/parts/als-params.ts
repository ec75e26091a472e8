/**
 * Parameters of als, with their help. The names of Google's WALS sample map to them so: feature_wt_exp = featureWeightExponent
 * (itemWeights "log"), feature_wt_factor or obs_wt = observedWeight (itemWeights "linear"), unobs = unobservedWeight,
 * reg = regularization, dim = factors; its target is "value" and its alpha 1.
 */
import { z } from "zod";
import type { ParamHelp } from "../../core/model.js";

export const alsSchema = z
  .strictObject({
    factors: z.int().min(1).max(1024).default(128),
    regularization: z.union([z.number().min(0), z.literal("auto")]).default("auto"),
    regularizationExponent: z.number().min(0).max(2).default(0),
    alpha: z.number().positive().default(1),
    unobservedWeight: z.number().min(0).default(1),
    target: z.enum(["preference", "value"]).default("preference"),
    itemWeights: z.enum(["none", "log", "linear"]).default("none"),
    featureWeightExponent: z.number().min(0).max(100).default(0.08),
    observedWeight: z.number().positive().default(100),
    featureRegularization: z.number().min(0).default(30),
    iterations: z.int().min(1).max(1000).default(15),
    solver: z.enum(["auto", "cg", "cholesky", "ials++"]).default("auto"),
    cgSteps: z.int().min(1).max(100).default(3),
    initScale: z.number().positive().default(0.1),
  })
  .refine(({ target, unobservedWeight }) => target === "value" || unobservedWeight > 0, {
    path: ["unobservedWeight"],
    message: "Preferences need a weight above 0 for unobserved pairs, or every score would be 1; target value does without",
  });

export type AlsParams = z.output<typeof alsSchema>;

export const alsHelp: { readonly [Key in keyof AlsParams]: ParamHelp } = {
  factors: { help: "Latent dimensions.", range: [8, 256], scale: "log" },
  regularization: {
    help: "L2 penalty λ on both factor matrices; auto takes it from the size and density of the data.",
    range: [0.01, 100],
    scale: "log",
  },
  regularizationExponent: { help: "ν: how much λ grows with the number of events; 0 = the same λ for all.", range: [0, 1] },
  alpha: { help: "Extra weight of an observed pair, times its weight and its item's weight.", range: [0.1, 50], scale: "log" },
  unobservedWeight: { help: "Weight of pairs without an event.", range: [1e-3, 1], scale: "log" },
  target: {
    help: "preference: every observed pair aims at 1, its weight is confidence; value: it aims at its weight, as with ratings.",
    tune: false,
  },
  itemWeights: {
    help: "log: pairs of an item with n entries weigh n^−featureWeightExponent; linear: observedWeight / n; none: all alike.",
    tune: false,
  },
  featureWeightExponent: { help: "Used by itemWeights log.", range: [1e-4, 10], scale: "log", tune: false },
  observedWeight: { help: "Used by itemWeights linear.", range: [1, 1000], scale: "log", tune: false },
  featureRegularization: {
    help: "Penalty on the embeddings of side features, in multiples of λ; used where features are given.",
    range: [0.1, 1000],
    scale: "log",
    tune: false,
  },
  iterations: { help: "Sweeps over users and items.", range: [5, 50], fast: 3 },
  solver: {
    help: "cg: a few conjugate gradient steps per row (fast); cholesky: exact; ials++: blocks of factors; auto: cg or ials++.",
    tune: false,
  },
  cgSteps: { help: "Conjugate gradient steps per row and sweep.", range: [1, 10], tune: false },
  initScale: {
    help: "Initial factors: normal with standard deviation initScale / √factors.",
    range: [0.01, 1],
    scale: "log",
    tune: false,
  },
};
