/** What the use case "recommend" takes and answers: recommend.ts answers, the server and the command line ask. */
import type { Recommender } from "../ranking/recommender.js";
import type { Asker } from "./asker.js";
import type { ExplainAnswer, ExplainRequest } from "./explain.js";

export interface LoadedModel {
  /** How requests name the model; distinct among the loaded ones. */
  name: string;
  /** Named in every answer as `modelVersion`. */
  version: string;
  model: Recommender;
  metrics?: Record<string, number>;
  /** ISO 8601. */
  createdAt?: string;
}

export type ItemProperties = Record<string, string | number | null>;

/** A user unknown to the model and without history gets a list labelled "popularity fallback". */
export interface RecommendRequest extends Asker {
  /** 1 to 1000. Default 10. The list is shorter when fewer items are allowed. */
  topK?: number;
  /** Leave out the user's items of training and history. Default true. */
  excludeSeen?: boolean;
  /** Only these items may appear. */
  include?: readonly string[];
  /** These items never appear. */
  exclude?: readonly string[];
  /** Name of a loaded model. Default: the default model. */
  model?: string;
  /** Refuse a history that names an item twice. Default false: its events are summed. */
  distinctHistory?: boolean;
  /** What a user unknown to the model gets who brings no history: that list (default), an empty one, or a NotFoundError. */
  unknownUser?: "popular" | "empty" | "not-found";
}

export interface RecommendedItem {
  itemId: string;
  score: number;
  /** Model name, or "popularity fallback". */
  source: string;
  /** Absent when nothing is known about any item. */
  properties?: ItemProperties;
}

/** Best first. */
export interface RecommendAnswer {
  items: RecommendedItem[];
  modelVersion: string;
}

/** Most similar first. */
export interface SimilarUsersAnswer {
  users: { userId: string; score: number }[];
  modelVersion: string;
}

export interface ModelSummary {
  name: string;
  version: string;
  /** True for the model that answers when a request names none. */
  default: boolean;
  /** True when it knows similar items. */
  similarItems: boolean;
  /** True when it knows similar users. */
  similarUsers: boolean;
  /** True when it can say why an item has its score. */
  explanations: boolean;
  /** True when its scores are predicted ratings (weights of events). */
  ratings: boolean;
  numUsers: number;
  numItems: number;
  metrics: Record<string, number>;
  createdAt?: string;
}

export interface CallOptions {
  /** Stops the work; the call then throws CancelledError. */
  signal?: AbortSignal;
}

export interface RecommendOptions extends CallOptions {
  /** What errors call the fields of the request. Default: their own names. */
  names?: Partial<Record<"user" | "history" | "basket" | "include" | "exclude", string>>;
}

/**
 * All methods throw ConfigError for arguments out of range or unknown item ids in lists, and NotFoundError for an
 * unknown model or, where one is asked about, item or user.
 */
export interface RecommendService {
  recommend(request: RecommendRequest, options?: RecommendOptions): Promise<RecommendAnswer>;
  /** Nearest items first. Without `model`, the default model answers, or the first that knows similar items. */
  similarItems(itemId: string, request?: { topK?: number; model?: string }, options?: CallOptions): Promise<RecommendAnswer>;
  /** Nearest users first. Without `model`, the default model answers, or the first that knows similar users. */
  similarUsers(userId: string, request?: { topK?: number; model?: string }, options?: CallOptions): Promise<SimilarUsersAnswer>;
  /** Why an item has its score in the list of one asker. Throws ConfigError when the model cannot say. */
  explain(request: ExplainRequest, options?: CallOptions): Promise<ExplainAnswer>;
  /** Items whose id or text properties contain `q` (case ignored), the more popular first. `limit` 1 to 100, default 20. */
  searchItems(
    request?: { q?: string; limit?: number },
    options?: CallOptions,
  ): Promise<{ items: { itemId: string; properties?: ItemProperties }[] }>;
  /** Users whose id contains `q`, those with training events first. `limit` 1 to 100, default 20. */
  listUsers(
    request?: { q?: string; limit?: number },
    options?: CallOptions,
  ): Promise<{ users: { userId: string /** Distinct items of the user in training. */; itemsSeen: number }[] }>;
  /** A user's items of training, largest summed weight first. `limit` 1 to 100, default 20. Throws NotFoundError for an unknown user. */
  userItems(
    userId: string,
    request?: { limit?: number },
    options?: CallOptions,
  ): Promise<{ items: { itemId: string; weight: number; properties?: ItemProperties }[] }>;
  listModels(): { models: ModelSummary[] /** What applies to a request that does not say. */; excludeSeen: boolean };
  /** Frees the models' kernel memory. */
  dispose(): void;
}

export interface RecommendServiceOptions {
  /** At least one. */
  models: readonly LoadedModel[];
  /** Name of the model that answers when a request names none. Default: the first. */
  defaultModel?: string;
  /** By itemIndex of the default model. */
  itemProperties?: Record<string, readonly (string | number | null)[]>;
  /** Name of the item property that lists further ids of an item, separated by blanks. */
  aliases?: string;
  /** Whether requests that do not say leave out what the user already has. Default true; false where things are bought again. */
  excludeSeen?: boolean;
}
