/**
 * Every error becomes a problem document (RFC 9457, `application/problem+json`) by the table of `core/errors.ts`.
 * What failed inside is logged under the request's id and told in general words only: no stack, no path leaves the server.
 */
import { STATUS_CODES } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type ErrorCode, errorTable, TastemakerError } from "../core/errors.js";
import { nearestNames } from "../core/nearest-names.js";
import type { Problem } from "./api-types.js";

/** The largest body that is read. */
export const bodyLimitBytes = 1024 * 1024;

interface Fault {
  code: ErrorCode;
  detail: string;
  hint?: string;
  /** Default: that of the code. */
  status?: number;
  errors?: Problem["errors"];
}

/** Answers errors thrown anywhere in a request, and requests for which there is no route. */
export function registerProblems(app: FastifyInstance, paths: () => string[]): void {
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request);
    const near = nearestNames(path, paths());
    return send(
      { code: "E_NOT_FOUND", detail: `There is no ${path}.`, hint: near.length > 0 ? `Did you mean ${near.join(", ")}?` : "See /docs." },
      request,
      reply,
    );
  });
}

/** For routes that exist under other methods. */
export function methodNotAllowed(allowed: readonly string[]) {
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    reply.header("allow", allowed.join(", "));
    const detail = `${pathOf(request)} does not answer ${request.method}.`;
    return send({ code: "E_CONFIG", status: 405, detail, hint: `Use ${allowed.join(" or ")}.` }, request, reply);
  };
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = faultOf(error);
  if ((fault.status ?? errorTable[fault.code].status) >= 500 && fault.code !== "E_UNAVAILABLE")
    request.log.error({ err: error }, "a request failed");
  return send(fault, request, reply);
}

/** The raw answer to bytes that are no HTTP request; called with the bare socket. */
export function malformedRequestAnswer(code: string | undefined): string {
  const status = code === "HPE_HEADER_OVERFLOW" ? 431 : code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const body = JSON.stringify({
    type: "urn:tastemaker:problem:E_CONFIG",
    title: STATUS_CODES[status],
    status,
    detail: status === 431 ? "The address or the headers are too long." : "This is not a complete HTTP request.",
    hint: status === 431 ? "Send long lists in the body: POST /v1/recommendations." : "Check the client or the proxy before the server.",
    code: "E_CONFIG",
    requestId: crypto.randomUUID(),
  });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\n`;
  return `${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}

function send({ code, detail, hint, status = errorTable[code].status, errors }: Fault, request: FastifyRequest, reply: FastifyReply) {
  const title = status === errorTable[code].status ? errorTable[code].title : (STATUS_CODES[status] ?? errorTable[code].title);
  const problem: Problem = { type: `urn:tastemaker:problem:${code}`, title, status, detail, hint, code, requestId: request.id, errors };
  return reply
    .code(status)
    .type("application/problem+json")
    .serializer((body: Problem) => JSON.stringify(body))
    .send(problem);
}

function faultOf(error: unknown): Fault {
  if (error instanceof TastemakerError) {
    const { code, hint } = error;
    if (errorTable[code].status >= 500 && code !== "E_UNAVAILABLE") return internal(code);
    const { errors, path, search } = error.details as { errors?: Problem["errors"]; path?: string; search?: string };
    const advice = search === undefined ? hint : `${hint} GET /v1/${search}?q=… searches them.`;
    return { code, detail: error.message, hint: advice, errors: errors ?? (path ? [{ path, message: error.message }] : undefined) };
  }
  const { code, statusCode = 500 } = error as { code?: string; statusCode?: number };
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return {
        code: "E_TOO_LARGE",
        detail: `The body is larger than ${bodyLimitBytes} bytes.`,
        hint: "Send a shorter history, include or exclude list.",
      };
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return {
        code: "E_CONFIG",
        status: 415,
        detail: "The body is not declared as JSON.",
        hint: "Send the header content-type: application/json.",
      };
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return { code: "E_CONFIG", detail: "The body is empty.", hint: 'Send a JSON object, such as {"topK": 10}.' };
    case "FST_ERR_CTP_INVALID_JSON_BODY":
      return { code: "E_CONFIG", detail: "The body is not valid JSON.", hint: "Check quotes, commas and brackets." };
    case "FST_ERR_BAD_URL":
      return { code: "E_CONFIG", detail: "The address is not properly encoded.", hint: "Encode ids with encodeURIComponent." };
    case "FST_ERR_MAX_PARAM_LENGTH":
      return { code: "E_CONFIG", status: 414, detail: "The id in the address is too long.", hint: "Check the id." };
    default:
      if (statusCode >= 400 && statusCode < 500)
        return { code: "E_CONFIG", status: statusCode, detail: STATUS_CODES[statusCode] ?? "The request is wrong.", hint: "See /docs." };
      return internal("E_INTERNAL");
  }
}

/** Codes of the inside stay visible, their words do not. */
function internal(code: ErrorCode): Fault {
  return {
    code,
    detail: "The server failed while answering.",
    hint: "Its log has the cause under this requestId.",
  };
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0].slice(0, 200);
}
