/**
 * Files that survive a crash: written to a temporary sibling, fsynced, renamed into place.
 * A reader sees the old state or the new one, never half of it. Leftovers of killed processes are told
 * apart by the process id in their name. Errors of the file system become IoErrors with a hint.
 */
import { createHash, type Hash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { IoError, TastemakerError } from "../core/errors.js";

const CHUNK_BYTES = 1 << 26; // one read or write call takes less than 2 GiB
const TEMPORARY = /^\..*\.tmp-(\d+)-[0-9a-f]+$/;

export interface WrittenFile {
  bytes: number;
  sha256: string;
}

/** Writes the parts one after another, fsyncs, and returns size and checksum. Constant memory beside the parts. */
export async function writeDurably(file: string, parts: Iterable<Uint8Array>): Promise<WrittenFile> {
  return ioErrors("write", file, async () => {
    const handle = await open(file, "w");
    try {
      const hash = createHash("sha256");
      let bytes = 0;
      for (const part of parts) {
        for (let at = 0; at < part.length; at += CHUNK_BYTES) {
          const chunk = part.subarray(at, at + CHUNK_BYTES);
          await writeAll(handle, chunk);
          hash.update(chunk);
        }
        bytes += part.length;
      }
      await handle.sync();
      return { bytes, sha256: hash.digest("hex") };
    } finally {
      await handle.close();
    }
  });
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten;
}

/** Fills `target` from `position` on, adding what it read to `hash`; returns the bytes read (fewer at the end of the file). */
export async function readInto(handle: FileHandle, target: Uint8Array, options: { position: number; hash?: Hash }): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const length = Math.min(CHUNK_BYTES, target.length - done);
    const { bytesRead } = await handle.read(target, done, length, options.position + done);
    if (bytesRead === 0) break;
    options.hash?.update(target.subarray(done, done + bytesRead));
    done += bytesRead;
  }
  return done;
}

/** Replaces `file` as a whole, or leaves it as it was. Creates its folder. */
export async function writeFileAtomically(file: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  await replaceFile(file, async (temporary) => void (await writeDurably(temporary, [bytes])));
}

/** Lets `fill` write a temporary sibling of `file` and make it durable, then puts it in place; on any error nothing is left behind. */
export async function replaceFile(file: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporarySibling(file);
  await ioErrors("write", file, async () => {
    await mkdir(dirname(file), { recursive: true });
    try {
      await fill(temporary);
      await renameDurably(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}

/**
 * Lets `fill` write into a temporary sibling of `folder`, then puts it in place by renaming; on any error nothing
 * is left behind. An existing folder is replaced: `mayReplace` decides and throws when it must not be.
 */
export async function writeFolderAtomically<T>(
  folder: string,
  fill: (temporary: string) => Promise<T>,
  { mayReplace }: { mayReplace: (existing: string) => Promise<void> },
): Promise<T> {
  return ioErrors("write", folder, async () => {
    if (existsSync(folder)) await mayReplace(folder);
    const parent = dirname(folder);
    await mkdir(parent, { recursive: true });
    const temporary = temporarySibling(folder);
    await mkdir(temporary);
    try {
      const result = await fill(temporary);
      await syncFolder(temporary);
      if (existsSync(folder)) {
        const old = temporarySibling(folder);
        await rename(folder, old);
        await renameDurably(temporary, folder);
        await rm(old, { recursive: true, force: true });
      } else await renameDurably(temporary, folder);
      return result;
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  });
}

/** Moves a file or folder within its file system and makes that durable. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Makes the entries of a folder durable. Windows has no such call and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes temporary files and folders under `folder` whose process no longer runs; returns how many. */
export async function removeLeftovers(folder: string): Promise<number> {
  if (!existsSync(folder)) return 0;
  return ioErrors("clean", folder, async () => {
    let removed = 0;
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (isLeftover(entry.name)) {
        await rm(path, { recursive: true, force: true });
        removed++;
      } else if (!TEMPORARY.test(entry.name) && entry.isDirectory()) removed += await removeLeftovers(path);
    }
    return removed;
  });
}

/** Whether a name is that of a temporary sibling whose process no longer runs. */
export function isLeftover(name: string): boolean {
  const process = TEMPORARY.exec(name);
  return process !== null && !isRunning(Number(process[1]));
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return processId !== process.pid; // this process cleans before it writes
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A name beside `path` that no other process takes and that `removeLeftovers` knows. */
export function temporarySibling(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${randomBytes(4).toString("hex")}`);
}

const hints: Record<string, string> = {
  EROFS: "The file system is read-only; choose another folder.",
  EACCES: "The permission is missing; choose another folder or change its permissions.",
  EPERM: "The permission is missing; choose another folder or change its permissions.",
  ENOSPC: "The disk is full; free some space or choose another folder.",
  ENOTDIR: "A part of the path is a file, not a folder; choose another path.",
  EEXIST: "A file of this name is in the way; choose another path.",
  EISDIR: "This is a folder, but a file was expected.",
  ENOENT: "Check the path; nothing is there.",
  EMFILE: "Too many files are open; raise the limit (ulimit -n).",
};

/** Runs `work`; an error of the file system becomes an IoError that says what could not be done to which path. */
export async function ioErrors<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (error instanceof TastemakerError || code === undefined || (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new IoError(`Could not ${verb} ${path}: ${code}.`, { hint: hints[code], cause: error, details: { file: path, got: code } });
  }
}
