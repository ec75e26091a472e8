/**
 * A server that speaks S3, started for a test: moto (Python), with signatures checked. Looked for at $S3_SERVER, on the PATH and where
 * `node scripts/make-s3-env.mjs` puts it; where TASTEMAKER_PIP=1 allows it, that script is run now. Undefined, with a printed line, where
 * there is none.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AwsClient } from "aws4fetch";

const name = process.platform === "win32" ? "moto_server.exe" : "moto_server";
const root = fileURLToPath(new URL("../..", import.meta.url));
const made = join(root, "node_modules/.cache/tastemaker/s3-env", process.platform === "win32" ? "Scripts" : "bin", name);

export function findS3Server(): string | undefined {
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name));
  const find = () => [process.env.S3_SERVER ?? "", made, ...onPath].find((file) => file !== "" && existsSync(file));
  const found = find();
  if (found) return found;
  if (process.env.TASTEMAKER_PIP === "1") {
    console.log("installing moto for the tests of S3 …");
    spawnSync(process.execPath, [join(root, "scripts/make-s3-env.mjs")], { stdio: "ignore", timeout: 240_000 });
    const installed = find();
    if (installed) return installed;
  }
  console.log("tests of S3 are skipped: there is no moto_server (run node scripts/make-s3-env.mjs, set S3_SERVER, or TASTEMAKER_PIP=1)");
  return undefined;
}

export interface S3Server {
  /** What AWS_* must be to use it. */
  env: Record<"AWS_ENDPOINT_URL" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY", string>;
  /** Signed request to the server, path from the bucket on. */
  request(method: string, path: string, body?: string): Promise<Response>;
  stop(): void;
}

/** Starts it with one user who may do all in S3; from then on unsigned and wrongly signed requests are refused. */
export async function startS3Server(executable: string): Promise<S3Server> {
  const port = await freePort();
  const setUpCalls = 3;
  const child = spawn(executable, ["-H", "127.0.0.1", "-p", String(port)], {
    stdio: "ignore",
    env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: String(setUpCalls) },
  });
  const endpoint = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await fetch(`${endpoint}/moto-api/data.json`).catch(() => undefined)); tries++) {
    if (tries > 300 || child.exitCode !== null) throw new Error("moto_server did not start");
    await wait(100);
  }
  const nobody = new AwsClient({ accessKeyId: "set-up", secretAccessKey: "set-up", service: "iam", region: "us-east-1", retries: 0 });
  const iam = async (fields: Record<string, string>) => {
    const body = new URLSearchParams({ ...fields, Version: "2010-05-08" }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await nobody.fetch(`${endpoint}/`, { method: "POST", body, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return (tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(text)![1];
  };
  await iam({ Action: "CreateUser", UserName: "tester" });
  const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] };
  await iam({ Action: "PutUserPolicy", UserName: "tester", PolicyName: "s3", PolicyDocument: JSON.stringify(policy) });
  const key = await iam({ Action: "CreateAccessKey", UserName: "tester" });
  const [accessKeyId, secretAccessKey] = [key("AccessKeyId"), key("SecretAccessKey")];
  const client = new AwsClient({ accessKeyId, secretAccessKey, service: "s3", region: "us-east-1", retries: 0 });
  return {
    env: { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    request: (method, path, body) => client.fetch(`${endpoint}/${path}`, { method, body }),
    stop: () => child.kill(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
