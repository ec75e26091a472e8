/**
 * The three requests we make of a store that speaks S3: GET (also from a byte on), HEAD and PUT, signed by aws4fetch, tried again when the
 * store is busy, their failures in words. Called by pull-model.ts and push-files.ts.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { AwsClient } from "aws4fetch";
import { IoError, NotFoundError, TastemakerError, throwIfCancelled } from "../../core/errors.js";
import { objectName, objectUrl, type S3Place, type S3Settings, s3Settings } from "./place.js";

/** Tries of a request, with 0.2, 0.4, 0.8 … seconds between. */
const TRIES = 4;

export interface Bucket {
  /** How an object is called in messages. */
  nameOf(key: string): string;
  /** The object from byte `from` on (a store may begin at 0 all the same: then the status is 200), or undefined where there is none. */
  get(key: string, options?: { from?: number; signal?: AbortSignal }): Promise<Response | undefined>;
  /** Size and the checksum that `put` left, or undefined where there is no object or nobody may know. */
  head(key: string, signal?: AbortSignal): Promise<{ bytes: number; sha256: string | null } | undefined>;
  /** Replaces an object as a whole. `body` is made anew for each try. */
  put(key: string, body: () => BodyInit, options: PutOptions): Promise<void>;
}

export interface PutOptions {
  bytes: number;
  sha256: string;
  signal?: AbortSignal;
}

interface RequestParts {
  headers?: Record<string, string>;
  /** Made anew for each try. */
  body?: () => BodyInit;
  signal?: AbortSignal;
}

/** Nothing is sent before the first request. Throws as `s3Settings` does. */
export async function openBucket(place: S3Place, settings: S3Settings = s3Settings()): Promise<Bucket> {
  const { AwsClient } = await import("aws4fetch");
  const client = new AwsClient({ ...settings, service: "s3", retries: 0 });
  const nameOf = (key: string) => objectName(place, key);

  const request = async (method: string, key: string, { headers, body, signal }: RequestParts): Promise<Response> => {
    const url = objectUrl(place, key, settings);
    for (let tried = 1; ; tried++) {
      const sent = body && { body: body(), duplex: "half" };
      const { response, cause } = await send(client, url, { method, headers, signal, redirect: "manual", ...sent });
      throwIfCancelled(signal);
      const busy = response === undefined || response.status >= 500 || response.status === 429;
      if (!busy) return response;
      if (tried < TRIES) {
        await response?.body?.cancel();
        await wait(100 * 2 ** tried, undefined, { signal }).catch(() => throwIfCancelled(signal));
        continue;
      }
      if (response) return response;
      throw new TastemakerError("E_UNAVAILABLE", `The store of ${nameOf(key)} cannot be reached at ${new URL(url).origin}.`, {
        hint: "Check the network, AWS_ENDPOINT_URL and AWS_REGION.",
        cause,
      });
    }
  };

  return {
    nameOf,

    async get(key, { from = 0, signal } = {}) {
      // nothing that fetch changes on the way may be signed: with a range it adds to accept-encoding
      const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
      const response = await request("GET", key, { headers, signal });
      if (response.ok || response.status === 416) return response;
      return refuseOthers(await problemOf(response), place, key);
    },

    async head(key, signal) {
      const response = await request("HEAD", key, { signal });
      if (response.status === 404 || response.status === 403) return undefined; // 403: who may only write is not told what is there
      if (!response.ok) return refuseOthers(await problemOf(response), place, key);
      return { bytes: Number(response.headers.get("content-length")), sha256: response.headers.get("x-amz-meta-sha256") };
    },

    async put(key, body, { bytes, sha256, signal }) {
      const headers = { "content-length": String(bytes), "x-amz-content-sha256": sha256, "x-amz-meta-sha256": sha256 };
      const response = await request("PUT", key, { headers, body, signal });
      if (response.ok) return void (await response.body?.cancel());
      if (refuseOthers(await problemOf(response), place, key) === undefined)
        throw new NotFoundError(`${nameOf(key)} cannot be written: there is nothing there.`, { hint: "Check bucket and prefix." });
    },
  };
}

async function send(client: AwsClient, url: string, init: RequestInit): Promise<{ response?: Response; cause?: unknown }> {
  try {
    return { response: await client.fetch(url, init) };
  } catch (cause) {
    return { cause };
  }
}

interface Problem {
  status: number;
  /** Of the store's XML, such as NoSuchKey; "" where it has none. */
  code: string;
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => "");
  return { status: response.status, code: /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? "" };
}

/** Undefined for an object that is not there; all else is thrown. */
function refuseOthers({ status, code }: Problem, place: S3Place, key: string): undefined {
  const what = objectName(place, key);
  if (code === "NoSuchBucket")
    throw new NotFoundError(`There is no bucket ${JSON.stringify(place.bucket)}.`, {
      hint: "Check its name, AWS_ENDPOINT_URL and AWS_REGION.",
    });
  if (status === 404) return undefined;
  const answered = `${status}${code && ` ${code}`}`;
  if (status === 401 || status === 403)
    throw new TastemakerError("E_UNAVAILABLE", `The store refuses access to ${what} (${answered}).`, {
      hint: "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and what they may do.",
    });
  if (status === 301 || status === 307 || code === "AuthorizationHeaderMalformed")
    throw new TastemakerError("E_UNAVAILABLE", `The bucket ${place.bucket} is in another region (${answered}).`, {
      hint: "Set AWS_REGION to the bucket's region.",
    });
  throw new IoError(`The store answered ${answered} for ${what}.`, {
    hint: "Check that AWS_ENDPOINT_URL leads to a store that speaks S3.",
  });
}
