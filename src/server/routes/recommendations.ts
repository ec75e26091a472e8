/** GET and POST /v1/recommendations: a list for a known user, an unseen one, or a history. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { RecommendRequest, RecommendService } from "../../service/recommend-service.js";
import type { AnswerLog } from "../answer-log.js";
import { problemResponses, recommendationsBody, recommendationsQuery, recommendationsResponse } from "../schemas.js";
import { type App, clientSignal } from "./context.js";

const common = { 400: "Something in the request is wrong.", 404: "There is no such model.", 500: "The server failed." };

export function recommendationRoutes(app: App, service: RecommendService, log?: AnswerLog): void {
  const answer = async (asked: RecommendRequest, { method, id: requestId }: FastifyRequest, reply: FastifyReply) => {
    const given = await service.recommend(asked, { signal: clientSignal(reply) });
    log?.write({ requestId, route: `${method} /v1/recommendations`, asked, answer: given });
    return { ...given, requestId };
  };

  app.get(
    "/v1/recommendations",
    {
      schema: {
        tags: ["recommendations"],
        operationId: "getRecommendations",
        summary: "Recommendations for a user",
        querystring: recommendationsQuery,
        response: { 200: recommendationsResponse, ...problemResponses(common) },
      },
    },
    (request, reply) => answer(request.query, request as FastifyRequest, reply as FastifyReply),
  );

  app.post(
    "/v1/recommendations",
    {
      schema: {
        tags: ["recommendations"],
        operationId: "postRecommendations",
        summary: "Recommendations from a history, with filters",
        description: "An unseen user is folded in from `history`; for a known user, the history is added to the events of training.",
        body: recommendationsBody,
        response: {
          200: recommendationsResponse,
          ...problemResponses({ ...common, 413: "The body is too large.", 415: "The body is not declared as JSON." }),
        },
      },
    },
    (request, reply) => answer(request.body, request as FastifyRequest, reply as FastifyReply),
  );
}
