/** `loadModel` of the library: a model from a folder, or from S3 by way of a copy on this machine. */
import { join } from "node:path";
import type { Progress } from "../core/model.js";
import type { Recommender } from "../ranking/recommender.js";
import { loadModel as loadFolder, loadItemProperties as loadFolderProperties } from "./model-folder.js";
import { cacheFolder } from "./s3/cache.js";
import { openBucket } from "./s3/client.js";
import { isS3, parseS3, s3Settings } from "./s3/place.js";
import { pullModel } from "./s3/pull-model.js";

export interface LoadOptions {
  threads?: number;
  /** Where models from S3 are kept. Default: $TASTEMAKER_CACHE, else `tastemaker` in the user's folder for caches. */
  cache?: string;
  signal?: AbortSignal;
  /** Of a download. */
  onProgress?: (progress: Progress) => void;
}

/**
 * Loads the model that `saveModel` wrote into a folder, or that lies below an address such as "s3://bucket/models/als" (credentials and
 * endpoint from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL). Scores are bit-equal to those before saving. From S3
 * only what is not in the cache yet is fetched, and every file is compared with its checksum.
 * Throws NotFoundError (no model there), ModelFormatError (a damaged or missing file, a newer format), both naming the file; of S3 also
 * E_UNAVAILABLE (no credentials, no access, nothing answers) and IoError (a download broke off: the next call goes on).
 */
export async function loadModel(place: string, options: LoadOptions = {}): Promise<Recommender> {
  return loadFolder(await localFolder(place, options), options);
}

/** The item properties saved with a model, or undefined when there are none. Throws as `loadModel` does. */
export async function loadItemProperties(place: string, options: LoadOptions = {}): ReturnType<typeof loadFolderProperties> {
  return loadFolderProperties(await localFolder(place, options));
}

async function localFolder(place: string, { cache, signal, onProgress }: LoadOptions): Promise<string> {
  if (!isS3(place)) return place;
  const [address, settings] = [parseS3(place), s3Settings()];
  const folder = join(cacheFolder(address, settings, cache), "model");
  await pullModel(await openBucket(address, settings), "", folder, { signal, onProgress });
  return folder;
}
