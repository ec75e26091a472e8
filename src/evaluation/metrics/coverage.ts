/**
 * coverage@k = distinct items recommended within the first k of any list / all items of the catalogue.
 * Herlocker et al. (2004), Evaluating collaborative filtering recommender systems.
 */
import type { CatalogueMetric } from "../metric.js";

export const coverage: CatalogueMetric = {
  name: "coverage",
  title: "Catalogue coverage",
  formula: "distinct recommended items / items",
  of: "catalogue",
  value: (exposure) => exposure.reduce((distinct, count) => distinct + (count > 0 ? 1 : 0), 0) / exposure.length,
};
