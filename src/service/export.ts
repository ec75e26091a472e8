/**
 * The use case "export": a saved model in a form that other programs read. One entry of `formats` per form; called by the command line.
 */
import { readdir } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { ConfigError, IoError, NotFoundError, throwIfCancelled } from "../core/errors.js";
import type { IdMap } from "../core/interactions.js";
import { nameHint } from "../core/nearest-names.js";
import { vectorsOnnx } from "../models/parts/vectors-onnx.js";
import type { Recommender } from "../ranking/recommender.js";
import { writeArrays } from "../store/array-files.js";
import { writeDurably, writeFileAtomically, writeFolderAtomically } from "../store/durable-files.js";
import { factorFiles } from "./factor-files.js";
import type { RecipeRun } from "./run.js";

export interface ExportOptions {
  /** Label of one of the run's models. Default: the champion. */
  model?: string;
  /** Default: onnx for a name that ends in .onnx, else npy. */
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

interface Format {
  /** What it writes, as shown in help. */
  help: string;
  write(model: Recommender, path: string, signal?: AbortSignal): Promise<void>;
}

const formats: Readonly<Record<string, Format>> = {
  onnx: {
    help: "one file that scores from indexes of users or items",
    async write(model, path) {
      const bytes = (await model.fitted.toOnnx?.()) ?? (await vectorsOnnx(model.fitted));
      if (!bytes)
        throw new ConfigError(`The model ${model.name} has no ONNX form: it is neither a network nor made of vectors.`, {
          hint: "Export its arrays with --format npy.",
        });
      await writeFileAtomically(path, bytes);
    },
  },
  npy: {
    help: "a folder with the model's arrays for numpy and its ids as JSON",
    async write({ fitted, users, items }, path, signal) {
      const fill = async (folder: string) => {
        await writeArrays(folder, fitted.state().arrays, signal);
        for (const [name, ids] of Object.entries({ users, items })) await writeDurably(join(folder, `${name}.json`), [idsAsJson(ids)]);
        throwIfCancelled(signal);
      };
      await writeFolderAtomically(path, fill, { mayReplace: onlyEmpty });
    },
  },
  wals: {
    help: "a folder with user.npy, item.npy (sorted ids), row.npy and col.npy (their factors) for numpy",
    async write(model, path, signal) {
      const files = await factorFiles(model, signal);
      const fill = async (folder: string) => {
        for (const [name, parts] of Object.entries(files)) await writeDurably(join(folder, name), parts());
        throwIfCancelled(signal);
      };
      await writeFolderAtomically(path, fill, { mayReplace: onlyEmpty });
    },
  },
};

/** Each format with what it writes. */
export const exportFormats: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(formats).map(([name, { help }]) => [name, help]),
);

/**
 * Writes a model of a run to `target`. Throws NotFoundError for an unknown label, ConfigError where the model has no such form, IoError
 * where the target cannot be written.
 */
export async function exportModel(
  { result, workspace }: Pick<RecipeRun, "result" | "workspace">,
  target: string,
  options: ExportOptions = {},
): Promise<Exported> {
  const { format = extname(target) === ".onnx" ? "onnx" : "npy", signal } = options;
  const label = options.model ?? result.champion ?? result.models[0].label;
  const labels = result.models.map((model) => model.label);
  const found = result.models.find((model) => model.label === label);
  if (!found)
    throw new NotFoundError(`The run has no model ${JSON.stringify(label)}.`, {
      hint: nameHint(label, labels),
      details: { got: label, allowed: labels },
    });
  const path = resolve(target);
  const { model } = await workspace.models.load(label, { version: found.version });
  try {
    await formats[format].write(model, path, signal);
  } finally {
    model.dispose();
  }
  return { model: label, version: found.version!, format, path };
}

function idsAsJson(ids: IdMap): Buffer {
  return Buffer.from(`${JSON.stringify([...ids.ids()])}\n`);
}

async function onlyEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder);
  if (entries.length > 0)
    throw new IoError(`${folder} is not empty (${entries.slice(0, 3).join(", ")} …).`, { hint: "Give a new or empty folder." });
}
