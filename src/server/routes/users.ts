/** GET /v1/users: users that the default model knows. */
import type { RecommendService } from "../../service/recommend.js";
import { problemResponses, usersQuery, usersResponse } from "../schemas.js";
import { type App, clientSignal } from "./context.js";

export function userRoutes(app: App, service: RecommendService): void {
  app.get(
    "/v1/users",
    {
      schema: {
        tags: ["catalogue"],
        operationId: "listUsers",
        summary: "Known users",
        querystring: usersQuery,
        response: { 200: usersResponse, ...problemResponses({ 400: "Something in the request is wrong." }) },
      },
    },
    ({ query }, reply) => service.listUsers(query, { signal: clientSignal(reply) }),
  );
}
