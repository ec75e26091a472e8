/**
 * Serves the models of a run until Ctrl-C. The port is tried before anything is trained, so that nobody waits
 * minutes for "port in use".
 */
import { createServer as createSocket } from "node:net";
import { resolve as resolvePath } from "node:path";
import { createServer } from "../server/app.js";
import { explain } from "../server/listen.js";
import { type RecipeRun, serveRun } from "../service/run.js";
import type { CliContext } from "./context.js";
import { indexNote } from "./index-note.js";
import { skippedNote } from "./skipped-note.js";

export interface Address {
  host: string;
  port: number;
}

/** Throws what the server would throw if the port cannot be had. */
export async function checkAddress({ host, port }: Address): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = createSocket();
    socket.once("error", (error) => reject(explain(error, { host, port })));
    socket.listen({ host, port }, () => socket.close(() => resolve()));
  });
}

export interface ServeOptions extends Address {
  json?: boolean;
  defaultModel?: string;
  threads?: number;
}

/** Says what to open and how to ask, and returns when the signal is aborted. */
export async function serveUntilInterrupted(
  run: Pick<RecipeRun, "result" | "workspace">,
  { host, port, json, defaultModel, threads }: ServeOptions,
  context: CliContext,
): Promise<void> {
  const { title, serving } = run.result;
  const service = await serveRun(run, {
    ...{ defaultModel, threads, signal: context.signal, onProgress: context.onProgress },
    onSkipped: skippedNote(context),
    approximate: true,
    onIndex: (label, report) => context.note(indexNote(label, report)),
  });
  const routes = serving?.routes ?? [];
  const logFile = serving?.log === undefined ? undefined : resolvePath(run.workspace.folder, serving.log);
  const server = await createServer({ service, host, port, title, routes, logFile, page: serving?.page });
  try {
    const { url } = await server.listen();
    const [known] = (await service.listUsers({ limit: 1 })).users;
    const query = `${url}/v1/recommendations?user=${encodeURIComponent(known?.userId ?? "anyone")}&topK=10`;
    if (json) context.print(JSON.stringify({ url, example: query }));
    else {
      context.print(`\nServing ${title}. Open ${url}/ in a browser (API: ${url}/docs), or ask:`);
      context.print(`  curl "${query}"`);
      if (routes.length > 0) context.print(`Routes of the recipe: ${routes.map(({ method, path }) => `${method} ${path}`).join(", ")}`);
      if (logFile !== undefined) context.print(`Recommendations are logged in ${logFile}`);
      context.print("Ctrl-C stops.");
    }
    if (!context.signal.aborted)
      await new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve(), { once: true }));
    context.note("Stopping …");
  } finally {
    await server.close();
    service.dispose();
  }
}
