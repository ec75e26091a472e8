/**
 * The object a person works with: a fitted model together with what its users have seen, so that it can
 * answer with lists. The types of the public API; `create-recommender.ts` builds it.
 */

import type { Csr, IdMap } from "../core/interactions.js";
import type { Explanation, FittedModel, Query, RuntimeUse } from "../core/model.js";
import type { ApproximateIndex } from "./approximate.js";

export interface RecommendOptions {
  /** List length, 1 or more. Default 10. The list is shorter when fewer items are allowed. */
  topK?: number;
  /** Leave out items the user has interacted with in training and those in `history`. Default true. */
  excludeSeen?: boolean;
  /** Only these items may appear. */
  include?: ArrayLike<number>;
  /** These items never appear. */
  exclude?: ArrayLike<number>;
  signal?: AbortSignal;
}

/** Best first; equal scores by ascending itemIndex. */
export interface Recommendation {
  itemIndex: Int32Array;
  score: Float32Array;
  /** Model name, or "popularity fallback" when the model knows nothing about the user. */
  source: string;
}

/** `topK` columns per query, row-major; unused places hold itemIndex −1 and score −Infinity. */
export interface RecommendationBatch {
  topK: number;
  itemIndex: Int32Array;
  score: Float32Array;
  /** 1 where the answer is the popularity fallback. */
  fallback: Uint8Array;
}

/** What narrows a list of similar items or users; `include` and `exclude` hold indexes of such rows. */
export type SimilarOptions = Pick<RecommendOptions, "topK" | "include" | "exclude" | "signal">;

/** Most similar first; equal scores by ascending userIndex. */
export interface SimilarUsers {
  userIndex: Int32Array;
  score: Float32Array;
  /** Model name. */
  source: string;
}

/** Why an item has its score in the list of one asker: score = base + Σ contribution. */
export interface ItemExplanation extends Explanation {
  /** Model name, or "popularity fallback": then the score is the item's number of events, all of it base. */
  source: string;
}

export interface Recommender {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly numUsers: number;
  readonly numItems: number;
  readonly users: IdMap;
  readonly items: IdMap;
  readonly fitted: FittedModel;
  /** What trained its networks; absent where it has none. */
  readonly runtime?: RuntimeUse;
  /** User × item matrix of training: what `excludeSeen` leaves out. */
  readonly seen: Csr;
  /** Training events per item: the order of the popularity fallback. */
  readonly popularity: Float32Array;
  recommend(query: Query, options?: RecommendOptions): Promise<Recommendation>;
  /** Queries or user indexes; memory is bounded by the result plus a fixed block. */
  recommendBatch(queries: ArrayLike<number> | readonly Query[], options?: RecommendOptions): Promise<RecommendationBatch>;
  /**
   * Nearest items, by the model's own measure or the cosine of its vectors, without the item itself; none for an item that
   * training never saw. Throws ConfigError when the model knows no item similarity.
   */
  similarItems(itemIndex: number, options?: SimilarOptions): Promise<Recommendation>;
  /** The same for users. */
  similarUsers(userIndex: number, options?: SimilarOptions): Promise<SimilarUsers>;
  /** How much each item of the asker's history adds to the score of one item. Throws ConfigError when the model cannot say. */
  explain(query: Query, itemIndex: number): Promise<ItemExplanation>;
  /** True when the model knows nothing about the asker, so that the answer is the popularity fallback. */
  isCold(query: Query): boolean;
  /** From now on lists of single questions come from this index of the item vectors; undefined: from the exact scan. Throws ConfigError for a model without vectors. */
  setApproximateIndex(index: ApproximateIndex | undefined): void;
  /** Frees kernel memory. The object may still be used: it is built again. */
  dispose(): void;
}
