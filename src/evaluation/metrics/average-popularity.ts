/**
 * average-popularity@k = mean over the list of the items' training events. Undefined for an empty list.
 * Yin et al. (2012), Challenging the long tail recommendation; ARP in Abdollahpouri, Burke & Mobasher (2019).
 */
import type { ListMetric } from "../metric.js";
import { needed } from "../metric-context.js";

export const averagePopularity: ListMetric = {
  name: "average-popularity",
  title: "Average popularity",
  formula: "mean training events of the listed items",
  of: "list",
  prepare(context, k) {
    const popularity = needed(context, "popularity", `average-popularity@${k}`);
    return ({ items }) => {
      let sum = 0;
      for (let r = 0; r < items.length; r++) sum += popularity[items[r]];
      return sum / items.length;
    };
  },
};
