/**
 * novelty@k = mean over the list of the self-information −log₂ p(i), in bits; p(i) = max(1, #users with i) / #users,
 * over users with at least one event of training. An item nobody had counts as if one user had it. Undefined for an empty list.
 * Zhou et al. (2010), Solving the apparent diversity-accuracy dilemma of recommender systems.
 */
import type { ListMetric } from "../metric.js";
import { needed } from "../metric-context.js";

export const novelty: ListMetric = {
  name: "novelty",
  title: "Novelty",
  formula: "mean −log2(share of users who had the item)",
  of: "list",
  prepare(context, k) {
    const { offsets, indices, numRows } = needed(context, "history", `novelty@${k}`);
    let numUsers = 0;
    for (let u = 0; u < numRows; u++) if (offsets[u + 1] > offsets[u]) numUsers++;
    const usersOf = new Int32Array(context.numItems);
    for (let e = 0; e < offsets[numRows]; e++) usersOf[indices[e]]++;
    const bits = Float64Array.from(usersOf, (users) => Math.log2(Math.max(1, numUsers) / Math.max(1, users)));
    return ({ items }) => {
      let sum = 0;
      for (let r = 0; r < items.length; r++) sum += bits[items[r]];
      return sum / items.length;
    };
  },
};
