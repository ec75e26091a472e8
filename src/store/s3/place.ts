/**
 * Addresses `s3://bucket/prefix` and what the environment says about where and who: the variables that all tools for S3 read
 * (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL).
 */
import { ConfigError, TastemakerError } from "../../core/errors.js";

export interface S3Place {
  bucket: string;
  /** Without slashes at its ends; "" is the whole bucket. */
  prefix: string;
}

export interface S3Settings {
  /** Set for other stores than Amazon's; its buckets are then part of the path. */
  endpoint: string | undefined;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string | undefined;
}

/** Whether an address of models is one in S3. */
export function isS3(address: string): boolean {
  return /^s3:/i.test(address);
}

/** Throws ConfigError for what is no such address. */
export function parseS3(address: string): S3Place {
  const parts = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/i.exec(address);
  if (!parts)
    throw new ConfigError(`${JSON.stringify(address)} is no address in S3.`, {
      hint: "Write s3://bucket/prefix.",
      details: { got: address },
    });
  return { bucket: parts[1], prefix: (parts[2] ?? "").replace(/^\/+|\/+$/g, "") };
}

/** Throws ConfigError for an endpoint that is no URL, E_UNAVAILABLE without credentials. */
export function s3Settings(env: Readonly<Record<string, string | undefined>> = process.env): S3Settings {
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined;
  if (endpoint !== undefined && !(URL.canParse(endpoint) && /^https?:/.test(endpoint)))
    throw new ConfigError(`AWS_ENDPOINT_URL is ${JSON.stringify(endpoint)}.`, { hint: "Set it to a URL, such as http://127.0.0.1:9000." });
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (!accessKeyId || !secretAccessKey)
    throw new TastemakerError("E_UNAVAILABLE", "There are no credentials for S3.", {
      hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (for a role also AWS_SESSION_TOKEN); `aws configure export-credentials --format env` prints them.",
    });
  return { endpoint, region: env.AWS_REGION || env.AWS_DEFAULT_REGION || "us-east-1", accessKeyId, secretAccessKey, sessionToken };
}

/** URL of an object. Amazon's buckets are part of the host name, unless a dot in them would break the certificate. */
export function objectUrl({ bucket, prefix }: S3Place, key: string, { endpoint, region }: Pick<S3Settings, "endpoint" | "region">): string {
  const path = [prefix, key].filter(Boolean).join("/").split("/").map(encodeURIComponent).join("/");
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, "")}/${bucket}/${path}`;
  const host = `s3.${region}.amazonaws.com`;
  return bucket.includes(".") ? `https://${host}/${bucket}/${path}` : `https://${bucket}.${host}/${path}`;
}

/** How an object is called in messages. */
export function objectName({ bucket, prefix }: S3Place, key = ""): string {
  return `s3://${[bucket, prefix, key].filter(Boolean).join("/")}`;
}
