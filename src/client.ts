/**
 * `tastemaker/client`: a typed HTTP client for a Tastemaker server, for Node, browsers and edge run times.
 * No dependencies, only `fetch`. Requests and answers are the types of `server/api-types.ts`.
 */
import type {
  ExplanationsRequest,
  ExplanationsResponse,
  ItemsResponse,
  ModelsResponse,
  Problem,
  RecommendationsRequest,
  RecommendationsResponse,
  SimilarUsersResponse,
  UserItemsResponse,
  UsersResponse,
} from "./server/api-types.js";

export type {
  Contribution,
  ExplanationsRequest,
  ExplanationsResponse,
  HistoryEntry,
  Item,
  ItemProperties,
  ItemsResponse,
  Model,
  ModelsResponse,
  Problem,
  RecommendationsRequest,
  RecommendationsResponse,
  RecommendedItem,
  SimilarUsersResponse,
  User,
  UserItem,
  UserItemsResponse,
  UsersResponse,
} from "./server/api-types.js";

export interface ClientOptions {
  /** Where the server is, such as "http://127.0.0.1:8080"; a path before /v1 is kept. */
  baseUrl: string;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>;
  /** Default: the global one. */
  fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  /** Ends the request; the call then throws the signal's reason. */
  signal?: AbortSignal;
}

/** All methods throw ClientError when the server cannot be reached or answers with a problem. */
export interface Client {
  recommend(request: RecommendationsRequest, options?: CallOptions): Promise<RecommendationsResponse>;
  /** `topK` 1 to 1000, default 10. */
  similarItems(itemId: string, request?: { topK?: number; model?: string }, options?: CallOptions): Promise<RecommendationsResponse>;
  /** `topK` 1 to 1000, default 10. */
  similarUsers(userId: string, request?: { topK?: number; model?: string }, options?: CallOptions): Promise<SimilarUsersResponse>;
  /** Which items of the asker's history give an item its score. */
  explain(request: ExplanationsRequest, options?: CallOptions): Promise<ExplanationsResponse>;
  /** `limit` 1 to 100, default 20. */
  searchItems(request?: { q?: string; limit?: number }, options?: CallOptions): Promise<ItemsResponse>;
  /** `limit` 1 to 100, default 20. */
  listUsers(request?: { q?: string; limit?: number }, options?: CallOptions): Promise<UsersResponse>;
  /** What a known user has, largest summed weight first. `limit` 1 to 100, default 20. */
  userItems(userId: string, request?: { limit?: number }, options?: CallOptions): Promise<UserItemsResponse>;
  listModels(options?: CallOptions): Promise<ModelsResponse>;
}

/** What the server said was wrong: `message` says what and where, `hint` how to mend it. */
export class ClientError extends Error {
  /** Stable code, such as E_CONFIG; E_UNAVAILABLE when there was no proper answer. */
  readonly code: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly hint: string | undefined;
  readonly requestId: string | undefined;
  readonly errors: readonly { path: string; message: string }[];

  constructor(message: string, { cause, ...problem }: Partial<Problem> & { cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ClientError";
    this.code = problem.code ?? "E_UNAVAILABLE";
    this.status = problem.status ?? 0;
    this.hint = problem.hint;
    this.requestId = problem.requestId;
    this.errors = problem.errors ?? [];
  }
}

/** A client without state: nothing is opened before the first call. Throws TypeError when `baseUrl` is no URL. */
export function createClient({ baseUrl, headers = {}, fetch = globalThis.fetch }: ClientOptions): Client {
  const base = new URL(baseUrl).href.replace(/\/+$/, "");

  async function call<Answer>(path: string, { body, signal }: { body?: unknown; signal?: AbortSignal }): Promise<Answer> {
    const sent: RequestInit =
      body === undefined
        ? { headers: { accept: "application/json", ...headers } }
        : {
            method: "POST",
            body: JSON.stringify(body),
            headers: { accept: "application/json", "content-type": "application/json", ...headers },
          };
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, { ...sent, signal });
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new ClientError(`The server at ${base} cannot be reached.`, { cause, hint: "Is it running, and is the address right?" });
    }
    const answer = await response.json().catch((cause: unknown) => {
      if (signal?.aborted) throw signal.reason;
      throw new ClientError(`${base}${path} did not answer with JSON (status ${response.status}).`, {
        cause,
        status: response.status,
        hint: "Check that baseUrl leads to a Tastemaker server.",
      });
    });
    if (response.ok) return answer as Answer;
    const problem = answer as Partial<Problem>;
    throw new ClientError(problem.detail ?? `${base}${path} answered with status ${response.status}.`, {
      status: response.status,
      ...problem,
    });
  }

  return {
    recommend: (request, options = {}) => call("/v1/recommendations", { body: request, ...options }),
    similarItems: (itemId, request = {}, options = {}) =>
      call(`/v1/items/${encodeURIComponent(itemId)}/similar${queryOf(request)}`, options),
    similarUsers: (userId, request = {}, options = {}) =>
      call(`/v1/users/${encodeURIComponent(userId)}/similar${queryOf(request)}`, options),
    explain: (request, options = {}) => call("/v1/explanations", { body: request, ...options }),
    searchItems: (request = {}, options = {}) => call(`/v1/items${queryOf(request)}`, options),
    listUsers: (request = {}, options = {}) => call(`/v1/users${queryOf(request)}`, options),
    userItems: (userId, request = {}, options = {}) => call(`/v1/users/${encodeURIComponent(userId)}/items${queryOf(request)}`, options),
    listModels: (options = {}) => call("/v1/models", options),
  };
}

function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
