/**
 * A model from S3 in a local folder. Its manifest and checksums are fetched each time; the other files only when the folder does not hold
 * exactly them. They arrive in a staging folder beside it, are compared with their checksums, and the whole is put in place by renaming.
 * What a killed download left is gone on with. Called by load-model.ts and service/published-run.ts.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { IoError, ModelFormatError, NotFoundError, throwIfCancelled } from "../../core/errors.js";
import type { Progress } from "../../core/model.js";
import { ioErrors, isLeftover, renameDurably, syncFolder, temporarySibling, writeDurably } from "../durable-files.js";
import { CHECKSUMS, checkManifest } from "../manifest.js";
import { damaged, MANIFEST, type Manifest } from "../manifest-schema.js";
import { verifyModel } from "../model-folder.js";
import type { Bucket } from "./client.js";
import { pullFile } from "./pull-file.js";

export interface PullOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/**
 * Brings the model below `key` of the bucket to `folder` ("" = the bucket's place itself). Throws NotFoundError where no model is,
 * ModelFormatError for files that are not what they were when the model was saved, IoError for a broken download (the next call goes on).
 */
export async function pullModel(bucket: Bucket, key: string, folder: string, options: PullOptions = {}): Promise<Manifest> {
  const before = underWay.get(folder);
  const work = (before ?? Promise.resolve()).catch(() => undefined).then(() => pull(bucket, key, folder, options));
  underWay.set(folder, work);
  return work.finally(() => underWay.get(folder) === work && underWay.delete(folder));
}

/** Downloads of this process by folder: one after another, since what another process of the same number left is taken over. */
const underWay = new Map<string, Promise<unknown>>();

async function pull(bucket: Bucket, key: string, folder: string, options: PullOptions): Promise<Manifest> {
  const at = (file: string) => (key === "" ? file : `${key}/${file}`);
  const [manifestBytes, checksums] = [await bytesOf(bucket, at(MANIFEST), options), await bytesOf(bucket, at(CHECKSUMS), options)];
  if (!manifestBytes)
    throw new NotFoundError(`There is no model at ${bucket.nameOf(key)}: ${MANIFEST} is missing.`, {
      hint: "Check the address, or upload a model with `tastemaker push`.",
    });
  const names = { manifest: bucket.nameOf(at(MANIFEST)), checksums: bucket.nameOf(at(CHECKSUMS)) };
  const manifest = checkManifest(manifestBytes, checksums, names);
  const files = Object.entries(manifest.files);
  for (const [file] of files) refuseOutside(file, names.manifest);
  if (await isIntact(folder, checksums!, options.signal)) return manifest;
  return ioErrors("write", folder, async () => {
    const staging = await stagingFor(folder);
    for (const [done, [file, expected]] of files.entries()) {
      options.onProgress?.({ stage: `loading ${bucket.nameOf(key)}`, done, total: files.length, note: file });
      await pullFile(bucket, { key: at(file), target: join(staging, file), expected }, options.signal);
    }
    await writeDurably(join(staging, MANIFEST), [manifestBytes]);
    await writeDurably(join(staging, CHECKSUMS), [checksums!]);
    await syncFolder(staging);
    const old = existsSync(folder) ? temporarySibling(folder) : undefined;
    if (old) await rename(folder, old);
    await renameDurably(staging, folder);
    if (old) await rm(old, { recursive: true, force: true });
    options.onProgress?.({ stage: `loading ${bucket.nameOf(key)}`, done: files.length, total: files.length });
    return manifest;
  });
}

/** A whole small object, or undefined where there is none. */
export async function bytesOf(bucket: Bucket, key: string, { signal }: PullOptions): Promise<Uint8Array | undefined> {
  const response = await bucket.get(key, { signal });
  if (!response) return undefined;
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throwIfCancelled(signal);
    throw new IoError(`The download of ${bucket.nameOf(key)} broke off.`, { hint: "Check the network and run again.", cause });
  }
}

/** A manifest from elsewhere must not write outside its folder. */
function refuseOutside(file: string, where: string): void {
  if (!/^[^/\\]/.test(file) || /[\\\0]|(^|\/)\.{0,2}(\/|$)/.test(file))
    throw damaged(where, { got: `a file ${JSON.stringify(file)}`, expected: "paths inside the model's folder" });
}

/** Whether the folder holds the model with these checksums, every byte of it. */
async function isIntact(folder: string, checksums: Uint8Array, signal: AbortSignal | undefined): Promise<boolean> {
  if (!existsSync(join(folder, CHECKSUMS))) return false;
  if (!(await readFile(join(folder, CHECKSUMS))).equals(checksums)) return false;
  try {
    await verifyModel(folder, signal);
    return true;
  } catch (error) {
    if (error instanceof ModelFormatError || error instanceof NotFoundError) return false;
    throw error;
  }
}

/** What a process that is gone left of this folder's download, taken over by renaming; else a new one. */
async function stagingFor(folder: string): Promise<string> {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  const staging = temporarySibling(folder);
  for (const entry of await readdir(parent)) {
    if (!entry.startsWith(`.${basename(folder)}.tmp-`) || !isLeftover(entry)) continue;
    try {
      await rename(join(parent, entry), staging);
      return staging;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // another process took it
    }
  }
  await mkdir(staging);
  return staging;
}
