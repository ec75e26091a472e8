/** Files of a folder into a bucket, skipping those that are there already, so that an upload that was interrupted goes on. Called by service/push.ts. */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ConfigError, throwIfCancelled } from "../../core/errors.js";
import type { Progress } from "../../core/model.js";
import { sha256 } from "../manifest.js";
import type { ManifestFile } from "../manifest-schema.js";
import type { Bucket } from "./client.js";

/** What S3 takes in one request. */
const LARGEST = 5 * 2 ** 30;

export interface PushedFiles {
  folder: string;
  /** Before each file's name in the bucket, with `/` at its end. */
  prefix: string;
  files: Readonly<Record<string, ManifestFile>>;
}

/** Uploads in order; returns how many were sent. Throws ConfigError for a file above 5 GiB before anything is sent, else as `Bucket.put` does. */
export async function pushFiles(
  bucket: Bucket,
  { folder, prefix, files }: PushedFiles,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (progress: Progress) => void } = {},
): Promise<number> {
  const all = Object.entries(files);
  for (const [file, { bytes }] of all)
    if (bytes > LARGEST)
      throw new ConfigError(`${join(folder, file)} has ${bytes} bytes, more than the 5 GiB that S3 takes at once.`, {
        hint: `Copy the folder by another tool (aws s3 cp --recursive) to ${bucket.nameOf(prefix)}.`,
      });
  let sent = 0;
  for (const [done, [file, { bytes, sha256 }]] of all.entries()) {
    throwIfCancelled(signal);
    onProgress?.({ stage: `uploading to ${bucket.nameOf(prefix)}`, done, total: all.length, note: file });
    const there = await bucket.head(prefix + file, signal);
    if (there?.bytes === bytes && there.sha256 === sha256) continue;
    const body = () => Readable.toWeb(createReadStream(join(folder, file))) as ReadableStream;
    await bucket.put(prefix + file, body, { bytes, sha256, signal });
    sent++;
  }
  onProgress?.({ stage: `uploading to ${bucket.nameOf(prefix)}`, done: all.length, total: all.length });
  return sent;
}

/** A small file as a whole. */
export async function pushBytes(bucket: Bucket, key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  await bucket.put(key, () => new Uint8Array(bytes), { bytes: bytes.length, sha256: sha256(bytes), signal });
}
