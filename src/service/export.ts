/**
 * The use case "export": a saved model in a form that other programs read (export/formats.ts). Called by the command line.
 */
import { resolve } from "node:path";
import { ConfigError, NotFoundError } from "../core/errors.js";
import { nameHint } from "../core/nearest-names.js";
import { isS3 } from "../store/s3/place.js";
import { formatFor, formats } from "./export/formats.js";
import type { RecipeRun } from "./run.js";

export interface ExportOptions {
  /** Label of one of the run's models. Default: the champion. */
  model?: string;
  /** Default: by the target's name, else npy. */
  format?: string;
  signal?: AbortSignal;
}

export interface Exported {
  model: string;
  version: string;
  format: string;
  /** Absolute. */
  path: string;
}

/**
 * Writes a model of a run to `target`. Throws NotFoundError for an unknown label or format, ConfigError where the model has no such form,
 * IoError where the target cannot be written.
 */
export async function exportModel(
  { result, workspace }: Pick<RecipeRun, "result" | "workspace">,
  target: string,
  { model: label = result.champion ?? result.models[0].label, format = formatFor(target), signal }: ExportOptions = {},
): Promise<Exported> {
  if (isS3(target))
    throw new ConfigError("An export is written on this machine.", {
      hint: "Copy it to S3 afterwards, or upload the run with `tastemaker push`.",
    });
  if (!Object.hasOwn(formats, format)) throw unknown("format", format, Object.keys(formats));
  const found = result.models.find((model) => model.label === label);
  if (!found) {
    const labels = result.models.map((model) => model.label);
    throw unknown("model", label, labels);
  }
  const path = resolve(target);
  const loaded = await workspace.models.load(label, { version: found.version });
  try {
    await formats[format].write({ label, ...loaded, result }, path, { signal });
  } finally {
    loaded.model.dispose();
  }
  return { model: label, version: found.version!, format, path };
}

function unknown(kind: "model" | "format", got: string, allowed: string[]): NotFoundError {
  const what =
    kind === "model" ? `The run has no model ${JSON.stringify(got)}.` : `There is no format ${JSON.stringify(got)} of exported models.`;
  return new NotFoundError(what, { hint: nameHint(got, allowed), details: { got, allowed } });
}
