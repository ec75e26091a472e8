/**
 * mae = mean |prediction − truth|. Herlocker et al. (2004), Evaluating collaborative filtering recommender systems.
 */
import type { RatingMetric } from "../metric.js";

export const mae: RatingMetric = {
  name: "mae",
  title: "MAE",
  formula: "mean |prediction − truth|",
  of: "rating",
  loss: (prediction, truth) => Math.abs(prediction - truth),
  root: false,
};
