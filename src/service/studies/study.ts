/**
 * What a study is to `replicate.ts`: a program that reads its config.yaml, measures models, and hands out the figures one by one.
 */
import type { Progress } from "../../core/model.js";

/** One printed line: a model's value of one metric, beside what was published and what must be reached. */
export interface StudyResult {
  study: string;
  scenario?: string;
  model: string;
  variant?: string;
  segment?: string;
  metric: string;
  value: number;
  /** Standard deviation over seeds. */
  sd?: number;
  seeds?: number[];
  selected?: boolean;
  published?: number;
  source?: string;
  /** "reached" or "missed" against the target; "reported" where there is none. */
  verdict: "reached" | "missed" | "reported";
  seconds: number;
}

/** What a study's program gives; `replicateStudy` adds study name, published value and verdict. */
export type StudyMeasurement = Omit<StudyResult, "study" | "published" | "source" | "verdict">;

export interface StudyRun {
  /** Parsed config.yaml. */
  config: unknown;
  dataFolder: string;
  /** Only these models or variants; all when undefined. */
  models: readonly string[] | undefined;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  onMeasurement: (measurement: StudyMeasurement) => void;
}

export interface Study {
  /** Names accepted by `models`, read from the configuration. */
  modelNames(config: unknown): string[];
  run(run: StudyRun): Promise<void>;
}
