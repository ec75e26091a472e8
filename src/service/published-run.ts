/**
 * A run whose models lie elsewhere: in the folder of a recipe's workspace that was copied, or in a bucket into which `push` put it. A bucket's run
 * is brought to a cache on this machine, which is laid out as a workspace, so that everything else works as with a run of this machine.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ModelFormatError, NotFoundError, throwIfCancelled } from "../core/errors.js";
import { cacheFolder } from "../store/s3/cache.js";
import { type Bucket, openBucket } from "../store/s3/client.js";
import { isS3, parseS3, s3Settings } from "../store/s3/place.js";
import { bytesOf, type PullOptions, pullModel } from "../store/s3/pull-model.js";
import type { RunResult } from "./run-result.js";
import { newestRun, parseResult, type Workspace, workspaceAt } from "./workspace.js";

/** Names the run to serve: `{ "run": key }`. */
export const LATEST = "latest.json";

export function runObject(key: string): string {
  return `runs/${key}.json`;
}

export function modelObject(label: string, version: string): string {
  return `models/${label}/${version}`;
}

export interface PublishedOptions extends PullOptions {
  /** Where models from S3 are kept. Default: $TASTEMAKER_CACHE, else `tastemaker` in the user's folder for caches. */
  cache?: string;
}

/**
 * The run at `place`: s3://bucket/prefix, or a folder. Throws NotFoundError where there is none; for S3 also as `loadModel` does, and
 * ModelFormatError where the run's own files are damaged.
 */
export async function publishedRun(place: string, options: PublishedOptions = {}): Promise<{ workspace: Workspace; result: RunResult }> {
  if (!isS3(place)) return runInFolder(resolve(place));
  const [address, settings] = [parseS3(place), s3Settings()];
  const bucket = await openBucket(address, settings);
  const result = await latestResult(bucket, options);
  const workspace = workspaceAt(cacheFolder(address, settings, options.cache));
  for (const { label, version } of result.models) {
    throwIfCancelled(options.signal);
    await pullModel(bucket, modelObject(label, version!), join(workspace.models.root, label, version!), options);
  }
  return { workspace, result };
}

async function runInFolder(folder: string): Promise<{ workspace: Workspace; result: RunResult }> {
  const run = existsSync(folder) ? await newestRun([workspaceAt(folder)]) : undefined;
  if (run) return run;
  throw new NotFoundError(`There is no run in ${folder}.`, {
    hint: "Give the folder of one recipe in a workspace, such as .tastemaker/demo, or s3://bucket/prefix.",
  });
}

async function latestResult(bucket: Bucket, options: PullOptions): Promise<RunResult> {
  const latest = await bytesOf(bucket, LATEST, options);
  if (!latest)
    throw new NotFoundError(`There is no run at ${bucket.nameOf("")}: ${LATEST} is missing.`, {
      hint: "Check the address, or upload a run with `tastemaker push`.",
    });
  const key = runOf(text(latest));
  const object = key === undefined ? LATEST : runObject(key);
  const bytes = key === undefined ? undefined : await bytesOf(bucket, object, options);
  const result = bytes && parseResult(text(bytes));
  if (result?.models.every(({ label, version }) => isName(label) && isName(version))) return result;
  throw new ModelFormatError(`${bucket.nameOf(object)} is damaged or missing.`, { hint: "Upload the run again (`tastemaker push`)." });
}

function runOf(latest: string): string | undefined {
  try {
    const run: unknown = JSON.parse(latest)?.run;
    return typeof run === "string" && /^[0-9a-f]+$/.test(run) ? run : undefined;
  } catch {
    return undefined;
  }
}

/** Names of models and versions become folders. */
function isName(name: string | undefined): boolean {
  return name !== undefined && /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
