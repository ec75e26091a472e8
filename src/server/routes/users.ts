/** GET /v1/users (users that the default model knows), /v1/users/{id}/items (what one of them has) and /v1/users/{id}/similar. */
import type { RecommendService } from "../../service/recommend-service.js";
import {
  problemResponses,
  similarQuery,
  similarUsersResponse,
  userItemsQuery,
  userItemsResponse,
  userParams,
  usersQuery,
  usersResponse,
} from "../schemas.js";
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

  app.get(
    "/v1/users/:id/items",
    {
      schema: {
        tags: ["catalogue"],
        operationId: "getUserItems",
        summary: "A user's items of training",
        params: userParams,
        querystring: userItemsQuery,
        response: {
          200: userItemsResponse,
          ...problemResponses({ 400: "Something in the request is wrong.", 404: "There is no such user." }),
        },
      },
    },
    ({ params, query }, reply) => service.userItems(params.id, query, { signal: clientSignal(reply) }),
  );

  app.get(
    "/v1/users/:id/similar",
    {
      schema: {
        tags: ["recommendations"],
        operationId: "getSimilarUsers",
        summary: "Users like one user",
        description: "Without `model`, the default model answers, or the first that knows similar users.",
        params: userParams,
        querystring: similarQuery,
        response: {
          200: similarUsersResponse,
          ...problemResponses({
            400: "Something in the request is wrong, or the model knows no similar users.",
            404: "There is no such user or model.",
            500: "The server failed.",
          }),
        },
      },
    },
    async ({ params, query, id: requestId }, reply) => ({
      ...(await service.similarUsers(params.id, query, { signal: clientSignal(reply) })),
      requestId,
    }),
  );
}
