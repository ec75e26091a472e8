/**
 * Headers of every answer: nothing but this origin's own files may run in the page, no answer is cached by default,
 * and none is framed, sniffed or read by other origins.
 */
import type { FastifyReply, FastifyRequest } from "fastify";

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The page of /docs sets inline styles and embeds its icons. */
export const documentationPolicy = contentSecurityPolicy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'");

const headers = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Sets them and the request's id; called before a request is routed to its handler, and for addresses that cannot be routed. */
export function setHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(headers).header("x-request-id", request.id);
}
