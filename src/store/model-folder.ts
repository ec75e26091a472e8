/**
 * One model = one folder: arrays/*.npy (the model's own, the seen matrix, popularity, ids), manifest.json and
 * SHA256SUMS. Written to a temporary sibling, fsynced and renamed; every byte is verified when it is read.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { IoError, throwIfCancelled } from "../core/errors.js";
import { bestVariant } from "../kernels/loader.js";
import type { Recommender } from "../ranking/recommender.js";
import { ioErrors, readInto, syncFolder, type WrittenFile, writeDurably, writeFolderAtomically } from "./durable-files.js";
import { CHECKSUMS, encodeManifest, readManifest, sha256 } from "./manifest.js";
import { damaged, FORMAT_VERSION, MANIFEST, type Manifest, type ManifestFile } from "./manifest-schema.js";
import { type Arrays, recommenderArrays, recommenderFromArrays } from "./model-arrays.js";
import { npyBody, npyHeader, npyTarget, npyTypeOf, parseNpyHeader } from "./npy.js";
import { tastemakerVersion } from "./version.js";

/** Values of each property by item index. */
export type ItemProperties = Readonly<Record<string, readonly (string | number | null)[]>>;

export interface SaveOptions {
  metrics?: Record<string, number>;
  /** Identifies the training data, e.g. the sha256 of the source file. */
  dataFingerprint?: string;
  /** The seed that training used. */
  seed?: number;
  /** Default: derived from the contents, so that equal models have equal versions. */
  version?: string;
  /** Shown beside recommended items when the model is served. */
  itemProperties?: ItemProperties;
  signal?: AbortSignal;
}

const PROPERTIES = "item-properties.json";

/**
 * Writes a model to `folder`, replacing a model that is there; other contents are never replaced (IoError).
 * Cancelled or failed, it leaves the folder as it was. The arrays are the same bytes for the same training.
 */
export async function saveModel(model: Recommender, folder: string, options: SaveOptions = {}): Promise<Manifest> {
  const all = recommenderArrays(model);
  return writeFolderAtomically(
    resolve(folder),
    async (temporary) => {
      const files: Record<string, ManifestFile> = {};
      await mkdir(join(temporary, "arrays"));
      for (const [name, { shape, data }] of Object.entries(all)) {
        throwIfCancelled(options.signal);
        const file = `arrays/${name}.npy`;
        const dtype = npyTypeOf(data);
        const written = await writeDurably(join(temporary, file), [npyHeader(dtype, shape), npyBody(data)]);
        files[file] = { ...written, dtype, shape: [...shape] };
      }
      await syncFolder(join(temporary, "arrays"));
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
        createdAt: new Date().toISOString(),
        version: options.version ?? sha256(Buffer.from(JSON.stringify(content))).slice(0, 12),
        numUsers: model.numUsers,
        numItems: model.numItems,
        numInteractions: model.seen.indices.length,
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

async function writeProperties(file: string, properties: ItemProperties): Promise<WrittenFile> {
  return writeDurably(file, [Buffer.from(JSON.stringify(properties))]);
}

/**
 * Loads a model; its scores are bit-equal to those before saving.
 * Throws NotFoundError (no model there), ModelFormatError (a damaged or missing file, a newer format), both naming the file.
 */
export async function loadModel(folder: string, { threads }: { threads?: number } = {}): Promise<Recommender> {
  const manifest = await readManifest(folder);
  const arrays: Arrays = {};
  for (const file of Object.keys(manifest.files)) {
    if (file.startsWith("arrays/"))
      arrays[file.slice("arrays/".length, -".npy".length)] = await readArray(folder, file, manifest.files[file]);
    else await readVerified(folder, file, manifest.files[file]);
  }
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

async function readVerified(folder: string, file: string, expected: ManifestFile): Promise<Buffer> {
  return readChecked(join(folder, file), expected, (read) => read(Buffer.alloc(expected.bytes)));
}

/** Opens a file, checks its size, lets `work` read all of it in order, and checks the sha256 of what it read. */
async function readChecked<T>(
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

export { readManifest } from "./manifest.js";
export type { Manifest } from "./manifest-schema.js";
