/**
 * What a manifest holds and how one is checked: node-free, shared by the folder on disk and a folder behind HTTP.
 */
import { z } from "zod";
import { ModelFormatError } from "../core/errors.js";

export const FORMAT_VERSION = 1;
export const MANIFEST = "manifest.json";
export const PROPERTIES = "item-properties.json";

/** Values of each property by item index. */
export type ItemProperties = Readonly<Record<string, readonly (string | number | null)[]>>;

/** A file of a manifest: its size, its checksum, and for an array its type and shape. */
export const fileSchema = z.object({
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
  /** What trained its networks: the tensor runtime with its version, and the device. */
  runtime: z.object({ name: z.string(), device: z.string() }).optional(),
  /** Files that could not be written, with the reason. */
  leftOut: z.record(z.string(), z.string()).optional(),
  /** ISO 8601. The only part that differs between two equal trainings. */
  createdAt: z.string(),
  /** By default derived from the contents: equal models have equal versions. */
  version: z.string(),
  /** The version that a partial refit went on from. */
  refittedFrom: z.string().optional(),
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

/** Checks the text of a manifest. Throws ModelFormatError when it is damaged or of a newer format; `file` is named in it. */
export function parseManifest(text: string, file: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
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
  return parsed.data;
}

/** The error for a file that is not what it was when it was written. */
export function damaged(file: string, { got, expected, cause }: { got: string; expected: string; cause?: unknown }): ModelFormatError {
  return new ModelFormatError(`${file} is damaged: got ${got}, expected ${expected}.`, {
    hint: "Train it again (`tastemaker run <recipe> --fresh`), or copy it again from its source.",
    cause,
    details: { file, got, expected },
  });
}
