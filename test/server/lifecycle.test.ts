/** Opening and closing the server, what it does when a client goes away, and that scoring leaves it able to answer. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CancelledError, KernelError } from "../../src/core/errors.js";
import { Interactions } from "../../src/data/interactions.js";
import { fit } from "../../src/models/registry.js";
import type { Recommender } from "../../src/ranking/recommender.js";
import { createServer } from "../../src/server/app.js";
import { createRecommendService } from "../../src/service/recommend.js";
import type { LoadedModel, RecommendService } from "../../src/service/recommend-service.js";
import { openShop, shopModels } from "./shop.js";

let models: LoadedModel[];
let service: RecommendService;

beforeAll(async () => {
  models = await shopModels();
  service = createRecommendService({ models });
});
afterAll(() => service.dispose());

function deferred<Value>() {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** The als model of the shop with another `recommend`. */
const serviceWith = (recommend: Recommender["recommend"]) =>
  createRecommendService({ models: [{ ...models[0], model: { ...models[0].model, recommend } }] });

describe("listening", () => {
  test("a port in use is an error that names PORT", async () => {
    const { server, url } = await openShop(service);
    const port = Number(new URL(url).port);
    const second = await createServer({ service, port });
    await expect(second.listen()).rejects.toMatchObject({
      code: "E_IO",
      message: `Port ${port} on 127.0.0.1 is already in use.`,
      hint: expect.stringContaining(`PORT=${port + 1}`),
    });
    await second.close();
    await server.close();
  });

  test.each([
    [{ port: 70_000 }, { code: "E_CONFIG", hint: expect.stringContaining("PORT") }],
    [{ port: Number.NaN }, { code: "E_CONFIG", hint: expect.stringContaining("PORT") }],
    [
      { port: 0, host: "192.0.2.1" },
      { code: "E_IO", hint: expect.stringContaining("HOST") },
    ],
  ])("%j cannot be listened on", async (address, expected) => {
    const server = await createServer({ service, ...address });
    await expect(server.listen()).rejects.toMatchObject(expected);
    await server.close();
  });

  test("IPv6 addresses and all addresses give a URL that can be opened", async () => {
    const server = await createServer({ service, port: 0, host: "0.0.0.0" });
    const { url } = await server.listen();
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: "ok" });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: "ready" });
    await server.close();
  });
});

describe("closing", () => {
  test("lets a request in progress finish, is not ready meanwhile, and may be called twice", async () => {
    let proceed = () => {};
    const started = deferred<void>();
    const slow = serviceWith(async (query, options) => {
      started.resolve();
      await new Promise<void>((resolve) => {
        proceed = resolve;
      });
      return models[0].model.recommend(query, options);
    });
    const { server, url } = await openShop(slow);
    const answer = fetch(`${url}/v1/recommendations?user=anna`);
    await started.promise;
    const closed = server.close();
    expect((await server.app.inject("/readyz")).json()).toMatchObject({ status: 503, code: "E_UNAVAILABLE" });
    proceed();
    expect((await answer).status).toBe(200);
    await closed;
    await server.close();
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });
});

describe("requests", () => {
  test("a client that goes away stops the scoring", async () => {
    const started = deferred<void>();
    const stopped = deferred<string>();
    const waiting = serviceWith((_query, { signal } = {}) => {
      started.resolve();
      return new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => {
          stopped.resolve("stopped");
          reject(new CancelledError());
        });
      });
    });
    const { server, url } = await openShop(waiting);
    const body = JSON.stringify({ history: [{ itemId: "mug" }] });
    const call = request(`${url}/v1/recommendations`, { method: "POST", headers: { "content-type": "application/json" } });
    call.on("error", () => {});
    call.end(body);
    await started.promise;
    call.destroy();
    expect(await stopped.promise).toBe("stopped");
    await server.close();
  });

  test("an answered request is not cancelled afterwards", async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const recording = serviceWith((query, options) => {
      signals.push(options?.signal);
      return models[0].model.recommend(query, options);
    });
    const { server, url } = await openShop(recording);
    await (await fetch(`${url}/v1/recommendations?user=anna`)).json();
    await server.close();
    expect(signals.map((signal) => signal?.aborted)).toEqual([false]);
  });

  test("a fault inside is told in general words", async () => {
    for (const [error, code] of [
      [new Error("secret /etc/path"), "E_INTERNAL"],
      [new KernelError("secret /etc/path"), "E_KERNEL"],
    ] as const) {
      const server = await createServer({
        service: serviceWith(async () => {
          throw error;
        }),
      });
      server.app.log.level = "silent";
      const response = await server.app.inject("/v1/recommendations");
      expect(response.json()).toMatchObject({ status: 500, code, detail: "The server failed while answering." });
      expect(response.body).not.toContain("secret");
      await server.close();
    }
  });

  test("other requests are answered while large ones are scored", async () => {
    const numItems = 200_000;
    const userIndex = Int32Array.from({ length: 4000 }, (_, e) => e % 8);
    const itemIndex = Int32Array.from({ length: 4000 }, (_, e) => (e * 7919) % numItems);
    const model = await fit(
      "als",
      Interactions.fromArrays({ userIndex, itemIndex, numItems }),
      { factors: 64, iterations: 1 },
      { threads: 2 },
    );
    const large = createRecommendService({ models: [{ name: "als", version: "large", model }] });
    const { server, url } = await openShop(large);
    await fetch(`${url}/v1/recommendations?user=0`); // the index is built on first use
    let done = 0;
    const scoring = Array.from({ length: 40 }, async (_, at) => {
      const response = await fetch(`${url}/v1/recommendations?user=${at % 8}&topK=1000`);
      done++;
      return response.status;
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(done).toBeLessThan(40);
    expect(new Set(await Promise.all(scoring))).toEqual(new Set([200]));
    await server.close();
    large.dispose();
  });
});

describe("the page", () => {
  test("is served at / with its assets, under a policy that allows nothing from elsewhere", async () => {
    const folder = mkdtempSync(join(tmpdir(), "page-"));
    mkdirSync(join(folder, "assets"));
    writeFileSync(join(folder, "index.html"), "<!doctype html><title>shop</title>");
    writeFileSync(join(folder, "assets", "page-abc.js"), "export {};");
    const server = await createServer({ service, uiFolder: folder });
    const page = await server.app.inject("/");
    expect(page.body).toContain("<title>shop</title>");
    expect(page.headers).toMatchObject({
      "content-type": expect.stringContaining("text/html"),
      "cache-control": "no-cache",
      "content-security-policy": expect.stringContaining("default-src 'none'; script-src 'self'"),
      "x-content-type-options": "nosniff",
    });
    const asset = await server.app.inject("/assets/page-abc.js");
    expect(asset.headers["cache-control"]).toContain("immutable");
    expect((await server.app.inject("/v1/models")).headers["cache-control"]).toBe("no-store");
    expect((await server.app.inject("/assets/none.js")).json()).toMatchObject({ status: 404 });
    expect((await server.app.inject("/..%2f..%2fpackage.json")).statusCode).toBe(404);
    await server.close();
    rmSync(folder, { recursive: true });
  });

  test("a folder without a page is an error", async () => {
    await expect(createServer({ service, uiFolder: "/nowhere" })).rejects.toMatchObject({
      code: "E_IO",
      hint: expect.stringContaining("npm run build"),
    });
  });
});
