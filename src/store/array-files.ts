/**
 * Named arrays as .npy files below `arrays/` of a folder, each with its size and checksum, which are verified when it is read.
 * Used by model folders and checkpoints.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { throwIfCancelled } from "../core/errors.js";
import { ioErrors, readInto, syncFolder, writeDurably } from "./durable-files.js";
import { damaged, type ManifestFile } from "./manifest-schema.js";
import type { Arrays } from "./model-arrays.js";
import { npyBody, npyHeader, npyTarget, npyTypeOf, parseNpyHeader } from "./npy.js";

const FOLDER = "arrays/";
const EXTENSION = ".npy";

/** Writes every array into `folder` and makes it durable; what was written, by its path in the folder. */
export async function writeArrays(folder: string, arrays: Arrays, signal?: AbortSignal): Promise<Record<string, ManifestFile>> {
  const files: Record<string, ManifestFile> = {};
  await mkdir(join(folder, FOLDER));
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    throwIfCancelled(signal);
    const file = `${FOLDER}${name}${EXTENSION}`;
    const dtype = npyTypeOf(data);
    files[file] = { ...(await writeDurably(join(folder, file), [npyHeader(dtype, shape), npyBody(data)])), dtype, shape: [...shape] };
  }
  await syncFolder(join(folder, FOLDER));
  return files;
}

/** The inverse of `writeArrays`; other files are passed over. Throws ModelFormatError that names the damaged or missing file. */
export async function readArrays(folder: string, files: Readonly<Record<string, ManifestFile>>): Promise<Arrays> {
  const arrays: Arrays = {};
  for (const file of Object.keys(files).filter(isArray))
    arrays[file.slice(FOLDER.length, -EXTENSION.length)] = await readArray(folder, file, files[file]);
  return arrays;
}

/** Whether a file of a manifest is one of `writeArrays`. */
export function isArray(file: string): boolean {
  return file.startsWith(FOLDER);
}

async function readArray(folder: string, file: string, expected: ManifestFile): Promise<Arrays[string]> {
  return readChecked(join(folder, file), expected, async (read) => {
    const { dtype = "f4", shape = [] } = expected;
    const headerBytes = npyHeader(dtype, shape).length;
    const header = parseNpyHeader(await read(new Uint8Array(headerBytes)), join(folder, file));
    const got = `${header.dtype} ${header.shape.join(" × ")}`;
    if (got !== `${dtype} ${shape.join(" × ")}` || header.headerBytes !== headerBytes)
      throw damaged(join(folder, file), { got, expected: `${dtype} ${shape.join(" × ")}` });
    const { data, bytes } = npyTarget(header);
    await read(bytes);
    return { shape: header.shape, data };
  });
}

/** A whole file, verified. */
export async function readVerified(folder: string, file: string, expected: ManifestFile): Promise<Buffer> {
  return readChecked(join(folder, file), expected, (read) => read(Buffer.alloc(expected.bytes)));
}

/** Opens a file, checks its size, lets `work` read all of it in order, and checks the sha256 of what it read. */
export async function readChecked<T>(
  path: string,
  expected: ManifestFile,
  work: (read: <B extends Uint8Array>(target: B) => Promise<B>) => Promise<T>,
): Promise<T> {
  if (!existsSync(path)) throw damaged(path, { got: "no such file", expected: `${expected.bytes} bytes` });
  return ioErrors("read", path, async () => {
    const handle = await open(path, "r");
    try {
      const { size } = await handle.stat();
      if (size !== expected.bytes) throw damaged(path, { got: `${size} bytes`, expected: `${expected.bytes} bytes` });
      const hash = createHash("sha256");
      let position = 0;
      const result = await work(async (target) => {
        position += await readInto(handle, target, { position, hash });
        return target;
      });
      const got = hash.digest("hex");
      if (got !== expected.sha256) throw damaged(path, { got: `sha256 ${got}`, expected: expected.sha256 });
      return result;
    } finally {
      await handle.close();
    }
  });
}
