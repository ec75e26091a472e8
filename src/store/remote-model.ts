/**
 * Loads a model folder that lies behind HTTP (a static server, a bucket, a CDN), in a browser, at the edge or in Node:
 * fetches the manifest and the files, checks every sha256, and restores the recommender. Node-free.
 */
import { IoError, NotFoundError, throwIfCancelled } from "../core/errors.js";
import type { Progress } from "../core/model.js";
import type { Recommender } from "../ranking/recommender.js";
import { damaged, type ItemProperties, MANIFEST, type Manifest, type ManifestFile, PROPERTIES, parseManifest } from "./manifest-schema.js";
import { type Arrays, recommenderFromArrays } from "./model-arrays.js";
import { decodeNpy } from "./npy.js";

export interface RemoteOptions {
  /** Default: the global fetch. */
  fetch?: typeof fetch;
  threads?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/**
 * `address`: URL of the model folder (the one that `saveModel` wrote). Scores are bit-equal to the saved model's
 * when the same kernel build runs. Throws NotFoundError (no manifest there), IoError (the network or server failed),
 * ModelFormatError (damaged or newer).
 */
export async function loadRemoteModel(address: string | URL, options: RemoteOptions = {}): Promise<Recommender> {
  const { threads, signal, onProgress } = options;
  const { base, manifest } = await fetchManifest(address, options);
  const files = Object.entries(manifest.files).filter(([file]) => file.startsWith("arrays/"));
  const arrays: Arrays = {};
  let done = 0;
  for (const [file, expected] of files) {
    throwIfCancelled(signal);
    const bytes = await fetchVerified(base + file, expected, options);
    arrays[file.slice("arrays/".length, -".npy".length)] = decodeNpy(bytes, base + file);
    onProgress?.({ stage: "load model", done: ++done, total: files.length });
  }
  return recommenderFromArrays(manifest, arrays, { where: base.slice(0, -1), threads });
}

/** The item properties saved with a model, by item index, or undefined when there are none. Throws as `loadRemoteModel` does. */
export async function loadRemoteItemProperties(address: string | URL, options: RemoteOptions = {}): Promise<ItemProperties | undefined> {
  const { base, manifest } = await fetchManifest(address, options);
  const expected = manifest.files[PROPERTIES];
  return expected && JSON.parse(new TextDecoder().decode(await fetchVerified(base + PROPERTIES, expected, options)));
}

async function fetchManifest(address: string | URL, options: RemoteOptions): Promise<{ base: string; manifest: Manifest }> {
  const base = String(address).replace(/\/*$/, "/");
  const text = new TextDecoder().decode(await fetchBytes(base + MANIFEST, options));
  return { base, manifest: parseManifest(text, base + MANIFEST) };
}

async function fetchVerified(url: string, expected: ManifestFile, options: RemoteOptions): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await fetchBytes(url, options);
  const got = await sha256Hex(bytes);
  if (got !== expected.sha256) throw damaged(url, { got: `sha256 ${got}`, expected: expected.sha256 });
  return bytes;
}

async function fetchBytes(url: string, { fetch: get = fetch, signal }: RemoteOptions): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await get(url, { signal });
  } catch (cause) {
    throwIfCancelled(signal);
    throw new IoError(`${url} cannot be fetched.`, { hint: "Check the address, the network and cross-origin headers.", cause });
  }
  if (response.status === 404)
    throw new NotFoundError(`There is nothing at ${url}.`, { hint: "Give the address of a folder that saveModel wrote." });
  if (!response.ok) throw new IoError(`${url} answered ${response.status}.`, { hint: "Check the server that holds the model." });
  return new Uint8Array(await response.arrayBuffer());
}

async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (!globalThis.crypto?.subtle) {
    throw new IoError("The checksums of the model cannot be verified here: there is no crypto.subtle.", {
      hint: "Serve the page over https or from localhost.",
    });
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
