/**
 * What goes over the wire, as plain types without imports: the page and `tastemaker/client` share them with the
 * server, whose schemas (`schemas.ts`) are checked against them by the compiler.
 */

export interface HistoryEntry {
  itemId: string;
  /** Finite and ≥ 0. Default 1. */
  weight?: number;
}

/** Body of `POST /v1/recommendations`. */
export interface RecommendationsRequest {
  /** A user's id. One unknown to the model gets a list labelled "popularity fallback", unless there is a history. */
  user?: string;
  /** Events since training, or those of an unseen user; events of the same item are summed. */
  history?: HistoryEntry[];
  /** Ids of the basket in progress, in order: models that know baskets go by it, and none recommends them again. */
  basket?: string[];
  /** 1 to 1000. Default 10. */
  topK?: number;
  /** Leave out the user's items of training and history. Default true. */
  excludeSeen?: boolean;
  /** Only these items may appear. */
  include?: string[];
  /** These items never appear. */
  exclude?: string[];
  /** Default: the server's default model. */
  model?: string;
}

export type ItemProperties = Record<string, string | number | null>;

export interface RecommendedItem {
  itemId: string;
  score: number;
  /** Model name, or "popularity fallback". */
  source: string;
  properties?: ItemProperties;
}

/** Best first. */
export interface RecommendationsResponse {
  items: RecommendedItem[];
  modelVersion: string;
  /** Names this answer in logs and events; also in the header `x-request-id`. */
  requestId: string;
}

/** Most similar first. */
export interface SimilarUsersResponse {
  users: { userId: string; score: number }[];
  modelVersion: string;
  requestId: string;
}

/** Body of `POST /v1/explanations`. */
export interface ExplanationsRequest {
  /** The item asked about. */
  item: string;
  /** A user's id. */
  user?: string;
  /** Events since training, or those of an unseen user; events of the same item are summed. */
  history?: HistoryEntry[];
  /** Most contributions listed, 1 to 100. Default 10. */
  limit?: number;
  /** Default: the server's default model. */
  model?: string;
}

/** An item of the asker's history and what it adds to the score. */
export interface Contribution extends Item {
  contribution: number;
}

/** score = base + sum of the contributions + rest. */
export interface ExplanationsResponse {
  itemId: string;
  score: number;
  /** What does not come from the asker's history: popularity, biases. */
  base: number;
  /** Largest first. */
  contributions: Contribution[];
  /** Of the items of the history that are not listed. */
  rest: number;
  /** Model name, or "popularity fallback": then the score is the item's number of events, all of it base. */
  source: string;
  modelVersion: string;
  requestId: string;
}

export interface Item {
  itemId: string;
  properties?: ItemProperties;
}

export interface ItemsResponse {
  items: Item[];
}

export interface User {
  userId: string;
  /** Distinct items of the user in training. */
  itemsSeen: number;
}

export interface UsersResponse {
  users: User[];
}

/** An item of a user's training events. */
export interface UserItem extends Item {
  /** Summed over the user's events with the item. */
  weight: number;
}

/** Largest weight first. */
export interface UserItemsResponse {
  items: UserItem[];
}

export interface Model {
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
  /** True when its scores are predicted ratings. */
  ratings: boolean;
  numUsers: number;
  numItems: number;
  /** By metric name, such as `ndcg@10`. */
  metrics: Record<string, number>;
  /** ISO 8601. */
  createdAt?: string;
}

export interface ModelsResponse {
  models: Model[];
  /** What applies to a request that does not say `excludeSeen`. */
  excludeSeen: boolean;
}

export interface PageResponse {
  /** Of what is served. */
  title: string;
  /** The page begins with so many search boxes for favourites; null: with the lists of a known user. */
  favourites: number | null;
}

export interface HealthResponse {
  status: "ok" | "ready";
}

/** RFC 9457 problem document (`application/problem+json`): the body of every answer that is not a success. */
export interface Problem {
  /** Stable URN of the kind of problem. */
  type: string;
  title: string;
  status: number;
  /** What is wrong and where. */
  detail: string;
  /** How to mend it. */
  hint?: string;
  /** Stable code, such as E_CONFIG. */
  code: string;
  requestId: string;
  /** Each wrong place of the request. */
  errors?: { path: string; message: string }[];
}
