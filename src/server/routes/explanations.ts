/** GET and POST /v1/explanations: which items of a history give an item its score. */
import type { RecommendService } from "../../service/recommend-service.js";
import { explanationsBody, explanationsQuery, explanationsResponse, problemResponses } from "../schemas.js";
import { type App, clientSignal } from "./context.js";

const common = {
  400: "Something in the request is wrong, or the model cannot explain its scores.",
  404: "There is no such item or model.",
  500: "The server failed.",
};

export function explanationRoutes(app: App, service: RecommendService): void {
  app.get(
    "/v1/explanations",
    {
      schema: {
        tags: ["recommendations"],
        operationId: "getExplanation",
        summary: "Why a user gets an item",
        description: "`explanations` of /v1/models says which models can explain.",
        querystring: explanationsQuery,
        response: { 200: explanationsResponse, ...problemResponses(common) },
      },
    },
    async ({ query, id: requestId }, reply) => ({ ...(await service.explain(query, { signal: clientSignal(reply) })), requestId }),
  );

  app.post(
    "/v1/explanations",
    {
      schema: {
        tags: ["recommendations"],
        operationId: "postExplanation",
        summary: "Why someone with a history gets an item",
        body: explanationsBody,
        response: {
          200: explanationsResponse,
          ...problemResponses({ ...common, 413: "The body is too large.", 415: "The body is not declared as JSON." }),
        },
      },
    },
    async ({ body, id: requestId }, reply) => ({ ...(await service.explain(body, { signal: clientSignal(reply) })), requestId }),
  );
}
