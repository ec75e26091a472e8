/**
 * Trials of a tuning run and the contract of where they are kept. `tuning/` drives them, `store/trial-store.ts` keeps
 * them in SQLite, `tuning/memory-trial-store.ts` in memory; one suite tests both.
 */

/** Parameters of a model; a key that is not there is left to the model's default. JSON-serialisable. */
export type TrialParams = Readonly<Record<string, unknown>>;

export interface Trial {
  /** 0, 1, 2 … in the order in which they were asked for; they may finish in another. */
  number: number;
  params: TrialParams;
  /** `pruned`: stopped early by the scheduler; `failed`: these parameters cannot be fitted. */
  state: "complete" | "pruned" | "failed";
  /** The metric at the end, or at the step at which it was stopped; absent when failed. */
  value?: number;
  /** The metric at the steps at which it was measured, ascending. */
  reports: readonly { step: number; value: number }[];
  seconds: number;
  /** Why it failed. */
  error?: string;
}

/** One search: trials of equal settings. */
export interface Study {
  /** Fingerprint of everything that decides the trials; the key. */
  id: string;
  /** What it is about, for people: model, metric, space, sampler … JSON-serialisable. */
  settings: Readonly<Record<string, unknown>>;
  /** ISO 8601. */
  createdAt: string;
}

/** Keeps trials. What was acknowledged survives a kill of the process; several processes may read while one writes. */
export interface TrialStore {
  /** Makes the study known; one that is there already stays as it is. */
  putStudy(study: Study): Promise<void>;
  readStudy(id: string): Promise<Study | undefined>;
  listStudies(): Promise<Study[]>;
  /** Removes the study and its trials; nothing happens when there is none. */
  deleteStudy(id: string): Promise<void>;
  /** Keeps a finished trial. Throws NotFoundError (no such study), E_UNAVAILABLE (its number is taken: another search is running on the study). */
  addTrial(study: string, trial: Trial): Promise<void>;
  /** By ascending number; empty when there is no such study. */
  listTrials(study: string): Promise<Trial[]>;
  close(): Promise<void>;
}
