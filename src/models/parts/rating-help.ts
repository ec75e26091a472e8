/** Help and search ranges of the parameters that svd and svd++ share. */
import type { ParamHelp } from "../../core/model.js";

export const ratingHelp = {
  factors: { help: "Latent dimensions.", range: [8, 200], scale: "log" },
  regularization: {
    help: "λ: L2 penalty on factors and biases; ratings are standardised, so it does not depend on their scale.",
    range: [0.1, 10],
    scale: "log",
  },
  regularizationExponent: {
    help: "ν: λ of a user or item = regularization · (number of its ratings)^ν; 0 the same for all, 1 in proportion.",
    range: [0, 1],
  },
  learningRate: { help: "Step of sgd in the first epoch; falls linearly to 0.", range: [0.005, 0.1], scale: "log" },
  epochs: { help: "Passes of sgd over the ratings.", range: [10, 100], scale: "log", fast: 3 },
  initScale: {
    help: "Initial factors: normal with standard deviation initScale / √factors.",
    range: [0.01, 1],
    scale: "log",
    tune: false,
  },
} as const satisfies Record<string, ParamHelp>;
