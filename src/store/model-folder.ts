/**
 * One model = one folder: arrays/*.npy (the model's own, the seen matrix, popularity, ids), of a network also model.onnx (its scoring, for
 * other run times), manifest.json and SHA256SUMS. Written to a temporary sibling, fsynced and renamed; every byte is verified when it is read.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ConfigError, IoError, throwIfCancelled } from "../core/errors.js";
import { bestVariant } from "../kernels/loader.js";
import type { Recommender } from "../ranking/recommender.js";
import { isArray, readArrays, readChecked, readVerified, writeArrays } from "./array-files.js";
import { type WrittenFile, writeDurably, writeFolderAtomically } from "./durable-files.js";
import { CHECKSUMS, encodeManifest, readManifest, sha256 } from "./manifest.js";
import { FORMAT_VERSION, type ItemProperties, MANIFEST, type Manifest, type ManifestFile, PROPERTIES } from "./manifest-schema.js";
import { recommenderArrays, recommenderFromArrays } from "./model-arrays.js";
import { tastemakerVersion } from "./version.js";

export interface SaveOptions {
  metrics?: Record<string, number>;
  /** Identifies the training data, e.g. the sha256 of the source file. */
  dataFingerprint?: string;
  /** The seed that training used. */
  seed?: number;
  /** The version that a partial refit went on from. */
  refittedFrom?: string;
  /** Default: derived from the contents, so that equal models have equal versions. */
  version?: string;
  /** Shown beside recommended items when the model is served. */
  itemProperties?: ItemProperties;
  signal?: AbortSignal;
}

export const ONNX = "model.onnx";

/**
 * Writes a model to `folder`, replacing a model that is there; other contents are never replaced (IoError).
 * Cancelled or failed, it leaves the folder as it was. The arrays are the same bytes for the same training.
 */
export async function saveModel(model: Recommender, folder: string, options: SaveOptions = {}): Promise<Manifest> {
  const all = recommenderArrays(model);
  return writeFolderAtomically(
    resolve(folder),
    async (temporary) => {
      const files: Record<string, ManifestFile> = await writeArrays(temporary, all, options.signal);
      const onnx = await writeOnnx(join(temporary, ONNX), model);
      if (onnx.file) files[ONNX] = onnx.file;
      if (options.itemProperties) files[PROPERTIES] = await writeProperties(join(temporary, PROPERTIES), options.itemProperties);
      const content = {
        model: model.name,
        params: { ...model.params },
        seed: options.seed,
        dataFingerprint: options.dataFingerprint,
        files,
        extra: model.fitted.state().extra,
      };
      const manifest: Manifest = {
        formatVersion: FORMAT_VERSION,
        tastemaker: tastemakerVersion,
        ...content,
        kernels: bestVariant().build,
        node: process.versions.node,
        runtime: model.runtime,
        leftOut: onnx.problem === undefined ? undefined : { [ONNX]: onnx.problem },
        createdAt: new Date().toISOString(),
        version: options.version ?? sha256(Buffer.from(JSON.stringify(content))).slice(0, 12),
        numUsers: model.numUsers,
        numItems: model.numItems,
        numInteractions: model.seen.indices.length,
        refittedFrom: options.refittedFrom,
        metrics: options.metrics,
      };
      const encoded = encodeManifest(manifest);
      await writeDurably(join(temporary, MANIFEST), [encoded.manifest]);
      await writeDurably(join(temporary, CHECKSUMS), [encoded.checksums]);
      throwIfCancelled(options.signal);
      return manifest;
    },
    { mayReplace: onlyAModel },
  );
}

async function onlyAModel(existing: string): Promise<void> {
  if (existsSync(join(existing, MANIFEST))) return;
  const entries = await readdir(existing);
  if (entries.length === 0) return;
  throw new IoError(`${existing} holds other files (${entries.slice(0, 3).join(", ")} …), and a model would replace them.`, {
    hint: "Give a new or empty folder, or one that holds a model.",
    details: { file: existing },
  });
}

/** Scoring as one file, where the model is a network; what hinders it (tables of more than 2 GiB) is no error: the arrays are the model. */
async function writeOnnx(file: string, { fitted }: Recommender): Promise<{ file?: WrittenFile; problem?: string }> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await fitted.toOnnx?.();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problem: error.message };
  }
  return bytes ? { file: await writeDurably(file, [bytes]) } : {};
}

async function writeProperties(file: string, properties: ItemProperties): Promise<WrittenFile> {
  return writeDurably(file, [Buffer.from(JSON.stringify(properties))]);
}

/**
 * Loads a model; its scores are bit-equal to those before saving.
 * Throws NotFoundError (no model there), ModelFormatError (a damaged or missing file, a newer format), both naming the file.
 */
export async function loadModel(folder: string, { threads }: { threads?: number } = {}): Promise<Recommender> {
  const manifest = await readManifest(folder);
  const arrays = await readArrays(folder, manifest.files);
  for (const file of Object.keys(manifest.files))
    if (!isArray(file) && file !== ONNX) await readVerified(folder, file, manifest.files[file]);
  return recommenderFromArrays(manifest, arrays, { where: folder, threads });
}

/** Reads every file and compares it with its checksum, without restoring the model; constant memory. Throws as `loadModel` does. */
export async function verifyModel(folder: string, signal?: AbortSignal): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const chunk = new Uint8Array(1 << 20);
  for (const [file, expected] of Object.entries(manifest.files)) {
    await readChecked(join(folder, file), expected, async (read) => {
      for (let left = expected.bytes; left > 0; left -= chunk.length) {
        throwIfCancelled(signal);
        await read(chunk.subarray(0, Math.min(left, chunk.length)));
      }
    });
  }
  return manifest;
}

/** The item properties saved with a model, or undefined when there are none. Verified like `loadModel`. */
export async function loadItemProperties(folder: string): Promise<ItemProperties | undefined> {
  const { files } = await readManifest(folder);
  if (!files[PROPERTIES]) return undefined;
  return JSON.parse((await readVerified(folder, PROPERTIES, files[PROPERTIES])).toString("utf8"));
}

export { readManifest } from "./manifest.js";
export type { ItemProperties, Manifest } from "./manifest-schema.js";
