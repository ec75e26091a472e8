/**
 * gini@k = Σ_j (2j − n − 1) x_(j) / (n Σ x), x_(1) ≤ … ≤ x_(n) how often each of the n items is within the first k of a list.
 * 0: all items equally often; (n − 1) / n: always the same one. Undefined when nothing was recommended.
 * Fleder & Hosanagar (2009), Blockbuster culture's next rise or fall.
 */
import type { CatalogueMetric } from "../metric.js";

export const gini: CatalogueMetric = {
  name: "gini",
  title: "Gini index of exposure",
  formula: "Σ (2j − n − 1) x_(j) / (n Σ x)",
  of: "catalogue",
  value(exposure) {
    const n = exposure.length;
    const ascending = exposure.slice().sort();
    let weighted = 0;
    let sum = 0;
    for (let j = 1; j <= n; j++) {
      weighted += (2 * j - n - 1) * ascending[j - 1];
      sum += ascending[j - 1];
    }
    return sum === 0 ? Number.NaN : weighted / (n * sum);
  },
};
