/**
 * What a run of a recipe reports: step by step while it goes on (`RunStep`), and as a whole (`RunResult`), which is
 * also the file that a later start reads instead of training again.
 */
import type { Progress } from "../core/model.js";
import type { LeftOut } from "../data/known-items.js";
import type { ReadReport } from "../data/readers/read-dataset.js";
import type { Table } from "../data/readers/read-table.js";
import type { Estimate, IntervalOptions, SegmentRow } from "../evaluation/summarize.js";
import type { BaselineComparison, ListResult, ListSource, ModelComparison } from "./evaluation/judged.js";
import type { PartLeaks, PartSummary } from "./evaluation/part.js";
import type { Serving } from "./recipe/route-schema.js";
import type { AutoDecision } from "./tune/auto-decision.js";

export interface DataSummary {
  numUsers: number;
  numItems: number;
  numInteractions: number;
  /** The numbers above are those of a smoke run's sample. */
  sampled?: boolean;
  report: ReadReport;
  /** Tables of features, where the recipe has some. */
  features?: readonly FeatureSummary[];
}

export interface FeatureSummary {
  whose: "users" | "items";
  /** Ids of the table, and how many of the data's it knows. */
  numIds: number;
  numKnown: number;
  report: Table["report"];
  /** Events of items that the table does not know, where the recipe leaves them out. */
  leftOut?: LeftOut;
}

export interface ModelResult {
  /** In which the figures came about; absent where the recipe names none. */
  scenario?: string;
  label: string;
  /** Name of the model definition. */
  model: string;
  params: Record<string, unknown>;
  /** Metric → value for each part, the mean over its folds. */
  metrics: Partial<Record<PartSummary["name"], Record<string, number>>>;
  /** Standard deviation over the folds of each part that has several. */
  spread?: Partial<Record<PartSummary["name"], Record<string, number>>>;
  /** Cases judged in each part, over its folds. */
  numCases?: Partial<Record<PartSummary["name"], number>>;
  /** Every metric with its interval, by part; when intervals were asked for. */
  estimates?: Partial<Record<PartSummary["name"], Record<string, Estimate>>>;
  /** Compared with the champion, by part; when intervals were asked for, and not of the champion itself. */
  comparison?: Partial<Record<PartSummary["name"], ModelComparison>>;
  /** Compared with the recipe's baseline, by part; where the recipe names one, and not of the baseline itself. */
  againstBaseline?: Partial<Record<PartSummary["name"], BaselineComparison>>;
  /** Figures by group of users and items for each part without folds; when a breakdown was asked for. */
  breakdown?: Partial<Record<PartSummary["name"], SegmentRow[]>>;
  /** Loss after each iteration of the (first) fit of each part, where the model has one. */
  losses?: Partial<Record<PartSummary["name"], readonly number[]>>;
  /** What the (first) fit of each part measured of its training, by name, where the model says something. */
  trainingFigures?: Partial<Record<PartSummary["name"], Readonly<Record<string, number>>>>;
  /** Time of fitting and judging, all parts. */
  seconds: number;
  /** Version in the model store; absent when nothing was saved. */
  version?: string;
  /** The version that a partial refit went on from; absent when the model was fitted in full. */
  refittedFrom?: string;
}

export interface Evaluation {
  data: DataSummary;
  parts: PartSummary[];
  /** Items a user had before neither appear nor count. */
  excludeSeen: boolean;
  metrics: string[];
  models: ModelResult[];
  /** Lists of other systems, judged on the last part. */
  lists?: ListResult[];
  /** What the leak check found, by part. */
  leaks?: PartLeaks[];
  /** Label of the best model by `chosenBy` on the first part; undefined when nothing was held out. */
  champion?: string;
  chosenBy: string;
  /** Of every fit. */
  seed?: number;
  /** Version of the package. */
  tastemaker?: string;
  /** Every scenario of a recipe that names some; what stands beside them is the first one's, but `models` are all of them. */
  scenarios?: ScenarioEvaluation[];
  /** A smoke run on a sample, with fits cut short: the figures mean nothing. */
  fast?: boolean;
  /** How intervals were made; absent when there are none. */
  intervals?: Required<IntervalOptions>;
}

/** The figures of one scenario. */
export interface ScenarioEvaluation extends Pick<Evaluation, "excludeSeen" | "metrics" | "models" | "lists" | "champion" | "chosenBy"> {
  name: string;
  title?: string;
}

export interface RunResult extends Evaluation {
  /** Fingerprint of recipe, data and version of the package. */
  key: string;
  recipe: string;
  title: string;
  /** ISO 8601. */
  createdAt: string;
  /** How `auto` came to its champion; absent when the best on the first part is it. */
  decision?: AutoDecision;
  /** What the recipe says about serving, where it says something. */
  serving?: Serving;
}

/** How one model is brought up to date, or judged on a part: by a partial refit, or in full and why. */
export interface RefitNote {
  label: string;
  /** Absent for the fit on all data. */
  part?: PartSummary["name"];
  /** What a partial refit updates, as a sentence. */
  how?: string;
  /** Why it is a full fit, as the end of a sentence. */
  inFull?: string;
}

export type RunStep =
  | { kind: "again" /** Why an earlier result is not used. */; reason: string }
  | { kind: "kept" /** Labels of the models that an interrupted training had done. */; judged: string[]; saved: string[] }
  | { kind: "continued"; label: string /** Done before the interruption. */; step: number; total?: number }
  | { kind: "checkpoint"; label: string /** Why its state cannot be read or kept. */; reason: string }
  | ({ kind: "refit" } & RefitNote)
  | { kind: "data"; data: DataSummary }
  | { kind: "parts"; parts: PartSummary[]; excludeSeen: boolean; reason: string }
  | { kind: "leaks"; leaks: PartLeaks[] }
  | { kind: "list"; result: ListResult }
  | { kind: "model"; result: ModelResult };

/** How long work tells of itself and is stopped. */
export interface RunOptions {
  /** Folder of the workspaces. Default: .tastemaker in the current folder. */
  workspace?: string;
  /** Where `source.file` is looked for first. */
  dataFolder?: string;
  /** Rejected rows are written to this file. */
  rejectsFile?: string;
  /** Use neither an earlier result nor what an interrupted training left. Default false. */
  fresh?: boolean;
  /** Seconds between two writes of the state of a fit in progress; 0 = after every step. Default 30. */
  checkpointSeconds?: number;
  /** Judge in spite of errors of the leak check. */
  allowLeaks?: boolean;
  /** Lists of other systems to judge beside the models. */
  lists?: readonly ListSource[];
  /** Role (user, item, score, rank) → column of those lists; by default guessed. */
  listColumns?: Readonly<Record<string, string>>;
  /** Give every figure an interval, and compare every model with the best. Default: neither. */
  intervals?: IntervalOptions;
  /** Judge by groups too: activity of users, popularity of items, repeated and new items. Default false. */
  breakdown?: boolean;
  /** Worker threads. Default: the cores of the machine. */
  threads?: number;
  /** Where networks are trained: cpu (default), cuda, webgpu … */
  device?: string;
  /** Folder for training curves as TensorBoard event files, one below it per model and part. Default: none are written. */
  tensorboard?: string;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  onStep?: (step: RunStep) => void;
}
