/** GET /v1/models: the loaded models with their metrics. */
import type { RecommendService } from "../../service/recommend-service.js";
import { modelsResponse, noQuery, problemResponses } from "../schemas.js";
import type { App } from "./context.js";

export function modelRoutes(app: App, service: RecommendService): void {
  app.get(
    "/v1/models",
    {
      schema: {
        tags: ["catalogue"],
        operationId: "listModels",
        summary: "Loaded models",
        querystring: noQuery,
        response: { 200: modelsResponse, ...problemResponses({ 400: "Something in the request is wrong." }) },
      },
    },
    async () => service.listModels(),
  );
}
