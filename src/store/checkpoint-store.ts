/**
 * What interrupted fits had, so that the next equal one goes on: <root>/<fingerprint of data, model, parameters and seed>/step-N/
 * holds the state after step N. Written as a whole, at most every few seconds; one that is damaged is passed over, and said so.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { IoError, ModelFormatError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { Checkpoint, ModelState, SideFeatures } from "../core/model.js";
import { bestVariant } from "../kernels/loader.js";
import { readArrays, writeArrays } from "./array-files.js";
import { syncFolder, writeDurably, writeFolderAtomically } from "./durable-files.js";
import { sha256 } from "./manifest.js";
import { damaged, fileSchema } from "./manifest-schema.js";
import { npyBody } from "./npy.js";
import { tastemakerVersion } from "./version.js";

/** What a fit follows from, and so what a checkpoint belongs to. */
export interface FitIdentity {
  data: Interactions;
  features?: SideFeatures;
  model: string;
  /** With defaults filled in. */
  params: Readonly<Record<string, unknown>>;
  seed: number;
  /** Where networks are trained; other devices give other bytes. Default: cpu. */
  device?: string;
}

export interface CheckpointOptions {
  /** Least time between two writes, from the start of the fit on; writing never takes more than a twentieth of the time. 0 = every step. Default 30. */
  everySeconds?: number;
  /** Steps of the whole fit, where known; kept for those who tell of it. */
  total?: () => number | undefined;
  /** Once it is aborted, the state of the next step is written whatever the time: it is the last. */
  signal?: AbortSignal;
  /** Told why a checkpoint was passed over or could not be written; the fit goes on without. */
  onProblem?: (reason: string) => void;
}

export interface StoredCheckpoint extends Checkpoint {
  /** Steps of the whole fit, as known when `resumeFrom` was written. */
  readonly total?: number;
  /** Forgets this fit; call it when its result is safe. */
  remove(): Promise<void>;
}

const DEFAULT_SECONDS = 30;
const MOST_TIME = 1 / 20;
const FILE = "checkpoint.json";

const contentSchema = z.object({
  step: z.int().min(1),
  total: z.int().optional(),
  files: z.record(z.string(), fileSchema),
  extra: z.record(z.string(), z.unknown()).optional(),
});

/** The checkpoint of one fit below `root`, with what an interrupted equal fit had. Nothing is written before the first `save`. */
export async function openCheckpoint(
  root: string,
  identity: FitIdentity,
  { everySeconds = DEFAULT_SECONDS, total, signal, onProblem }: CheckpointOptions = {},
): Promise<StoredCheckpoint> {
  let known: string | undefined;
  const folder = () => {
    known ??= join(root, fingerprint(identity)); // takes seconds for large data, so only where it is needed
    return known;
  };
  const found = existsSync(root) ? await newestIntact(folder(), onProblem) : undefined;
  let writable = performance.now() + everySeconds * 1000;
  let failed = false;
  return {
    resumeFrom: found && { step: found.step, state: found.state },
    total: found?.total,

    async save(step, state) {
      const start = performance.now();
      if (start < writable && !signal?.aborted) return;
      try {
        await writeStep(folder(), { step, total: total?.() }, state());
      } catch (error) {
        if (!(error instanceof IoError)) throw error;
        if (!failed) onProblem?.(`its state cannot be kept: ${error.message}`);
        failed = true;
      }
      const end = performance.now();
      writable = end + (everySeconds === 0 ? 0 : Math.max(everySeconds * 1000, (end - start) / MOST_TIME));
    },

    async remove() {
      if (existsSync(root)) await rm(folder(), { recursive: true, force: true });
    },
  };
}

async function writeStep(folder: string, { step, total }: { step: number; total?: number }, { arrays, extra }: ModelState): Promise<void> {
  const target = join(folder, nameOf(step));
  const fill = async (temporary: string) => {
    const content = JSON.stringify({ step, total, files: await writeArrays(temporary, arrays), extra });
    await writeDurably(join(temporary, FILE), [Buffer.from(`${sha256(Buffer.from(content))}\n${content}\n`)]);
    await syncFolder(temporary);
  };
  await writeFolderAtomically(target, fill, { mayReplace: async () => {} });
  for (const name of await steps(folder)) if (name !== nameOf(step)) await rm(join(folder, name), { recursive: true, force: true });
}

async function newestIntact(folder: string, onProblem: CheckpointOptions["onProblem"]) {
  for (const name of (await steps(folder)).reverse()) {
    try {
      return await readStep(join(folder, name));
    } catch (error) {
      if (!(error instanceof ModelFormatError || error instanceof IoError)) throw error;
      onProblem?.(`what was kept of it is passed over: ${error.message}`);
    }
  }
  return undefined;
}

async function readStep(folder: string): Promise<{ step: number; total?: number; state: ModelState }> {
  const file = join(folder, FILE);
  const text = existsSync(file) ? await readFile(file, "utf8") : "";
  const [sum, content = ""] = text.split("\n");
  if (sum !== sha256(Buffer.from(content))) throw damaged(file, { got: "other contents", expected: "those of its checksum" });
  const { step, total, files, extra } = contentSchema.parse(JSON.parse(content));
  return { step, total, state: { arrays: await readArrays(folder, files), extra } };
}

/** Names of the kept steps, the oldest first. */
async function steps(folder: string): Promise<string[]> {
  return existsSync(folder) ? (await readdir(folder)).filter((name) => /^step-\d+$/.test(name)).sort() : [];
}

/** Padded, so that names sort as their steps do. */
function nameOf(step: number): string {
  return `step-${String(step).padStart(8, "0")}`;
}

/** By the events themselves: the same file read or split in another way is other data. O(bytes of the events). */
function fingerprint({ data, features, model, params, seed, device = "cpu" }: FitIdentity): string {
  const { numUsers, numItems, userIndex, itemIndex, weight, timestamp, basket, context } = data;
  const hash = createHash("sha256");
  const sorted = Object.fromEntries(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)));
  hash.update(JSON.stringify([tastemakerVersion, bestVariant().build, device, model, sorted, seed, numUsers, numItems]));
  for (const [name, column] of Object.entries({ userIndex, itemIndex, weight, timestamp, basket, ...context })) {
    hash.update(`\n${name} ${column?.length ?? "none"}\n`);
    if (column) hash.update(ArrayBuffer.isView(column) ? npyBody(column as Float32Array) : JSON.stringify(column));
  }
  for (const [side, table] of [
    ["users", features?.userFeatures],
    ["items", features?.itemFeatures],
  ] as const)
    for (const [name, { values, ...column }] of Object.entries(table?.columns ?? {})) {
      hash.update(`\n${side} ${name} ${JSON.stringify(column)}\n`);
      hash.update(ArrayBuffer.isView(values) ? npyBody(values as Float32Array) : JSON.stringify(values));
    }
  return hash.digest("hex").slice(0, 24);
}
