/**
 * Models in S3, against a local server that speaks it and checks signatures: push, serve, load, and everything that can go wrong on the way.
 * Between them stands a proxy that counts requests and can cut answers off.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { publishedRun } from "../../src/service/published-run.js";
import { pushRun } from "../../src/service/push.js";
import { recipeForFile } from "../../src/service/recipe/recipe.js";
import { type RecipeRun, runRecipe, serveRun } from "../../src/service/run.js";
import { loadItemProperties, loadModel } from "../../src/store/load-model.js";
import { objectUrl, parseS3, s3Settings } from "../../src/store/s3/place.js";
import { expectError } from "../support/errors.js";
import { findS3Server, type S3Server, startS3Server } from "../support/s3-server.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const executable = findS3Server();

/** Passes everything on; `cut` bytes of an answer whose path fits end the connection. */
function startProxy(target: string) {
  const seen: { method: string; path: string; range?: string }[] = [];
  const state: { cut?: { path: RegExp; bytes: number; times: number }; busy: number } = { busy: 0 };
  const server = createServer((question, answer) => {
    const { method = "", url = "", headers } = question;
    seen.push({ method, path: url, range: headers.range });
    if (state.busy-- > 0) return void answer.writeHead(503).end("<Error><Code>SlowDown</Code></Error>");
    const upstream = send(new URL(url, target), { method, headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers);
      const { cut } = state;
      if (method !== "GET" || response.statusCode! >= 300 || !cut || cut.times === 0 || !cut.path.test(url))
        return void response.pipe(answer);
      cut.times--;
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => answer.write(Buffer.concat(chunks).subarray(0, cut.bytes), () => answer.destroy()));
    });
    upstream.on("error", () => answer.destroy());
    question.pipe(upstream);
  });
  return new Promise<{ server: Server; address: string; seen: typeof seen; state: typeof state }>((resolve) =>
    server.listen(0, "127.0.0.1", () =>
      resolve({ server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, state }),
    ),
  );
}

describe.skipIf(executable === undefined)("models in S3", () => {
  const folder = mkdtempSync(join(tmpdir(), "tastemaker-s3-"));
  let store: S3Server;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let run: RecipeRun;
  let version: string;

  beforeAll(async () => {
    store = await startS3Server(executable!);
    proxy = await startProxy(store.env.AWS_ENDPOINT_URL);
    await store.request("PUT", "models");
    const rows = Array.from({ length: 500 }, (_, e) => `u${e % 40},${["a", "b", "c"][(e % 40) % 3]}${(e * 7) % 9},Item ${(e * 7) % 9}`);
    writeFileSync(join(folder, "shop.csv"), ["user,item,title", ...rows].join("\n"));
    run = await runRecipe(await recipeForFile(join(folder, "shop.csv")), { workspace: join(folder, "work"), threads: 1 });
    version = run.result.models.find(({ label }) => label === "als")!.version!;
  }, 120_000);

  beforeEach(() => {
    Object.assign(process.env, store.env, { AWS_ENDPOINT_URL: proxy.address });
    proxy.seen.length = 0;
    proxy.state.cut = undefined;
  });

  afterAll(() => {
    proxy?.server.close();
    store?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const alsAt = (prefix: string) => `s3://models/${prefix}/models/als/${version}`;
  const arrays = (prefix: string) =>
    proxy.seen.filter(({ method, path }) => method === "GET" && path.includes(`/${prefix}/`) && path.endsWith(".npy"));

  test("a pushed run answers elsewhere as here, and only what is missing is ever sent or fetched", async () => {
    const pushed = await pushRun(run, "s3://models/shops/one");
    expect(pushed.models.map(({ label }) => label)).toEqual(run.result.models.map(({ label }) => label));
    expect(pushed.sent).toBe(
      proxy.seen.filter(({ method, path }) => method === "PUT" && path.includes("/models/shops/one/models/")).length,
    );
    expect((await pushRun(run, "s3://models/shops/one/")).sent).toBe(0);
    const cache = temporaryFolder();
    const there = await publishedRun("s3://models/shops/one", { cache });
    expect(there.result.key).toBe(run.result.key);
    const [here, elsewhere] = [await serveRun(run, { threads: 1 }), await serveRun(there, { threads: 1 })];
    for (const model of run.result.models.map(({ label }) => label))
      expect(await elsewhere.recommend({ user: "u7", model })).toEqual(await here.recommend({ user: "u7", model }));
    expect(await elsewhere.searchItems({ q: "a1" })).toEqual(await here.searchItems({ q: "a1" }));
    here.dispose();
    elsewhere.dispose();
    proxy.seen.length = 0;
    await publishedRun("s3://models/shops/one", { cache });
    expect(arrays("shops/one")).toEqual([]);
    expect(proxy.seen.length).toBe(2 + 2 * run.result.models.length);
  });

  test("loadModel takes one model; its scores are those of the run", async () => {
    await pushRun(run, "s3://models/single", { model: "als" });
    const cache = temporaryFolder();
    const [model, local] = [await loadModel(alsAt("single"), { cache, threads: 1 }), await run.workspace.models.load("als", { version })];
    const asked = [{ userIndex: 3 }, { history: [{ itemIndex: 1 }] }];
    for (const query of asked) expect(await model.recommend(query)).toEqual(await local.model.recommend(query));
    expect(await loadItemProperties(alsAt("single"), { cache })).toEqual(await loadItemProperties(local.folder));
    const { result } = await publishedRun("s3://models/single", { cache: temporaryFolder() });
    expect(result.models.map(({ label }) => label)).toEqual(["als"]);
    expect(result.champion).toBe("als");
    await expectError(pushRun(run, "s3://models/single", { model: "alz" }), "E_NOT_FOUND", /"alz".*als/);
  });

  test("a copied folder of a workspace serves too", async () => {
    const copy = join(temporaryFolder(), "copy");
    cpSync(run.workspace.folder, copy, { recursive: true });
    const service = await serveRun(await publishedRun(copy), { threads: 1 });
    expect((await service.recommend({ user: "u7" })).items.length).toBeGreaterThan(0);
    service.dispose();
    await expectError(publishedRun(temporaryFolder()), "E_NOT_FOUND", /no run in.*s3:/);
  });

  test("a download that breaks off is taken up again, now and by the next call", async () => {
    await pushRun(run, "s3://models/cut", { model: "als" });
    const cache = temporaryFolder();
    proxy.state.cut = { path: /item_factors\.npy$/, bytes: 300, times: 2 };
    await loadModel(alsAt("cut"), { cache, threads: 1 });
    const ranges = () => proxy.seen.filter(({ method, path }) => method === "GET" && /item_factors/.test(path)).map(({ range }) => range);
    expect(ranges()).toEqual([undefined, "bytes=300-", "bytes=600-"]);

    const other = temporaryFolder();
    proxy.state.cut = { path: /item_factors\.npy$/, bytes: 100, times: 5 };
    await expectError(
      loadModel(alsAt("cut"), { cache: other, threads: 1 }),
      "E_IO",
      /s3:\/\/models\/cut.*item_factors\.npy broke off after 500 of \d+ bytes/,
    );
    const [place] = readdirSync(other);
    expect(readdirSync(join(other, place)).every((name) => name.startsWith(".model.tmp-"))).toBe(true); // nothing half in place
    proxy.seen.length = 0;
    await loadModel(alsAt("cut"), { cache: other, threads: 1 });
    expect(ranges()).toEqual(["bytes=500-"]);
    expect(readdirSync(join(other, place))).toEqual(["model"]);
  });

  test("a file that is not what the manifest says is refused, and one that is damaged in the cache fetched again", async () => {
    await pushRun(run, "s3://models/damaged", { model: "als" });
    const cache = temporaryFolder();
    await loadModel(alsAt("damaged"), { cache, threads: 1 });
    const [place] = readdirSync(cache);
    const file = join(cache, place, "model/arrays/popularity.npy");
    const bytes = readFileSync(file);
    writeFileSync(
      file,
      bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)),
    );
    await loadModel(alsAt("damaged"), { cache, threads: 1 });
    expect(readFileSync(file).equals(bytes)).toBe(true);

    const object = `models/damaged/models/als/${version}/arrays/popularity.npy`;
    for (const [body, words] of [
      ["x".repeat(bytes.length), /popularity\.npy is damaged: its sha256 is/],
      ["short", /popularity\.npy is damaged: it has 5 bytes/],
      ["x".repeat(bytes.length + 9), /popularity\.npy is damaged/],
    ] as const) {
      await store.request("PUT", object, body);
      const fresh = temporaryFolder();
      await expectError(loadModel(alsAt("damaged"), { cache: fresh }), "E_MODEL_FORMAT", words);
      expect(existsSync(join(fresh, readdirSync(fresh)[0], "model"))).toBe(false);
    }
    await store.request("DELETE", object);
    await expectError(loadModel(alsAt("damaged"), { cache: temporaryFolder() }), "E_MODEL_FORMAT", /popularity\.npy is missing/);
    expect((await pushRun(run, "s3://models/damaged", { model: "als" })).sent).toBe(1); // mends it
    await loadModel(alsAt("damaged"), { cache: temporaryFolder(), threads: 1 });

    const manifest = `models/damaged/models/als/${version}/manifest.json`;
    await store.request("PUT", manifest, (await (await store.request("GET", manifest)).text()).replace('"als"', '"bpr"'));
    await expectError(loadModel(alsAt("damaged"), { cache }), "E_MODEL_FORMAT", /s3:\/\/models\/damaged.*manifest\.json is damaged/);
  });

  test("a run that is cut off or names no run is refused", async () => {
    await pushRun(run, "s3://models/run", { model: "als" });
    for (const latest of ["", '{"run": "../../etc"}', '{"run": "0123abcd"}']) {
      await store.request("PUT", "models/run/latest.json", latest);
      await expectError(publishedRun("s3://models/run", { cache: temporaryFolder() }), "E_MODEL_FORMAT", /damaged or missing/);
    }
  });

  test("what hinders says what to do", async () => {
    const cache = temporaryFolder();
    await expectError(publishedRun("s3://no-such-bucket/x", { cache }), "E_NOT_FOUND", /no bucket "no-such-bucket".*AWS_ENDPOINT_URL/);
    await expectError(pushRun(run, "s3://no-such-bucket/x"), "E_NOT_FOUND", /no bucket/);
    await expectError(publishedRun("s3://models/empty", { cache }), "E_NOT_FOUND", /no run at s3:\/\/models\/empty.*tastemaker push/);
    await expectError(loadModel("s3://models/empty", { cache }), "E_NOT_FOUND", /no model at s3:\/\/models\/empty/);
    await expectError(loadModel("s3:/models", { cache }), "E_CONFIG", /s3:\/\/bucket\/prefix/);
    await expectError(pushRun(run, "elsewhere"), "E_CONFIG", /no address in S3/);
    process.env.AWS_SECRET_ACCESS_KEY = "wrong";
    await expectError(publishedRun("s3://models/single", { cache }), "E_UNAVAILABLE", /refuses access.*403 SignatureDoesNotMatch/);
    await expectError(pushRun(run, "s3://models/never"), "E_UNAVAILABLE", /refuses access/);
    process.env.AWS_SECRET_ACCESS_KEY = "";
    await expectError(publishedRun("s3://models/single", { cache }), "E_UNAVAILABLE", /no credentials.*AWS_ACCESS_KEY_ID/);
    Object.assign(process.env, store.env, { AWS_ENDPOINT_URL: "http://127.0.0.1:9" });
    await expectError(publishedRun("s3://models/single", { cache }), "E_UNAVAILABLE", /cannot be reached at http:\/\/127\.0\.0\.1:9/);
    process.env.AWS_ENDPOINT_URL = "localhost";
    await expectError(publishedRun("s3://models/single", { cache }), "E_CONFIG", /AWS_ENDPOINT_URL is "localhost"/);
    expect(readdirSync(cache)).toEqual([]);
  });

  test("a busy store is asked again, a cancelled download ends", async () => {
    await pushRun(run, "s3://models/busy", { model: "als" });
    proxy.state.busy = 3;
    await loadModel(alsAt("busy"), { cache: temporaryFolder(), threads: 1 });
    const controller = new AbortController();
    const loading = loadModel(alsAt("busy"), {
      cache: temporaryFolder(),
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(),
    });
    await expectError(loading, "E_CANCELLED");
  });

  test("two loads at once of one place do not disturb each other", async () => {
    await pushRun(run, "s3://models/twice", { model: "als" });
    const cache = temporaryFolder();
    await Promise.all([1, 2, 3].map(() => loadModel(alsAt("twice"), { cache, threads: 1 })));
    const [place] = readdirSync(cache);
    expect(readdirSync(join(cache, place))).toEqual(["model"]);
    expect(statSync(join(cache, place, "model/manifest.json")).isFile()).toBe(true);
  });
});

describe("addresses", () => {
  test("of Amazon's stores and others", () => {
    const place = parseS3("s3://my-models/a b/");
    expect(place).toEqual({ bucket: "my-models", prefix: "a b" });
    expect(objectUrl(place, "x+y.npy", { endpoint: undefined, region: "eu-west-1" })).toBe(
      "https://my-models.s3.eu-west-1.amazonaws.com/a%20b/x%2By.npy",
    );
    const dotted = { bucket: "my.models", prefix: "" };
    expect(objectUrl(dotted, "x", { endpoint: undefined, region: "eu-west-1" })).toBe("https://s3.eu-west-1.amazonaws.com/my.models/x");
    expect(objectUrl(dotted, "x", { endpoint: "http://minio:9000/", region: "any" })).toBe("http://minio:9000/my.models/x");
  });

  test("come from the usual variables", () => {
    const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_SESSION_TOKEN: "c", AWS_DEFAULT_REGION: "eu-north-1" };
    expect(s3Settings(env)).toEqual({
      endpoint: undefined,
      region: "eu-north-1",
      accessKeyId: "a",
      secretAccessKey: "b",
      sessionToken: "c",
    });
    expect(s3Settings({ ...env, AWS_ENDPOINT_URL: "http://one", AWS_ENDPOINT_URL_S3: "http://two" }).endpoint).toBe("http://two");
  });
});
