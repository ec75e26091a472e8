/** The OpenAPI document describes every route, its parameters resolve, and its page needs nothing from elsewhere. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../src/server/app.js";
import { createServer } from "../../src/server/app.js";
import type { RecommendService } from "../../src/service/recommend-service.js";
import { shopService } from "./shop.js";

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema: Record<string, unknown> }[];
  requestBody?: { content: Record<string, { schema: { properties: Record<string, unknown>; additionalProperties: boolean } }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}
interface OpenApi {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
}

let service: RecommendService;
let server: Server;
let document: OpenApi;

beforeAll(async () => {
  service = await shopService();
  server = await createServer({ service, title: "Corner shop" });
  document = (await server.app.inject("/openapi.json")).json();
});
afterAll(async () => {
  await server.close();
  service.dispose();
});

test("lists exactly the routes of the API", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(document.info.title).toBe("Corner shop");
  expect(document.info.version).toMatch(/^\d+\.\d+\.\d+/);
  const operations = Object.entries(document.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`));
  expect(operations.sort()).toEqual([
    "get /healthz",
    "get /readyz",
    "get /v1/explanations",
    "get /v1/items",
    "get /v1/items/{id}/similar",
    "get /v1/models",
    "get /v1/page",
    "get /v1/recommendations",
    "get /v1/users",
    "get /v1/users/{id}/items",
    "get /v1/users/{id}/similar",
    "post /v1/explanations",
    "post /v1/recommendations",
  ]);
});

test("is sound: distinct operations, described answers, declared path parameters, no dangling references", () => {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.values(item).map((operation) => ({ path, operation })),
  );
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  for (const { path, operation } of operations) {
    expect(operation.responses["200"].content?.["application/json"].schema).toHaveProperty("properties");
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      expect(description).not.toMatch(/^$|Default Response/);
      if (status !== "200") expect(Object.keys(content ?? {})).toEqual(["application/problem+json"]);
    }
    const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === "path").map(({ name }) => name);
    expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
  }
  expect(JSON.stringify(document)).not.toContain('"$ref"');
  expect(JSON.stringify(document)).not.toContain("PLACEHOLDER");
});

test("gives numbers in query strings as numbers, with their range and default", () => {
  const topK = document.paths["/v1/recommendations"].get.parameters?.find(({ name }) => name === "topK");
  expect(topK).toMatchObject({ in: "query", schema: { type: "integer", minimum: 1, maximum: 1000, default: 10 } });
  expect(topK?.required ?? false).toBe(false);
});

test("describes the body strictly", () => {
  const schema = document.paths["/v1/recommendations"].post.requestBody?.content["application/json"].schema;
  expect(Object.keys(schema?.properties ?? {})).toEqual([
    "user",
    "history",
    "basket",
    "topK",
    "excludeSeen",
    "include",
    "exclude",
    "model",
  ]);
  expect(schema?.additionalProperties).toBe(false);
});

test("its page loads only the server's own files", async () => {
  const page = await server.app.inject("/docs");
  expect(page.statusCode).toBe(200);
  const files = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) expect((await server.app.inject(new URL(file, "http://x/docs").pathname)).statusCode).toBe(200);
  expect((await server.app.inject("/docs/json")).json()).toEqual(document);
});
