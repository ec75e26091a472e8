/** GET /v1/page: what the web page is told of what it shows. */
import type { PageResponse } from "../api-types.js";
import { noQuery, pageResponse, problemResponses } from "../schemas.js";
import type { App } from "./context.js";

export function pageRoute(app: App, about: PageResponse): void {
  app.get(
    "/v1/page",
    {
      schema: {
        tags: ["catalogue"],
        operationId: "getPage",
        summary: "What the web page begins with",
        querystring: noQuery,
        response: { 200: pageResponse, ...problemResponses({ 400: "Something in the request is wrong." }) },
      },
    },
    async () => about,
  );
}
