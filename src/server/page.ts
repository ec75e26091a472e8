/**
 * Serves the built page at `/`. Its hashed assets may be kept by the browser for ever, the page itself never.
 * Without a built page, `/` leads to the API documentation.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";
import { IoError } from "../core/errors.js";

/** dist/ui of this package: two folders up from both src/server and dist/server. */
const builtPage = fileURLToPath(new URL("../../dist/ui", import.meta.url));

/** `folder` defaults to the package's own page; throws IoError when a given one holds no index.html. */
export async function registerPage(app: FastifyInstance, folder: string | undefined): Promise<void> {
  const root = folder ?? builtPage;
  if (!existsSync(join(root, "index.html"))) {
    if (folder !== undefined) throw new IoError(`There is no page in ${folder}.`, { hint: "Build it first: npm run build." });
    app.get("/", { schema: { hide: true } }, (_request, reply) => reply.redirect("/docs"));
    return;
  }
  await app.register(async (page) => {
    page.addHook("onRequest", async (request, reply) => {
      reply.header("cache-control", request.url.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
    });
    await page.register(fastifyStatic, { root, wildcard: false, cacheControl: false });
  });
}
