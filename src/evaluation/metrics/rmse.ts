/**
 * rmse = √ mean (prediction − truth)². Herlocker et al. (2004), Evaluating collaborative filtering recommender systems.
 */
import type { RatingMetric } from "../metric.js";

export const rmse: RatingMetric = {
  name: "rmse",
  title: "RMSE",
  formula: "√ mean (prediction − truth)²",
  of: "rating",
  loss: (prediction, truth) => (prediction - truth) ** 2,
  root: true,
};
