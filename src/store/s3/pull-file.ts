/**
 * One file from S3: what is missing of it is fetched, over several connections where they break, and the whole compared with its checksum. Called by
 * pull-model.ts.
 */
import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { IoError, ModelFormatError, TastemakerError, throwIfCancelled } from "../../core/errors.js";
import { readInto } from "../durable-files.js";
import type { ManifestFile } from "../manifest-schema.js";
import type { Bucket } from "./client.js";

/** Connections for one file. */
const CONNECTIONS = 5;

const PUSH_AGAIN = "Upload the model again (`tastemaker push`).";

export interface PulledFile {
  key: string;
  target: string;
  expected: ManifestFile;
}

/** Fetches what is missing of a file; whole and wrong, it is fetched once more from its start. */
export async function pullFile(bucket: Bucket, file: PulledFile, signal: AbortSignal | undefined): Promise<void> {
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
      if (broken !== undefined && tried < CONNECTIONS && now > size) continue;
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
