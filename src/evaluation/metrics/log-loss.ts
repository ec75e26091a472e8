/**
 * log-loss = mean −(y ln p + (1 − y) ln(1 − p)), p a predicted probability kept within [1e−15, 1 − 1e−15], y its truth in [0, 1].
 * Good (1952), Rational decisions.
 */
import { DataError } from "../../core/errors.js";
import type { RatingMetric } from "../metric.js";

const LEAST = 1e-15;

export const logLoss: RatingMetric = {
  name: "log-loss",
  title: "Log loss",
  formula: "mean −(y ln p + (1 − y) ln(1 − p))",
  of: "rating",
  loss(prediction, truth) {
    for (const [what, value] of [
      ["prediction", prediction],
      ["truth", truth],
    ] as const) {
      if (!(value >= 0 && value <= 1))
        throw new DataError(`log-loss got the ${what} ${value}.`, { hint: "Predictions are probabilities, and truths 0 or 1." });
    }
    const p = Math.min(1 - LEAST, Math.max(LEAST, prediction));
    return -(truth * Math.log(p) + (1 - truth) * Math.log(1 - p));
  },
  root: false,
};
