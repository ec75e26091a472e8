/**
 * The manifest of a model folder: what was trained on what, and size and checksum of every file. A second file,
 * SHA256SUMS (the format of `sha256sum -c`), holds the checksum of the manifest itself and of all files.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ModelFormatError, NotFoundError } from "../core/errors.js";
import { ioErrors } from "./durable-files.js";

export const FORMAT_VERSION = 1;
export const MANIFEST = "manifest.json";
export const CHECKSUMS = "SHA256SUMS";

const fileSchema = z.object({
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  dtype: z.enum(["f4", "f8", "i4", "u1"]).optional(),
  shape: z.array(z.int().min(0)).optional(),
});

const manifestSchema = z.object({
  formatVersion: z.literal(FORMAT_VERSION),
  /** Version of the package that wrote it. */
  tastemaker: z.string(),
  model: z.string(),
  params: z.record(z.string(), z.unknown()),
  /** The seed of training, where the writer was told. */
  seed: z.number().optional(),
  kernels: z.enum(["plain", "relaxed"]),
  node: z.string(),
  /** ISO 8601. The only part that differs between two equal trainings. */
  createdAt: z.string(),
  /** By default derived from the contents: equal models have equal versions. */
  version: z.string(),
  numUsers: z.int(),
  numItems: z.int(),
  /** Distinct (user, item) pairs of training. */
  numInteractions: z.int(),
  dataFingerprint: z.string().optional(),
  metrics: z.record(z.string(), z.number()).optional(),
  /** Path relative to the folder, with `/` → its size and checksum. */
  files: z.record(z.string(), fileSchema),
  /** Small JSON of the model itself. */
  extra: z.record(z.string(), z.unknown()).optional(),
});

export type Manifest = z.output<typeof manifestSchema>;
export type ManifestFile = z.output<typeof fileSchema>;

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
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw damaged(file, { got: "no valid JSON", expected: "a manifest", cause });
  }
  const formatVersion = (json as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof formatVersion === "number" && formatVersion > FORMAT_VERSION) {
    throw new ModelFormatError(`${file} is of format ${formatVersion}; this version of tastemaker reads up to format ${FORMAT_VERSION}.`, {
      hint: "Update tastemaker, or save the model again with this version.",
      details: { file, got: formatVersion, expected: FORMAT_VERSION },
    });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw damaged(file, {
      got: `${issue.message} at ${issue.path.join(".") || "the top"}`,
      expected: `a manifest of format ${FORMAT_VERSION}`,
    });
  }
  await verifyChecksums(folder, parsed.data, sha256(bytes));
  return parsed.data;
}

async function verifyChecksums(folder: string, manifest: Manifest, ofManifest: string): Promise<void> {
  const file = join(folder, CHECKSUMS);
  const stored = (await readOptional(file))?.toString("latin1");
  if (stored === undefined) throw damaged(file, { got: "no such file", expected: "checksums of all files" });
  const listed = stored.slice(0, stored.indexOf("  "));
  if (stored === checksumLines(manifest, ofManifest)) return;
  if (listed !== ofManifest)
    throw damaged(join(folder, MANIFEST), { got: `sha256 ${ofManifest}`, expected: `${listed} (from ${CHECKSUMS})` });
  throw damaged(file, { got: "other checksums", expected: `those of ${MANIFEST}` });
}

/** The error for a file that is not what it was when it was written. */
export function damaged(file: string, { got, expected, cause }: { got: string; expected: string; cause?: unknown }): ModelFormatError {
  return new ModelFormatError(`${file} is damaged: got ${got}, expected ${expected}.`, {
    hint: "Copy the model again from its source, or train it again.",
    cause,
    details: { file, got, expected },
  });
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
