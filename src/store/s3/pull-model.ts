/**
 * A model from S3 in a local folder. Its manifest and checksums are fetched each time; the other files only when the folder does not hold
 * exactly them. They arrive in a staging folder beside it, are compared with their checksums, and the whole is put in place by renaming.
 * What a killed download left is gone on with. Called by models.ts and service/published-run.ts.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { IoError, ModelFormatError, NotFoundError, TastemakerError, throwIfCancelled } from "../../core/errors.js";
import type { Progress } from "../../core/model.js";
import { ioErrors, isLeftover, readInto, renameDurably, syncFolder, temporarySibling, writeDurably } from "../durable-files.js";
import { CHECKSUMS, checkManifest } from "../manifest.js";
import { damaged, MANIFEST, type Manifest, type ManifestFile } from "../manifest-schema.js";
import { verifyModel } from "../model-folder.js";
import type { Bucket } from "./client.js";

export interface PullOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Times that a broken connection is taken up again for one file. */
const RESUMES = 5;

const PUSH_AGAIN = "Upload the model again (`tastemaker push`).";

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
  const handle = await open(join(folder, CHECKSUMS), "r");
  try {
    if (!(await handle.readFile()).equals(checksums)) return false;
  } finally {
    await handle.close();
  }
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

interface PulledFile {
  key: string;
  target: string;
  expected: ManifestFile;
}

/** Fetches what is missing of a file; whole and wrong, it is fetched once more from its start. */
async function pullFile(bucket: Bucket, file: PulledFile, signal: AbortSignal | undefined): Promise<void> {
  await mkdir(dirname(file.target), { recursive: true });
  const had = await stat(file.target).catch(() => undefined);
  for (const fresh of had ? [false, true] : [true]) {
    if (fresh) await rm(file.target, { force: true });
    const got = await fill(bucket, file, signal);
    if (got === file.expected.sha256) return;
    if (!fresh) continue;
    await rm(file.target, { force: true });
    throw new ModelFormatError(`${bucket.nameOf(file.key)} is damaged: its sha256 is ${got}, the manifest says ${file.expected.sha256}.`, {
      hint: PUSH_AGAIN,
      details: { file: bucket.nameOf(file.key), got, expected: file.expected.sha256 },
    });
  }
}

/** Appends what is missing; a connection that breaks is taken up again. Returns the sha256 of the whole file. */
async function fill(bucket: Bucket, { key, target, expected }: PulledFile, signal: AbortSignal | undefined): Promise<string> {
  const handle = await open(target, "a+");
  try {
    for (let tried = 1; ; tried++) {
      const { size } = await handle.stat();
      if (size >= expected.bytes) break;
      const broken = await append(bucket, key, { handle, size, limit: expected.bytes, signal });
      throwIfCancelled(signal);
      const { size: now } = await handle.stat();
      if (now >= expected.bytes) break;
      if (broken !== undefined && tried < RESUMES && now > size) continue;
      if (broken === undefined)
        throw new ModelFormatError(`${bucket.nameOf(key)} is damaged: it has ${now} bytes, the manifest says ${expected.bytes}.`, {
          hint: PUSH_AGAIN,
        });
      throw new IoError(`The download of ${bucket.nameOf(key)} broke off after ${now} of ${expected.bytes} bytes.`, {
        hint: "Check the network and run again: it goes on from there.",
        cause: broken,
      });
    }
    await handle.sync();
    return (await handle.stat()).size === expected.bytes ? await sha256Of(handle) : "that of a longer file";
  } finally {
    await handle.close();
  }
}

/** Returns what broke the connection, if it broke. */
async function append(
  bucket: Bucket,
  key: string,
  { handle, size, limit, signal }: { handle: FileHandle; size: number; limit: number; signal: AbortSignal | undefined },
): Promise<unknown> {
  const response = await bucket.get(key, { from: size, signal });
  if (!response) throw new ModelFormatError(`${bucket.nameOf(key)} is missing.`, { hint: PUSH_AGAIN });
  if (response.status === 416) return response.body?.cancel();
  let left = limit - size;
  if (size > 0 && response.status !== 206) {
    await handle.truncate(0); // the store sends the whole
    left = limit;
  }
  try {
    for await (const chunk of response.body ?? []) {
      await handle.appendFile(chunk);
      left -= chunk.length;
      if (left < 0) break; // longer than it should be: the checksum will say so
    }
  } catch (cause) {
    if (cause instanceof TastemakerError || (cause as NodeJS.ErrnoException).syscall !== undefined) throw cause;
    return cause;
  }
}

async function sha256Of(handle: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(1 << 20);
  for (let position = 0; ; ) {
    const read = await readInto(handle, chunk, { position, hash });
    if (read < chunk.length) return hash.digest("hex");
    position += read;
  }
}
