/**
 * The page's requests to its server, typed by the server's own types. Addresses are relative to the page,
 * so it works behind any path prefix. Every failure is a ProblemError with detail and hint.
 */
import type {
  ExplanationsRequest,
  ExplanationsResponse,
  ItemsResponse,
  ModelsResponse,
  PageResponse,
  Problem,
  RecommendationsRequest,
  RecommendationsResponse,
  UserItemsResponse,
  UsersResponse,
} from "../../src/server/api-types.js";

export class ProblemError extends Error {
  /** 0 when there was no answer. */
  readonly status: number;
  readonly hint: string | undefined;
  readonly requestId: string | undefined;

  constructor(detail: string, problem: Partial<Problem> = {}) {
    super(detail);
    this.name = "ProblemError";
    this.status = problem.status ?? 0;
    this.hint = problem.hint;
    this.requestId = problem.requestId;
  }
}

/** A request as it goes over the wire; also what the curl line shows. */
export interface ApiRequest {
  path: string;
  body?: unknown;
}

export function recommendationsRequest({ user, history, ...rest }: RecommendationsRequest): ApiRequest {
  if (history) return { path: "v1/recommendations", body: { user, history, ...rest } };
  const { topK, excludeSeen, model } = rest;
  return { path: `v1/recommendations${queryOf({ user, topK, excludeSeen, model })}` };
}

export function similarRequest(itemId: string, options: { topK?: number; model?: string }): ApiRequest {
  return { path: `v1/items/${encodeURIComponent(itemId)}/similar${queryOf(options)}` };
}

/** Asks for the five items of the history that add most. */
export function explanationRequest({ item, user, history, model }: ExplanationsRequest): ApiRequest {
  if (history) return { path: "v1/explanations", body: { item, history, model, limit: 5 } };
  return { path: `v1/explanations${queryOf({ item, user, model, limit: 5 })}` };
}

export const api = {
  explanation: (request: ApiRequest, signal: AbortSignal) => call<ExplanationsResponse>(request, signal),
  lists: (request: ApiRequest, signal: AbortSignal) => call<RecommendationsResponse>(request, signal),
  items: (q: string, signal: AbortSignal) => call<ItemsResponse>({ path: `v1/items${queryOf({ q, limit: 30 })}` }, signal),
  users: (q: string, signal: AbortSignal) => call<UsersResponse>({ path: `v1/users${queryOf({ q, limit: 30 })}` }, signal),
  userItems: (userId: string, signal: AbortSignal) =>
    call<UserItemsResponse>({ path: `v1/users/${encodeURIComponent(userId)}/items?limit=100` }, signal),
  page: (signal: AbortSignal) => call<PageResponse>({ path: "v1/page" }, signal),
  models: (signal: AbortSignal) => call<ModelsResponse>({ path: "v1/models" }, signal),
};

/** The request as a line for a POSIX shell. */
export function curlLine({ path, body }: ApiRequest): string {
  const address = shellQuoted(new URL(path, document.baseURI).href);
  if (body === undefined) return `curl ${address}`;
  return `curl ${address} -H 'content-type: application/json' -d ${shellQuoted(JSON.stringify(body))}`;
}

async function call<Answer>({ path, body }: ApiRequest, signal: AbortSignal): Promise<Answer> {
  const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  let response: Response;
  try {
    response = await fetch(path, body === undefined ? { signal } : { ...post, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ProblemError("The server does not answer.", { hint: "Is it still running? Start it again with npm start." });
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer as Answer;
  const problem = (answer ?? {}) as Partial<Problem>;
  throw new ProblemError(problem.detail ?? `The server answered with status ${response.status}.`, { ...problem, status: response.status });
}

function queryOf(values: Record<string, string | number | boolean | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
