/**
 * What a study is: scenarios, each a list of models, a validation part inside the training data by which one model is chosen,
 * and the parts that are reported. `run-scenario.ts` measures them, `replicate.ts` judges the figures.
 */
import type { Interactions } from "../../core/interactions.js";
import type { FitContext, Progress } from "../../core/model.js";
import type { Recommender } from "../../ranking/recommender.js";
import type { StudyModel } from "./study-models.js";

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

/** Values of one run by metric label and segment; the headline stands under segment "". */
export type StudyValues = Record<string, Record<string, number>>;

/** A model is fitted on `train`, with the features where the study has some, and judged. */
export interface Judging extends Pick<FitContext, "userFeatures" | "itemFeatures"> {
  train: Interactions;
  judge(model: Recommender, entry: StudyModel): Promise<StudyValues>;
}

export interface Scenario {
  /** As printed; absent where a study has only one. */
  name?: string;
  models: readonly StudyModel[];
  chooseBy: string;
  /** Validation and reports fit on the same data: each model is fitted once and kept until the scenario is done. */
  fitsOnce?: boolean;
  direction: "maximize" | "minimize";
  /** Lies wholly inside the training data of every report: what may be tuned on and chosen by. */
  validation(seed: number): Promise<Judging>;
  /** What is reported: the scenario's name gets `suffix`; several judgings are folds, of which the mean is the headline. */
  reports: readonly { suffix: string; judgings(seed: number): Promise<Judging[]> }[];
}

export interface StudyData {
  /** Parsed config.yaml. */
  config: unknown;
  dataFolder: string;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

export interface Study {
  /** Names accepted by `--model`, read from the configuration. */
  modelNames(config: unknown): string[];
  /** Data is read when a scenario first needs it. Throws NotFoundError when it is not there. */
  scenarios(data: StudyData): readonly Scenario[];
}
