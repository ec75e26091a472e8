/**
 * train-rmse = √ mean (prediction − value)² over the events that the model was trained on: how far it fits what it has seen.
 * Told beside rmse, never a reason to prefer a model.
 */
import type { RatingMetric } from "../metric.js";

export const trainRmse: RatingMetric = {
  name: "train-rmse",
  title: "RMSE on the training events",
  formula: "√ mean (prediction − value)²",
  of: "rating",
  on: "train",
  loss: (prediction, truth) => (prediction - truth) ** 2,
  root: true,
};
