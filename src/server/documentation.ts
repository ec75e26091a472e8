/**
 * The OpenAPI 3.1 document of all routes at /openapi.json, and a page to read and try it at /docs
 * (assets come from the package; nothing is loaded from elsewhere). Register before the routes.
 */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import { z } from "zod";
import { documentationPolicy } from "./security-headers.js";

export async function registerDocumentation(
  app: FastifyInstance,
  { title, version, hasDeclared }: { title: string; version: string; hasDeclared: boolean },
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title,
        version,
        description:
          "Recommendations from trained models. Whatever goes wrong is answered by a problem document (RFC 9457) " +
          "with a stable `code`, a `detail` that says what and where, and a `hint` that says how to mend it.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/" }],
      tags: [
        { name: "recommendations", description: "Lists for users, baskets and items." },
        { name: "catalogue", description: "What the server knows: items, users, models." },
        { name: "health", description: "For load balancers." },
        ...(hasDeclared ? [{ name: "recipe", description: "In the shapes that the recipe declares." }] : []),
      ],
    },
    transform: createJsonSchemaTransform({ zodToJsonConfig: { override: keepDefault } }),
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: documentationPolicy,
    theme: {
      title: `${title} API`,
      css: [{ filename: "theme.css", content: ".swagger-ui .topbar { display: none; }" }],
    },
    uiConfig: { validatorUrl: null, docExpansion: "list", tryItOutEnabled: true },
  });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
}

/** zod drops the default of a query parameter, because its text is turned into a number. */
function keepDefault({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const value = z.globalRegistry.get(zodSchema)?.default;
  if (value !== undefined) jsonSchema.default = value;
}
