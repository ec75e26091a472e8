/**
 * What a metric is. One file per metric in metrics/, registered in `metrics.ts`, computed by `evaluate.ts`.
 */

/** One judged list: `gains[r]` is how often the item at place r (0-based) is relevant, 0 when it is not. */
export interface JudgedList {
  /** Length k; places past a short list are 0. */
  gains: ArrayLike<number>;
  /** Distinct relevant items of the query, at least 1. */
  numRelevant: number;
  k: number;
}

interface MetricBase {
  /** Name before the @. */
  name: string;
  title: string;
  formula: string;
}

/** Mean over queries of `value`. */
export interface QueryMetric extends MetricBase {
  of: "query";
  value(list: JudgedList): number;
}

/** A figure of the whole run: how often each item was recommended within the first k. */
export interface CatalogueMetric extends MetricBase {
  of: "catalogue";
  value(exposure: Int32Array): number;
}

export type Metric = QueryMetric | CatalogueMetric;
