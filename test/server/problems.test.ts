/** Every wrong request is a problem document with the right status that says what is wrong and how to mend it. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Problem } from "../../src/server/api-types.js";
import type { Server } from "../../src/server/app.js";
import type { RecommendService } from "../../src/service/recommend-service.js";
import { openShop, shopService } from "./shop.js";

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

const json = { "content-type": "application/json" };

async function problemOf(path: string, init: RequestInit = {}): Promise<Problem> {
  const response = await fetch(`${url}${path}`, init);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await response.json()) as Problem;
  expect(problem.status).toBe(response.status);
  expect(problem.requestId).toBe(response.headers.get("x-request-id"));
  expect(problem.type).toBe(`urn:tastemaker:problem:${problem.code}`);
  expect(problem.title.length * problem.detail.length * (problem.hint?.length ?? 0)).toBeGreaterThan(0);
  expect(JSON.stringify(problem)).not.toMatch(/node_modules|\.[jt]s:\d/);
  return problem;
}
const post = (body: unknown) => problemOf("/v1/recommendations", { method: "POST", headers: json, body: JSON.stringify(body) });

describe("query strings", () => {
  test.each([
    ["/v1/recommendations?topk=5", 'There is no query parameter "topk".', "Did you mean topK"],
    ["/v1/recommendations?userId=5", 'There is no query parameter "userId".', "user"],
    ["/v1/recommendations?topK=ten", 'topK must be a whole number from 1 to 1000, but is "ten".', "/docs"],
    ["/v1/recommendations?topK=0", "topK must be a whole number from 1 to 1000", ""],
    ["/v1/recommendations?topK=1001", "topK must be a whole number from 1 to 1000", ""],
    ["/v1/recommendations?topK=1.5", "topK must be a whole number", ""],
    ["/v1/recommendations?topK=1e2", "topK must be a whole number", ""],
    ["/v1/recommendations?topK=", "topK must be a whole number", ""],
    ["/v1/recommendations?topK=5&topK=6", "topK is given 2 times.", "once"],
    ["/v1/recommendations?excludeSeen=yes", 'excludeSeen must be true or false, but is "yes".', ""],
    ["/v1/recommendations?user=", "user is empty.", ""],
    ["/v1/items?limit=101", "limit must be a whole number from 1 to 100", ""],
    ["/v1/items?query=mug", 'There is no query parameter "query".', ""],
    [`/v1/items?q=${"x".repeat(201)}`, "q is too long: at most 200 characters are allowed.", ""],
    ["/v1/users?limit=-1", "limit must be a whole number from 1 to 100", ""],
    ["/v1/models?x=1", 'There is no query parameter "x".', ""],
    ["/v1/items/mug/similar?topk=5", 'There is no query parameter "topk".', "topK"],
  ])("%s", async (path, detail, hint) => {
    const problem = await problemOf(path);
    expect(problem).toMatchObject({ status: 400, code: "E_CONFIG" });
    expect(problem.detail).toContain(detail);
    expect(problem.hint).toContain(hint);
    expect(problem.errors?.length).toBe(1);
  });
});

describe("bodies", () => {
  test.each([
    [{ topk: 5 }, "topk", 'There is no key "topk".', "topK"],
    [{ user: 17850 }, "user", "user must be a string, but is 17850.", 'write "17850"'],
    [{ history: [{ itemId: "mug", wait: 1 }] }, "history[0].wait", 'There is no key "wait" in history[0].', "weight"],
    [{ history: [{}] }, "history[0].itemId", "history[0].itemId is missing.", ""],
    [{ history: "mug" }, "history", 'history must be a list, but is "mug".', ""],
    [{ history: [{ itemId: "mug", weight: -1 }] }, "history[0].weight", "history[0].weight must be at least 0, but is -1.", ""],
    [{ history: [{ itemId: "mug", weight: null }] }, "history[0].weight", "history[0].weight must be a number, but is null.", ""],
    [{ topK: 2000 }, "topK", "topK must be at most 1000, but is 2000.", ""],
    [{ topK: 1.5 }, "topK", "topK must be a whole number, but is 1.5.", ""],
    [{ include: [] }, "include", "include is empty.", ""],
    [{ excludeSeen: "no" }, "excludeSeen", 'excludeSeen must be true or false, but is "no".', ""],
    [[], "", "The body is not a JSON object.", "{"],
    [null, "", "The body is empty.", "{"],
    [
      { history: [{ itemId: "mug" }, { itemId: "mugg" }, { itemId: "x" }] },
      "history[1].itemId",
      'history names unknown items: "mugg", "x".',
      "mug",
    ],
    [{ include: ["xyz"] }, "include[0]", 'include names an unknown item: "xyz".', "/v1/items"],
    [{ exclude: ["mug", "tea-pot"] }, "exclude[1]", 'exclude names an unknown item: "tea-pot".', "tea pot"],
  ])("%j", async (body, path, detail, hint) => {
    const problem = await post(body);
    expect(problem).toMatchObject({ status: 400, code: "E_CONFIG", detail });
    expect(problem.errors?.[0].path).toBe(path);
    expect(problem.hint).toContain(hint);
  });

  test("names every wrong place", async () => {
    const problem = await post({ topK: 0, excludeSeen: 1, modle: "als" });
    expect(problem.errors?.map(({ path }) => path).sort()).toEqual(["excludeSeen", "modle", "topK"]);
    expect(problem.detail).toContain("2 more faults");
  });

  test("a body that is no JSON, empty, of another type, too large, or poisoned", async () => {
    const send = (headers: Record<string, string>, body: string) => problemOf("/v1/recommendations", { method: "POST", headers, body });
    expect(await send(json, '{"topK": 5')).toMatchObject({ status: 400, detail: "The body is not valid JSON." });
    expect(await send(json, "")).toMatchObject({ status: 400, detail: "The body is empty." });
    expect(await send({ "content-type": "text/plain" }, "{}")).toMatchObject({
      status: 415,
      hint: expect.stringContaining("application/json"),
    });
    expect(await send({ "content-type": "application/x-www-form-urlencoded" }, "user=1")).toMatchObject({ status: 415 });
    expect(await send(json, JSON.stringify({ user: "x".repeat(1024 * 1024) }))).toMatchObject({ status: 413, code: "E_TOO_LARGE" });
    expect(await send(json, '{"__proto__": {"topK": 3}}')).toMatchObject({ status: 400, code: "E_CONFIG" });
  });
});

describe("addresses", () => {
  test("an unknown model names the nearest", async () => {
    const expected = { status: 404, code: "E_NOT_FOUND", detail: 'There is no model "alls".', hint: expect.stringContaining("als") };
    expect(await problemOf("/v1/recommendations?model=alls")).toMatchObject(expected);
    expect(await post({ model: "alls" })).toMatchObject(expected);
  });

  test("an unknown address names the nearest", async () => {
    expect(await problemOf("/v1/recomendations")).toMatchObject({
      status: 404,
      hint: "Did you mean /v1/recommendations, /v1/explanations?",
    });
    expect(await problemOf("/elsewhere/entirely")).toMatchObject({ status: 404, code: "E_NOT_FOUND" });
    expect(await problemOf("/../package.json")).toMatchObject({ status: 404 });
  });

  test.each([
    ["DELETE", "/v1/recommendations", "GET, HEAD, POST"],
    ["PUT", "/v1/items/mug/similar", "GET, HEAD"],
    ["POST", "/v1/models", "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
    ["OPTIONS", "/v1/users", "GET, HEAD"],
  ])("%s %s is not allowed", async (method, path, allow) => {
    expect(await problemOf(path, { method })).toMatchObject({ status: 405, detail: expect.stringContaining(method) });
    expect((await fetch(`${url}${path}`, { method })).headers.get("allow")).toBe(allow);
  });

  test("an address that is badly encoded, or an id that is too long", async () => {
    expect(await problemOf("/v1/items/%zz/similar")).toMatchObject({ status: 400, hint: expect.stringContaining("encodeURIComponent") });
    expect(await problemOf(`/v1/items/${"x".repeat(5000)}/similar`)).toMatchObject({ status: 414 });
    expect(await problemOf(`/v1/items/${"x".repeat(1000)}/similar`)).toMatchObject({ status: 404 });
  });

  test("headers beyond the limit, and bytes that are no request", async () => {
    const raw = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text));
        let answer = "";
        socket.on("data", (data) => {
          answer += data;
        });
        socket.on("close", () => resolve(answer)).on("error", reject);
      });
    for (const [text, status] of [
      ["nonsense\r\n\r\n", 400],
      [`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, 431],
    ] as const) {
      const answer = await raw(text);
      expect(answer).toContain(`HTTP/1.1 ${status} `);
      expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))).toMatchObject({ status, code: "E_CONFIG" });
    }
  });
});

describe("request ids", () => {
  test("a sane request id is kept, another is replaced", async () => {
    const idFor = async (given: string) =>
      (await fetch(`${url}/healthz`, { headers: { "x-request-id": given } })).headers.get("x-request-id");
    expect(await idFor("order-7.a:b_c")).toBe("order-7.a:b_c");
    expect(await idFor("a b")).not.toBe("a b");
    expect(await idFor("x".repeat(129))).toHaveLength(36);
  });
});
