/** `tastemaker push` and `--models`: one machine trains, another one that has only the address answers. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findS3Server, type S3Server, startS3Server } from "../support/s3-server.js";
import { temporaryFolder } from "../support/temporary-folder.js";
import { start, tastemaker, writeShop } from "./tastemaker.js";

const executable = findS3Server();

describe.skipIf(executable === undefined)("push and serve --models", () => {
  let store: S3Server;

  beforeAll(async () => {
    store = await startS3Server(executable!);
    await store.request("PUT", "models");
  }, 60_000);
  afterAll(() => store?.stop());

  test("what was trained here is served there", async () => {
    const [here, there] = [temporaryFolder(), temporaryFolder()];
    const env = { ...store.env, TASTEMAKER_CACHE: join(there, "cache") };
    expect((await tastemaker(["run", writeShop(here), "--threads", "1"], { cwd: here })).code).toBe(0);
    const pushed = await tastemaker(["push", "s3://models/shop", "--json"], { cwd: here, env });
    expect(pushed.code, pushed.stderr).toBe(0);
    expect(JSON.parse(pushed.stdout)).toMatchObject({ place: "s3://models/shop", models: expect.any(Array) });

    const ask = ["recommend", "--user", "u5", "--json"];
    const local = await tastemaker(ask, { cwd: here });
    const remote = await tastemaker([...ask, "--models", "s3://models/shop"], { cwd: there, env });
    expect(remote.code, remote.stderr).toBe(0);
    expect(JSON.parse(remote.stdout)).toEqual(JSON.parse(local.stdout));

    const server = start(["serve", "--port", "0", "--json"], {
      cwd: there,
      env: { ...env, TASTEMAKER_MODELS: "s3://models/shop", HOST: "127.0.0.1" },
    });
    const [line] = await server.seen("stdout", /\{.*\}/);
    const { url } = JSON.parse(line);
    const answer = await (await fetch(`${url}/v1/recommendations?user=u5`)).json();
    expect(answer.items.map(({ itemId }: { itemId: string }) => itemId)).toEqual(
      JSON.parse(local.stdout).items.map(({ itemId }: { itemId: string }) => itemId),
    );
    server.child.kill("SIGTERM");
    expect((await server.finished).code).toBe(0);
  });

  test("errors have their exit codes", async () => {
    const cwd = temporaryFolder();
    const codes = [];
    for (const [place, env] of [
      ["s3://none-such/x", {}],
      ["s3://models/shop", { AWS_SECRET_ACCESS_KEY: "wrong" }],
      ["s3://", {}],
    ] as const)
      codes.push(
        (await tastemaker(["recommend", "--user", "u1", "--models", place], { cwd, env: { ...store.env, TASTEMAKER_CACHE: cwd, ...env } }))
          .code,
      );
    expect(codes).toEqual([66, 69, 64]);
    const both = await tastemaker(["serve", "--models", "s3://models/shop", "--recipe", "x"], { cwd, env: store.env });
    expect([both.code, both.stderr]).toEqual([64, expect.stringContaining("exclude each other")]);
  });
});
