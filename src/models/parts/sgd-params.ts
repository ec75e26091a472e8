/**
 * Parameters that bpr, warp and logistic-mf share, with their help. Called by those models.
 */
import { z } from "zod";

export const sharedSchema = {
  negativeRegularization: z.union([z.number().min(0), z.literal("same")]).default("same"),
  biasRegularization: z.union([z.number().min(0), z.literal("same")]).default("same"),
  negatives: z.enum(["uniform", "popularity"]).default("uniform"),
  positives: z.enum(["events", "pairs"]).default("events"),
};

export const sharedHelp = {
  factors: { help: "Latent dimensions.", range: [16, 256], scale: "log" },
  epochs: { help: "Passes over all events.", range: [10, 200], scale: "log", fast: 3 },
  regularization: {
    help: "L2 penalty λ of users and items, applied whenever a row takes a step.",
    range: [1e-4, 0.1],
    scale: "log",
  },
  negativeRegularization: { help: "λ of an item that was drawn as a negative; same: regularization.", tune: false },
  biasRegularization: { help: "λ of biases; same: regularization.", range: [1e-5, 0.1], scale: "log", tune: false },
  negatives: {
    help: "uniform: every item alike; popularity: items as often as they have events, which takes popularity out.",
    tune: false,
  },
  positives: { help: "events: a pair counts with each of its events; pairs: once.", tune: false },
  initScale: { help: "Initial factors: normal with standard deviation initScale / √factors.", range: [0.01, 1], scale: "log", tune: false },
} as const;

export const relabellingSkip = {
  check: "permutes its answers when users and items are relabelled",
  reason: "the seeded start and the draws go by index",
};

/** λ of each kind of row, "same" filled in. */
export function regularizationOf(params: {
  regularization: number;
  negativeRegularization: number | "same";
  biasRegularization: number | "same";
}): { user: number; positive: number; negative: number; bias: number } {
  const { regularization, negativeRegularization: negative, biasRegularization: bias } = params;
  return {
    user: regularization,
    positive: regularization,
    negative: negative === "same" ? regularization : negative,
    bias: bias === "same" ? regularization : bias,
  };
}
