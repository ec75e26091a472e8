/** `tastemaker/client` against a listening server: every method, every kind of failure, and no dependency. */
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientError, createClient } from "../../src/client.js";
import type { Server } from "../../src/server/app.js";
import type { RecommendService } from "../../src/service/recommend-service.js";
import { itemIds, openShop, shopService, userIds } from "./shop.js";

let service: RecommendService;
let server: Server;
let url: string;

beforeAll(async () => {
  service = await shopService();
  ({ server, url } = await openShop(service));
});
afterAll(async () => {
  await server.close();
  service.dispose();
});

test("round trips", async () => {
  const client = createClient({ baseUrl: `${url}/` });
  const known = await client.recommend({ user: userIds[1], topK: 3 });
  expect(known).toMatchObject({ ...(await service.recommend({ user: userIds[1], topK: 3 })), requestId: known.requestId });
  const unseen = await client.recommend({ history: [{ itemId: itemIds[4], weight: 2 }], exclude: [itemIds[0]], excludeSeen: false });
  expect(unseen.items).toEqual(
    (await service.recommend({ history: [{ itemId: itemIds[4], weight: 2 }], exclude: [itemIds[0]], excludeSeen: false })).items,
  );
  for (const id of itemIds) expect((await client.similarItems(id, { topK: 2, model: "als" })).items.length).toBeLessThanOrEqual(2);
  expect(await client.searchItems({ q: "a?b&c=d#e" })).toEqual({ items: [expect.objectContaining({ itemId: "a?b&c=d#e" })] });
  expect((await client.listUsers({ q: userIds[3] })).users).toEqual([{ userId: userIds[3], itemsSeen: 5 }]);
  for (const id of userIds) expect(await client.userItems(id, { limit: 3 })).toEqual(await service.userItems(id, { limit: 3 }));
  expect(await client.listModels()).toEqual(service.listModels());
});

test("a problem becomes a ClientError with code, status and hint", async () => {
  const client = createClient({ baseUrl: url, headers: { "x-request-id": "my-7" } });
  const error = await client.recommend({ user: "anna", topK: 0 }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ClientError);
  expect(error).toMatchObject({ code: "E_CONFIG", status: 400, requestId: "my-7", errors: [{ path: "topK" }] });
  await expect(client.similarItems("mug-lit")).rejects.toMatchObject({
    code: "E_NOT_FOUND",
    status: 404,
    hint: expect.stringContaining("mug-lid"),
  });
});

test("a server that is not there or is another becomes a ClientError; an abort stays an abort", async () => {
  const other = createHttpServer((_request, response) => response.end("<html>"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  await expect(createClient({ baseUrl: `http://127.0.0.1:${port}` }).listModels()).rejects.toMatchObject({
    code: "E_UNAVAILABLE",
    status: 200,
  });
  await new Promise((resolve) => other.close(resolve));
  await expect(createClient({ baseUrl: `http://127.0.0.1:${port}` }).listModels()).rejects.toMatchObject({
    code: "E_UNAVAILABLE",
    status: 0,
  });
  await expect(createClient({ baseUrl: url }).listModels({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
  expect(() => createClient({ baseUrl: "nonsense" })).toThrow(TypeError);
});

test("imports nothing but types", () => {
  const source = readFileSync(new URL("../../src/client.ts", import.meta.url), "utf8");
  expect(source.match(/^import .*/gm)).toEqual(["import type {"]);
  expect(source.match(/^export \{|^export \*|\bimport\(|\brequire\(/gm)).toBeNull();
});
