/**
 * What a metric is. One file per metric in metrics/, registered in `metrics.ts`; `judge.ts` computes those of lists,
 * `ratings.ts` those of predicted values.
 */
import type { Query } from "../core/model.js";
import type { MetricContext } from "./metric-context.js";

/** One judged list: `gains[r]` is how often the item at place r (0-based) is relevant, 0 when it is not. */
export interface JudgedList {
  /** May be shorter or longer than k: missing places count as 0, those from k on are not looked at. */
  gains: ArrayLike<number>;
  /** Distinct relevant items of the query, at least 1. */
  numRelevant: number;
  k: number;
}

/** A judged list with its items. */
export interface ShownList extends JudgedList {
  query: Query;
  /** As recommended, at most k; shorter when fewer items are allowed. */
  items: Int32Array;
  /** The item at each place of `gains`: as recommended but for relevant items, which stand behind others of equal score; −1 past the end. */
  ranked: Int32Array;
}

/** All items that may be recommended to a query, best first. */
export interface WholeRanking {
  items: Int32Array;
  scores: Float32Array;
  /** By item: how often it is relevant. */
  gainOf: ArrayLike<number>;
  /** Distinct relevant items, listed or not. */
  numRelevant: number;
}

interface MetricBase {
  /** Name before the @. */
  name: string;
  title: string;
  formula: string;
}

/** Accuracy of a list; mean over queries of `value`. */
export interface QueryMetric extends MetricBase {
  of: "query";
  value(list: JudgedList): number;
}

/** A property of a list's items; mean over the queries for which it is defined (NaN where it is not). */
export interface ListMetric extends MetricBase {
  of: "list";
  /** The part of the context that not every model fills. */
  needs?: "categories" | "itemVectors";
  /** Called once before judging; throws ConfigError when the context lacks what the metric needs. */
  prepare(context: MetricContext, k: number): (list: ShownList) => number;
}

/** A figure of the whole ranking, so without k; mean over the queries for which it is defined. */
export interface RankingMetric extends MetricBase {
  of: "ranking";
  value(ranking: WholeRanking): number;
}

/** A figure of the whole run: how often each item was recommended within the first k. */
export interface CatalogueMetric extends MetricBase {
  of: "catalogue";
  value(exposure: Int32Array): number;
}

/** Predicted against true values; `root` takes the square root of the mean loss. Without k. */
export interface RatingMetric extends MetricBase {
  of: "rating";
  /** Which events it is about. Default: those held out. */
  on?: "train" | "test";
  loss(prediction: number, truth: number): number;
  root: boolean;
}

export type Metric = QueryMetric | ListMetric | RankingMetric | CatalogueMetric | RatingMetric;
