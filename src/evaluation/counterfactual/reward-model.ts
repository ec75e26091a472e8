/**
 * The reward model of the doubly robust estimator: each item's mean reward, drawn towards the overall mean μ where it was shown little,
 *   r̂(a) = (Σ r + smoothing · μ) / (n_a + smoothing)
 * Cross-fitted: rows are dealt into folds by user (else one by one), and a row is predicted from the other folds only, so that
 * its own reward never enters its prediction (Chernozhukov et al. 2018, Double/debiased machine learning).
 */
import { ConfigError } from "../../core/errors.js";
import { clustersOf, type LoggedImpressions } from "./logged-rows.js";

export interface RewardModel {
  numFolds: number;
  /** Fold of each row. */
  foldOf: Int32Array;
  /** numFolds × numItems: predictions for the rows of each fold. */
  predictions: Float64Array;
}

export interface RewardModelOptions {
  /** Weight of the overall mean, in impressions. Default 10. */
  smoothing?: number;
  /** Default 5; fewer where there are fewer users. */
  folds?: number;
}

export function fitItemRewards(log: LoggedImpressions, { smoothing = 10, folds = 5 }: RewardModelOptions = {}): RewardModel {
  if (!(smoothing >= 0 && Number.isFinite(smoothing)))
    throw new ConfigError(`smoothing is ${smoothing}.`, {
      hint: "A number of impressions, 0 or more.",
      details: { path: "smoothing", got: smoothing },
    });
  if (!(Number.isInteger(folds) && folds >= 2))
    throw new ConfigError(`folds is ${folds}.`, { hint: "A whole number of at least 2.", details: { path: "folds", got: folds } });
  const { itemIndex, reward, userIndex, numItems } = log;
  const clusters = userIndex ? clustersOf(userIndex) : undefined;
  const foldOf = Int32Array.from(itemIndex, (_, row) => (clusters ? clusters[row] : row) % folds);
  const sums = new Float64Array(folds * numItems);
  const counts = new Float64Array(folds * numItems);
  for (let row = 0; row < itemIndex.length; row++) {
    sums[foldOf[row] * numItems + itemIndex[row]] += reward[row];
    counts[foldOf[row] * numItems + itemIndex[row]]++;
  }
  const predictions = new Float64Array(folds * numItems);
  for (let fold = 0; fold < folds; fold++) {
    const itemSums = new Float64Array(numItems);
    const itemCounts = new Float64Array(numItems);
    for (let other = 0; other < folds; other++) {
      if (other === fold) continue;
      for (let item = 0; item < numItems; item++) {
        itemSums[item] += sums[other * numItems + item];
        itemCounts[item] += counts[other * numItems + item];
      }
    }
    const count = itemCounts.reduce((a, b) => a + b, 0);
    const mean = count === 0 ? 0 : itemSums.reduce((a, b) => a + b, 0) / count;
    for (let item = 0; item < numItems; item++) {
      const weight = itemCounts[item] + smoothing;
      predictions[fold * numItems + item] = weight === 0 ? mean : (itemSums[item] + smoothing * mean) / weight;
    }
  }
  return { numFolds: folds, foldOf, predictions };
}
