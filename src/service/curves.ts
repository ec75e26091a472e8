/**
 * Training curves as TensorBoard event files, from the progress that models report: a folder per model and part, the step being the
 * iteration or epoch. Models made of models name the part of theirs in the tag. Called by fitting.ts.
 */
import { join } from "node:path";
import type { Progress } from "../core/model.js";
import { createEventFile } from "../store/event-file.js";

export interface CurvesOptions {
  /** Folder of all curves. */
  folder: string;
  label: string;
  /** Name of the model definition: its own progress has no name in the tags. */
  model: string;
  /** Absent: all data. */
  part?: string;
  /** From 1, where the part has several. */
  fold?: number;
}

export interface Curves {
  take(progress: Progress): void;
  close(): Promise<void>;
}

export function openCurves({ folder, label, model, part = "all", fold }: CurvesOptions): Curves {
  const file = createEventFile(join(folder, label, fold === undefined ? part : `${part}-${fold}`));
  return {
    take({ stage, done, loss, validation, learningRate }) {
      const known = { loss, validation, "learning rate": learningRate };
      const values = Object.entries(known).flatMap(([name, value]): [string, number][] =>
        value === undefined ? [] : [[stage === model ? name : `${stage}/${name}`, value]],
      );
      if (values.length > 0) file.add(done, Object.fromEntries(values));
    },
    close: () => file.close(),
  };
}
