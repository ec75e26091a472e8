/**
 * What a format of `tastemaker export` is: one file of this folder each, listed in formats.ts. Its help, the choice by the target's name and
 * the command line follow from it.
 */
import { readdir } from "node:fs/promises";
import { IoError } from "../../core/errors.js";
import type { Recommender } from "../../ranking/recommender.js";
import type { Manifest } from "../../store/manifest-schema.js";
import type { RunResult } from "../run-result.js";

/** A saved model of a run. */
export interface Exportable {
  /** Its name in the run. */
  label: string;
  model: Recommender;
  manifest: Manifest;
  /** The folder in which the model store keeps it. */
  folder: string;
  result: RunResult;
}

export interface ExportFormat {
  /** What it writes, as shown in help. */
  help: string;
  /** Chosen where the target's name ends so, such as ".onnx", and no format is named. */
  extension?: string;
  /**
   * Writes the file or folder `path` (absolute) as a whole or not at all. Throws ConfigError for a model that has no such form, IoError where
   * `path` cannot be written or is a folder with other contents.
   */
  write(model: Exportable, path: string, options: { signal?: AbortSignal }): Promise<void>;
}

/** For `writeFolderAtomically`: an export replaces no folder but an empty one. */
export async function onlyEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder);
  if (entries.length > 0)
    throw new IoError(`${folder} is not empty (${entries.slice(0, 3).join(", ")} …).`, { hint: "Give a new or empty folder." });
}
