/**
 * The manifest of a model folder: what was trained on what, and size and checksum of every file. A second file,
 * SHA256SUMS (the format of `sha256sum -c`), holds the checksum of the manifest itself and of all files.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NotFoundError } from "../core/errors.js";
import { ioErrors } from "./durable-files.js";
import { damaged, MANIFEST, type Manifest, parseManifest } from "./manifest-schema.js";

export const CHECKSUMS = "SHA256SUMS";

/** The bytes of both files that describe a folder. */
export function encodeManifest(manifest: Manifest): { manifest: Uint8Array; checksums: Uint8Array } {
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  return { manifest: bytes, checksums: Buffer.from(checksumLines(manifest, sha256(bytes))) };
}

function checksumLines(manifest: Manifest, ofManifest: string): string {
  const lines = Object.entries(manifest.files).map(([file, { sha256 }]) => `${sha256}  ${file}\n`);
  return [`${ofManifest}  ${MANIFEST}\n`, ...lines].join("");
}

/**
 * Reads and verifies the manifest; the files it lists are verified when they are read.
 * Throws NotFoundError when the folder holds no model, ModelFormatError when it is damaged or of another format.
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = join(folder, MANIFEST);
  const bytes = await readOptional(file);
  if (bytes === undefined) {
    throw new NotFoundError(`${folder} holds no model: there is no ${MANIFEST}.`, {
      hint: "Give the folder that saveModel or `tastemaker train` wrote.",
      details: { file },
    });
  }
  return checkManifest(bytes, await readOptional(join(folder, CHECKSUMS)), { manifest: file, checksums: join(folder, CHECKSUMS) });
}

/** The manifest in `bytes`, compared with its checksum file. Throws ModelFormatError; the names are those of the two files in it. */
export function checkManifest(
  bytes: Uint8Array,
  checksums: Uint8Array | undefined,
  names: { manifest: string; checksums: string },
): Manifest {
  const manifest = parseManifest(Buffer.from(bytes).toString("utf8"), names.manifest);
  const ofManifest = sha256(bytes);
  const file = names.checksums;
  const stored = checksums && Buffer.from(checksums).toString("latin1");
  if (stored === undefined) throw damaged(file, { got: "no such file", expected: "checksums of all files" });
  const listed = stored.slice(0, stored.indexOf("  "));
  if (stored === checksumLines(manifest, ofManifest)) return manifest;
  if (listed !== ofManifest) throw damaged(names.manifest, { got: `sha256 ${ofManifest}`, expected: `${listed} (from ${CHECKSUMS})` });
  throw damaged(file, { got: "other checksums", expected: `those of ${MANIFEST}` });
}

async function readOptional(file: string): Promise<Buffer | undefined> {
  return ioErrors("read", file, async () => {
    try {
      return await readFile(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  });
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
