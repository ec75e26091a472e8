/**
 * What a training leaves behind until it is done, so that the next equal one goes on: below <workspace>/unfinished, KEY.json says
 * which models were judged and saved, and fits/ has the checkpoints of those in progress. All of it goes when a training is done.
 */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { openCheckpoint, type StoredCheckpoint } from "../store/checkpoint-store.js";
import { ioErrors, writeFileAtomically } from "../store/durable-files.js";
import type { ComparableValues } from "./evaluation/judge-part.js";
import type { PartSummary } from "./evaluation/part.js";
import { type Fitting, fitLabelled } from "./fitting.js";
import type { ModelResult, RunOptions } from "./run-result.js";

export interface Unfinished extends Fitting {
  /** True when there is something to go on from. */
  kept(): boolean;
  /** Forgets everything; call it when the result is written. */
  done(): Promise<void>;
}

const journalSchema = z.object({
  judged: z.array(z.looseObject({ label: z.string(), model: z.string(), metrics: z.looseObject({}), seconds: z.number() })),
  saved: z.record(z.string(), z.string()),
  values: z.record(
    z.string(),
    z.array(z.record(z.string(), z.object({ values: z.array(z.number().nullable()), cluster: z.array(z.int()).optional() }))),
  ),
});

/** Values by case as JSON has them: null for a value that is not defined. */
interface KeptValues {
  values: (number | null)[];
  cluster?: number[];
}

interface Journal {
  judged: ModelResult[];
  saved: Record<string, string>;
  /** By label, scenario and part. */
  values: Record<string, Record<string, KeptValues>[]>;
}

export interface UnfinishedOptions extends RunOptions {
  /** Folder of the workspace. */
  folder: string;
  /** Fingerprint of recipe, data and version. */
  key: string;
  seed: number;
}

/** Reads what an interrupted training of the same key left; with `fresh`, forgets it. */
export async function openUnfinished({ folder, key, fresh, ...options }: UnfinishedOptions): Promise<Unfinished> {
  const root = join(folder, "unfinished");
  const fits = join(root, "fits");
  const file = join(root, `${key}.json`);
  const forget = () => ioErrors("remove", root, () => rm(root, { recursive: true, force: true }));
  if (fresh) await forget();
  const journal = (await readJournal(file)) ?? { judged: [], saved: {}, values: {} };
  const { seed, signal, onProgress, onStep, checkpointSeconds } = options;
  if (journal.judged.length > 0)
    onStep?.({ kind: "kept", judged: [...new Set(journal.judged.map(({ label }) => label))], saved: Object.keys(journal.saved) });

  let inProgress: StoredCheckpoint[] = [];
  const keep = async () => {
    await writeFileAtomically(file, JSON.stringify(journal));
    for (const checkpoint of inProgress) await checkpoint.remove(); // their results are safe now
    inProgress = [];
  };

  return {
    kept: () => existsSync(file) || existsSync(fits),

    async fit(model, input) {
      const { label, name, params } = model;
      let steps: number | undefined;
      const checkpoint = await openCheckpoint(
        fits,
        { data: input.data, features: input.features, model: name, params, seed: seed + (input.draw ?? 0), device: options.device },
        {
          everySeconds: checkpointSeconds,
          signal,
          total: () => steps,
          onProblem: (reason) => onStep?.({ kind: "checkpoint", label, reason }),
        },
      );
      inProgress.push(checkpoint);
      const { resumeFrom, total } = checkpoint;
      if (resumeFrom) onStep?.({ kind: "continued", label, step: resumeFrom.step, total });
      return fitLabelled(model, input, {
        ...options,
        checkpoint,
        onProgress: (progress) => {
          steps = progress.total;
          onProgress?.(progress);
        },
      });
    },

    judged(label) {
      const results = journal.judged.filter((result) => result.label === label);
      const values = journal.values[label]?.map(
        (parts) => new Map(Object.entries(parts).map(([part, kept]) => [part as PartSummary["name"], restored(kept)] as const)),
      );
      return results.length > 0 ? { results, ...(values ? { values } : {}) } : undefined;
    },

    async keepJudged({ results, values }) {
      journal.judged.push(...results);
      if (values)
        journal.values[results[0].label] = values.map((parts) => Object.fromEntries([...parts].map(([part, one]) => [part, written(one)])));
      await keep();
    },

    savedVersion: (label) => journal.saved[label],

    async keepSaved(label, version) {
      journal.saved[label] = version;
      await keep();
    },

    done: forget,
  };
}

function written({ values, cluster }: ComparableValues): KeptValues {
  const defined = Array.from(values, (value) => (Number.isNaN(value) ? null : value));
  return { values: defined, ...(cluster ? { cluster: [...cluster] } : {}) };
}

function restored({ values, cluster }: KeptValues): ComparableValues {
  const numbers = Float64Array.from(values, (value) => value ?? Number.NaN);
  return { values: numbers, ...(cluster ? { cluster: Int32Array.from(cluster) } : {}) };
}

/** Undefined when there is none, or none that is whole: then everything is done again. */
async function readJournal(file: string): Promise<Journal | undefined> {
  if (!existsSync(file)) return undefined;
  const text = await ioErrors("read", file, () => readFile(file, "utf8"));
  try {
    const json: unknown = JSON.parse(text);
    return journalSchema.safeParse(json).success ? (json as Journal) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
