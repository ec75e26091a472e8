/**
 * Assembles the HTTP server: routes over a RecommendService, OpenAPI document, page, problem documents and headers.
 * Called by `tastemaker serve` and by tests; it owns no model, so closing it leaves the service as it is.
 */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import Fastify from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { TastemakerError } from "../core/errors.js";
import type { Page, Route } from "../service/recipe/route-schema.js";
import type { RecommendService } from "../service/recommend-service.js";
import { createAnswerLog } from "./answer-log.js";
import { registerDocumentation } from "./documentation.js";
import { listen } from "./listen.js";
import { registerPage } from "./page.js";
import { bodyLimitBytes, malformedRequestAnswer, methodNotAllowed, registerProblems, sendProblem } from "./problems.js";
import type { App } from "./routes/context.js";
import { declaredRoutes } from "./routes/declared.js";
import { explanationRoutes } from "./routes/explanations.js";
import { healthRoutes } from "./routes/health.js";
import { itemRoutes } from "./routes/items.js";
import { modelRoutes } from "./routes/models.js";
import { pageRoute } from "./routes/page.js";
import { recommendationRoutes } from "./routes/recommendations.js";
import { userRoutes } from "./routes/users.js";
import { setHeaders } from "./security-headers.js";
import { validatorCompiler } from "./validation.js";

export interface ServerOptions {
  service: RecommendService;
  /** Default 127.0.0.1: this machine only. */
  host?: string;
  /** 0 = any free port. Default 8080. */
  port?: number;
  /** One line per request, as JSON, to stderr. Default false: failures only. */
  logger?: boolean;
  /** Folder of the built page. Default: the package's own dist/ui, when it is built. */
  uiFolder?: string;
  /** Name in the API documentation. Default "Tastemaker". */
  title?: string;
  /** Routes in the shapes of other systems, as a recipe declares them (checked). Default: none. */
  routes?: readonly Route[];
  /** Every recommendation is appended to this file, one JSON object a line. Default: none is kept. */
  logFile?: string;
  /** What the page begins with. Default: lists of a known user. */
  page?: Page;
}

export interface Server {
  /** Opens the port; throws IoError when it cannot be had. */
  listen(): Promise<{ url: string }>;
  /** Takes no more requests, lets those in progress finish for up to five seconds, and ends. May be called twice. */
  close(): Promise<void>;
  /** The Fastify instance, ready for `inject`. */
  app: App;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const graceMs = 5000;

/** Throws IoError when `uiFolder` holds no page or `logFile` cannot be written. Nothing listens before `listen()`. */
export async function createServer({
  service,
  host = "127.0.0.1",
  port = 8080,
  logger = false,
  uiFolder,
  title = "Tastemaker",
  routes: declared = [],
  logFile,
  page,
}: ServerOptions): Promise<Server> {
  const app: App = Fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: 30_000,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 4096 },
    logger: { level: logger ? "info" : "error", stream: process.stderr },
    genReqId: ({ headers }) => saneRequestId(headers["x-request-id"]) ?? crypto.randomUUID(),
    frameworkErrors(error, request, reply) {
      setHeaders(request, reply); // hooks do not run for these
      sendProblem(error, request, reply);
    },
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === "ECONNRESET" || socket.destroyed) return;
      if (socket.writable) socket.end(malformedRequestAnswer(error.code));
      else socket.destroy();
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeContentTypeParser("text/plain");

  let closing: Promise<void> | undefined;
  const routes = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method, schema }) => {
    if (schema?.hide && url !== "/openapi.json") return;
    routes.set(url, new Set([...(routes.get(url) ?? []), ...[method].flat()]));
  });
  app.addHook("onRequest", async (request, reply) => {
    setHeaders(request, reply);
  });
  app.addHook("onSend", async (_request, reply) => {
    if (closing) reply.header("connection", "close"); // else a kept-alive connection would hold up the end
  });
  const log =
    logFile === undefined
      ? undefined
      : createAnswerLog(logFile, (error) => app.log.error({ err: error }, "a recommendation was not logged"));
  if (log) {
    app.addHook("onReady", () => log.open());
    app.addHook("onClose", () => log.close());
  }
  registerProblems(app, () => [...routes.keys()]);
  await registerDocumentation(app, { title, version: packageVersion(), hasDeclared: declared.length > 0 });
  const checkReady = () => refuseWhen(closing !== undefined);
  healthRoutes(app, checkReady);
  declaredRoutes(app, service, { routes: declared, log, checkReady });
  recommendationRoutes(app, service, log);
  explanationRoutes(app, service);
  itemRoutes(app, service);
  userRoutes(app, service);
  modelRoutes(app, service);
  pageRoute(app, { title, favourites: page?.favourites ?? null });
  for (const [url, allowed] of routes) {
    const refuse = methodNotAllowed([...allowed]);
    app.route({
      url,
      method: methods.filter((method) => !allowed.has(method)),
      schema: { hide: true },
      onRequest: async (request, reply) => refuse(request, reply), // before the body is looked at
      handler: refuse,
    });
  }
  await registerPage(app, uiFolder);
  await app.ready();

  return {
    app,
    listen: () => listen(app, { host, port }),
    close() {
      closing ??= (async () => {
        const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
        await app.close().finally(() => clearTimeout(cut));
      })();
      return closing;
    },
  };
}

/** Throws what a server answers that takes no more requests. */
function refuseWhen(closing: boolean): void {
  if (closing) throw new TastemakerError("E_UNAVAILABLE", "The server is closing.", { hint: "Ask again in a few seconds." });
}

/** A caller's own request id, when it is short and plain enough to be echoed. */
function saneRequestId(given: string | string[] | undefined): string | undefined {
  return typeof given === "string" && /^[\w.:-]{1,128}$/.test(given) ? given : undefined;
}

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}
