/** GET /healthz (the process answers) and GET /readyz (it takes requests; 503 while it is closing). */
import { healthResponse, problemResponses } from "../schemas.js";
import type { App } from "./context.js";

export function healthRoutes(app: App, checkReady: () => void): void {
  app.get(
    "/healthz",
    { schema: { tags: ["health"], operationId: "getHealth", summary: "Is the process alive?", response: { 200: healthResponse } } },
    async () => ({ status: "ok" as const }),
  );
  app.get(
    "/readyz",
    {
      schema: {
        tags: ["health"],
        operationId: "getReadiness",
        summary: "Does it take requests?",
        response: { 200: healthResponse, ...problemResponses({ 503: "The server is closing." }) },
      },
    },
    async () => {
      checkReady();
      return { status: "ready" as const };
    },
  );
}
