/**
 * The use case "push": the models of a run into a bucket that speaks S3, laid out as in a workspace (models/, runs/). `latest.json` names the
 * run to serve and is written last, so that whoever loads finds the run before or this one, never half of it. Read by published-run.ts.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, NotFoundError } from "../core/errors.js";
import type { Progress } from "../core/model.js";
import { nameHint } from "../core/nearest-names.js";
import { CHECKSUMS, readManifest, sha256 } from "../store/manifest.js";
import { MANIFEST, type ManifestFile } from "../store/manifest-schema.js";
import { openBucket } from "../store/s3/client.js";
import { isS3, parseS3 } from "../store/s3/place.js";
import { pushBytes, pushFiles } from "../store/s3/push-files.js";
import { LATEST, modelObject, runObject } from "./published-run.js";
import type { RecipeRun } from "./run.js";

export interface PushOptions {
  /** Label of the only model to upload. Default: all of the run. */
  model?: string;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export interface Pushed {
  place: string;
  run: string;
  models: { label: string; version: string; place: string }[];
  /** Files that were not there yet. */
  sent: number;
}

/**
 * Uploads the models of a run, every byte compared with its checksum before, and makes the run the one to serve there. What is there already is
 * not sent again. Throws ConfigError for a target that is no address in S3, NotFoundError for an unknown label or bucket, ModelFormatError for
 * a model that is damaged here, E_UNAVAILABLE and IoError where the store refuses or fails.
 */
export async function pushRun(
  { result, workspace }: Pick<RecipeRun, "result" | "workspace">,
  target: string,
  { model, signal, onProgress }: PushOptions = {},
): Promise<Pushed> {
  if (!isS3(target))
    throw new ConfigError(`${JSON.stringify(target)} is no address in S3.`, {
      hint: "Write s3://bucket/prefix. A folder needs no upload: copy the recipe's folder of the workspace.",
    });
  const bucket = await openBucket(parseS3(target));
  const chosen = result.models.filter(({ label }) => model === undefined || label === model);
  if (model !== undefined && chosen.length === 0) {
    const labels = result.models.map(({ label }) => label);
    throw new NotFoundError(`The run has no model ${JSON.stringify(model)}.`, {
      hint: nameHint(model, labels),
      details: { got: model, allowed: labels },
    });
  }
  const models: Pushed["models"] = [];
  let sent = 0;
  for (const { label, version } of chosen) {
    await workspace.models.verify(label, version!, signal);
    const folder = join(workspace.models.root, label, version!);
    const prefix = modelObject(label, version!);
    sent += await pushFiles(bucket, { folder, prefix: `${prefix}/`, files: await filesOf(folder) }, { signal, onProgress });
    models.push({ label, version: version!, place: bucket.nameOf(prefix) });
  }
  const champion = chosen.some(({ label }) => label === result.champion) ? result.champion : chosen[0].label;
  const text = `${JSON.stringify({ ...result, champion, models: chosen }, undefined, 2)}\n`;
  await pushBytes(bucket, runObject(result.key), Buffer.from(text), signal);
  await pushBytes(bucket, LATEST, Buffer.from(`${JSON.stringify({ run: result.key })}\n`), signal);
  return { place: bucket.nameOf(""), run: result.key, models, sent };
}

/** All files of a model's folder, those that describe it last. */
async function filesOf(folder: string): Promise<Record<string, ManifestFile>> {
  const { files } = await readManifest(folder);
  const all = { ...files };
  for (const file of [MANIFEST, CHECKSUMS]) {
    const bytes = await readFile(join(folder, file));
    all[file] = { bytes: bytes.length, sha256: sha256(bytes) };
  }
  return all;
}
