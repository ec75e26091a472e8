/** GET /v1/items (search) and GET /v1/items/{id}/similar. */
import type { RecommendService } from "../../service/recommend-service.js";
import { itemParams, itemsQuery, itemsResponse, problemResponses, recommendationsResponse, similarQuery } from "../schemas.js";
import { type App, clientSignal } from "./context.js";

export function itemRoutes(app: App, service: RecommendService): void {
  app.get(
    "/v1/items",
    {
      schema: {
        tags: ["catalogue"],
        operationId: "searchItems",
        summary: "Items by part of an id or property",
        description: "The more popular come first; without `q`, the most popular.",
        querystring: itemsQuery,
        response: { 200: itemsResponse, ...problemResponses({ 400: "Something in the request is wrong." }) },
      },
    },
    ({ query }, reply) => service.searchItems(query, { signal: clientSignal(reply) }),
  );

  app.get(
    "/v1/items/:id/similar",
    {
      schema: {
        tags: ["recommendations"],
        operationId: "getSimilarItems",
        summary: "Items like one item",
        description: "Without `model`, the default model answers, or the first that knows similar items.",
        params: itemParams,
        querystring: similarQuery,
        response: {
          200: recommendationsResponse,
          ...problemResponses({
            400: "Something in the request is wrong, or the model knows no similar items.",
            404: "There is no such item or model.",
            500: "The server failed.",
          }),
        },
      },
    },
    async ({ params, query, id: requestId }, reply) => ({
      ...(await service.similarItems(params.id, query, { signal: clientSignal(reply) })),
      requestId,
    }),
  );
}
