/** Where models from S3 are kept on this machine: $TASTEMAKER_CACHE, else the user's folder for caches. */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { S3Place, S3Settings } from "./place.js";

/** A folder for one address of one store; `cache` is the folder of all. */
export function cacheFolder(
  { bucket, prefix }: S3Place,
  { endpoint, region }: Pick<S3Settings, "endpoint" | "region">,
  cache?: string,
): string {
  const hash = createHash("sha256").update(JSON.stringify([endpoint ?? region, bucket, prefix]));
  return join(resolve(cache ?? defaultCache()), `s3-${bucket}-${hash.digest("hex").slice(0, 12)}`);
}

function defaultCache(): string {
  const { TASTEMAKER_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  return TASTEMAKER_CACHE || join(XDG_CACHE_HOME || LOCALAPPDATA || join(homedir(), ".cache"), "tastemaker");
}
