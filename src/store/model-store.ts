/**
 * Versions of models below one root: <root>/<model>/<version>/ is a model folder, <root>/<model>/active.json names
 * the version to serve. Publishing and switching are atomic: a reader sees the old version or the new one.
 */
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ConfigError, ModelFormatError, NotFoundError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";
import type { Recommender } from "../ranking/recommender.js";
import { ioErrors, renameDurably, temporarySibling, writeFileAtomically } from "./durable-files.js";
import { readManifest } from "./manifest.js";
import type { Manifest } from "./manifest-schema.js";
import { loadModel, type SaveOptions, saveModel, verifyModel } from "./model-folder.js";

export interface StoredModel {
  model: string;
  version: string;
  folder: string;
  active: boolean;
  /** Undefined when it is damaged. */
  manifest: Manifest | undefined;
  /** What is wrong with the manifest. The other files are looked at by `verify` and `load` only. */
  damaged?: string;
}

export interface ModelStore {
  readonly root: string;
  /** All versions, by model name, damaged ones first, then oldest first; only those of `model` when it is given. */
  list(model?: string): Promise<StoredModel[]>;
  /** Saves a new version; one that is there already (equal contents) is kept, unless it is damaged. Does not switch to it. */
  publish(model: Recommender, options?: SaveOptions & { name?: string }): Promise<Manifest>;
  /** Makes a version the one to serve. */
  activate(model: string, version: string): Promise<void>;
  /** The version to serve, or undefined when none was activated; the newest when the file that names it is damaged. */
  activeVersion(model: string): Promise<string | undefined>;
  /** Loads a version, by default the active one; throws NotFoundError with what there is. */
  load(
    model: string,
    options?: { version?: string; threads?: number },
  ): Promise<{ model: Recommender; manifest: Manifest; folder: string }>;
  /** Compares every byte of a version with its checksum; throws as `load` does. */
  verify(model: string, version: string, signal?: AbortSignal): Promise<void>;
  /** Removes all but the newest `keep` versions, the active one and those with a damaged manifest; returns the removed versions. */
  prune(model: string, options: { keep: number }): Promise<string[]>;
}

const POINTER = "active.json";

/** A store below `root`, which is created by the first `publish`. */
export function openModelStore(root: string): ModelStore {
  const base = resolve(root);
  const folderOf = (model: string, version: string) => join(base, checkedName(model), checkedName(version));

  const activeVersion = async (model: string): Promise<string | undefined> => {
    const file = join(base, checkedName(model), POINTER);
    if (!existsSync(file)) return undefined;
    const text = await ioErrors("read", file, () => readFile(file, "utf8"));
    return namedVersion(text) ?? (await versionsOf(model)).findLast(({ manifest }) => manifest)?.version;
  };

  /** Oldest first, those with a damaged manifest before all others. */
  const versionsOf = async (model: string): Promise<Omit<StoredModel, "active">[]> => {
    const versions: Omit<StoredModel, "active">[] = [];
    for (const version of await subfolders(join(base, model))) {
      const folder = join(base, model, version);
      versions.push({ model, version, folder, ...(await manifestOrDamage(folder)) });
    }
    const age = ({ manifest }: { manifest?: Manifest }) => manifest?.createdAt ?? "";
    return versions.sort((a, b) => age(a).localeCompare(age(b)) || a.version.localeCompare(b.version));
  };

  const list = async (only?: string): Promise<StoredModel[]> => {
    const found: StoredModel[] = [];
    for (const model of only === undefined ? await subfolders(base) : [checkedName(only)]) {
      const active = await activeVersion(model);
      for (const stored of await versionsOf(model)) found.push({ ...stored, active: stored.version === active });
    }
    return found;
  };

  const existing = async (model: string, version: string | undefined): Promise<string> => {
    const versions = await subfolders(join(base, checkedName(model)));
    if (version !== undefined && versions.includes(version)) return folderOf(model, version);
    const what =
      version === undefined
        ? `There is no active version of ${model} in ${base}.`
        : `There is no version ${version} of ${model} in ${base}.`;
    const hint =
      versions.length > 0 ? nameHint(version ?? "", versions) : `Models there: ${(await subfolders(base)).join(", ") || "none"}.`;
    throw new NotFoundError(what, { hint, details: { got: version, allowed: versions } });
  };

  return {
    root: base,
    list,
    activeVersion,

    async publish(model, { name = model.name, ...options } = {}) {
      const staging = temporarySibling(join(base, checkedName(name), "version"));
      const manifest = await saveModel(model, staging, options);
      return ioErrors("write", base, async () => {
        const folder = folderOf(name, manifest.version);
        const earlier = existsSync(folder) ? await intactManifest(folder) : undefined;
        if (earlier) {
          await rm(staging, { recursive: true });
          return earlier;
        }
        if (existsSync(folder)) await removeWhole(folder);
        await renameDurably(staging, folder);
        return manifest;
      });
    },

    async activate(model, version) {
      await existing(model, version);
      await writeFileAtomically(join(base, model, POINTER), `${JSON.stringify({ version })}\n`);
    },

    async load(model, { version, threads } = {}) {
      const folder = await existing(model, version ?? (await activeVersion(model)));
      return { model: await loadModel(folder, { threads }), manifest: await readManifest(folder), folder };
    },

    async verify(model, version, signal) {
      await verifyModel(await existing(model, version), signal);
    },

    async prune(model, { keep }) {
      const old = (await list(model))
        .filter(({ manifest }) => manifest)
        .slice(0, -keep || undefined)
        .filter(({ active }) => !active);
      for (const { folder } of old) await ioErrors("remove", folder, () => removeWhole(folder));
      return old.map(({ version }) => version);
    },
  };
}

/** The manifest of a model whose every file is as it was written, or undefined. */
async function intactManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return await verifyModel(folder);
  } catch (error) {
    if (error instanceof ModelFormatError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function manifestOrDamage(folder: string): Promise<Pick<StoredModel, "manifest" | "damaged">> {
  try {
    return { manifest: await readManifest(folder) };
  } catch (error) {
    if (error instanceof ModelFormatError || error instanceof NotFoundError) return { manifest: undefined, damaged: error.message };
    throw error;
  }
}

/** The version that the text of a pointer names, or undefined when it was cut off. */
function namedVersion(text: string): string | undefined {
  try {
    const version: unknown = JSON.parse(text)?.version;
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Takes a folder away as a whole before its files go one by one. */
async function removeWhole(folder: string): Promise<void> {
  const removed = temporarySibling(folder);
  await renameDurably(folder, removed);
  await rm(removed, { recursive: true });
}

/** Names become folders: letters, digits and `._-` only, so that none leads out of the store. */
function checkedName(name: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new ConfigError(`${JSON.stringify(name)} cannot name a model or version.`, {
    hint: "Use letters, digits, dots, hyphens and underscores.",
  });
}

async function subfolders(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const entries = await ioErrors("read", folder, () => readdir(folder, { withFileTypes: true }));
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
}
