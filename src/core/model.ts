/**
 * The contract between models and everything above them: a `ModelDefinition` is registered once and
 * drives command line, HTTP, UI, tuning space, saved arrays and docs; its `fit` gives a `FittedModel`
 * that offers one or more scoring routes, among which `ranking/` picks the cheapest.
 */
import type { z } from "zod";
import type { Features } from "./features.js";
import type { Csr, Interactions } from "./interactions.js";

export interface HistoryEvent {
  itemIndex: number;
  /** Default 1. */
  weight?: number;
  /** Milliseconds. */
  timestamp?: number;
  basket?: number;
}

/** One question, the same shape for all models. With `history` the user is scored from it alone (fold-in). */
export interface Query {
  /** Index of a user known at training time; −1 or absent: a guest, of whom nothing is known. */
  userIndex?: number;
  /** With no userIndex: a named user whom training did not know, not a guest. Users with an index and no events are newcomers anyway. */
  newcomer?: boolean;
  history?: readonly HistoryEvent[];
  /** Items of the basket in progress, in order: context for next-item models, and never recommended again. */
  basket?: readonly number[];
  /** Time of the question in milliseconds; models with decay use the last time of training by default. */
  timestamp?: number;
  context?: Readonly<Record<string, unknown>>;
}

/** Reported by `onProgress`; `done` of `total` steps, with the loss where the model has one. */
export interface Progress {
  stage: string;
  done: number;
  total: number;
  loss?: number;
  /** Value on what the model holds out of its own training data, higher being better; and the learning rate of the last step. */
  validation?: number;
  learningRate?: number;
  /** A few words beside the count, such as the best value so far. */
  note?: string;
}

/** A model in the middle of its fit, after `step` of `total` steps (sweeps, epochs, trees). */
export interface FitStep {
  step: number;
  total: number;
  /** The model as it stands now; the copy is made only when this is called. */
  model: () => FittedModel;
}

/**
 * Where a fit in steps keeps its state, so that a killed one goes on. The random numbers of step n follow from the seed and n
 * alone (`stepSeed`), hence a resumed fit ends at the same bytes.
 */
export interface Checkpoint {
  /** What an interrupted fit of the same data, parameters and seed had after `step` steps. */
  readonly resumeFrom?: { step: number; state: ModelState };
  /** Offered after every step; `state` is copied only when it is time to write. */
  save(step: number, state: () => ModelState): Promise<void>;
}

/** The tensor runtime (name and version) that trained the networks of a model, and the device it computed on. */
export interface RuntimeUse {
  name: string;
  device: string;
}

/** Typed columns aligned to the users and items of the data, for models that use them. */
export interface SideFeatures {
  userFeatures?: Features;
  itemFeatures?: Features;
}

/** What `fit` may use beside data and parameters. All optional parts may be absent. */
export interface FitContext extends SideFeatures {
  /** Every random choice follows from it. Default 42. */
  seed: number;
  /** Worker threads; 1 = a single one. Results do not depend on it. */
  threads: number;
  /** Where neural networks run: cpu (default), cuda, webgpu … as the machine's ONNX Runtime offers. */
  device?: string;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Called after each step of a model that learns in steps; on "stop" the fit ends and gives the model of that step. */
  onStep?: (step: FitStep) => Promise<"continue" | "stop">;
  checkpoint?: Checkpoint;
  /** Fits another registered model with the same seed, threads and signal, for models made of models. */
  fitModel?: (name: string, train: Interactions, params: Record<string, unknown>) => Promise<FittedModel>;
}

export type SavedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** What a model keeps: named flat arrays (row-major) with their shapes, and small JSON beside them. */
export interface ModelState {
  arrays: Record<string, { shape: readonly number[]; data: SavedArray }>;
  /** JSON-serialisable. */
  extra?: Record<string, unknown>;
}

/** Route 1: a query vector against the item matrix; score = dot product. The cheapest to rank. */
export interface VectorRoute {
  dimensions: number;
  /** numItems × dimensions, row-major. */
  itemVectors: Float32Array;
  /** Writes queries.length × dimensions into `out`, row-major. */
  encode(queries: readonly Query[], out: Float32Array): Promise<void>;
}

/** Rows (items, or users) with a score each, best first, equal scores by ascending index. */
export interface ScoredRows {
  index: Int32Array;
  score: Float32Array;
}

/** Why an item has its score: score = base + Σ contribution. */
export interface Explanation {
  score: number;
  /** What does not come from the asker's history: popularity, biases. */
  base: number;
  /** Items of the history, largest contribution first, equal ones by ascending index; each item once. */
  itemIndex: Int32Array;
  contribution: Float32Array;
}

/** Two models in a row: the first finds candidates among all items, the second orders them. */
export interface Stages {
  retriever: FittedModel;
  /** Items that the first hands on. */
  count: number;
  /** New scores of one query's candidates, given best first with the retriever's scores. */
  rescore(query: Query, itemIndexes: Int32Array, retrieverScores: Float32Array): Promise<Float32Array>;
}

/** How strongly a network lets each pair of features act together. */
export interface FeatureStrengths {
  /** Names of the features. */
  names: readonly string[];
  /** names.length × names.length, row-major; 0 or more. */
  strengths: Float32Array;
}

/** A fitted model. At least one of `vectors`, `scoreAll` is present. All indexes are dense, ids never appear. */
export interface FittedModel {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly numUsers: number;
  readonly numItems: number;
  /** False when every query gets the same answer (popularity): such a model needs no fallback for cold users. */
  readonly personal: boolean;
  /** True when the items of `query.basket` shape the scores: an unknown asker with a basket is then no cold user. Default false. */
  readonly readsBasket?: boolean;
  readonly vectors?: VectorRoute;
  /** Route 2: writes queries.length × numItems scores into `out`, row-major. Higher is better; NaN is never written. */
  scoreAll?(queries: readonly Query[], out: Float32Array): Promise<void>;
  /** Route 3: scores of given items for each query, queries.length × itemIndexes.length, row-major. */
  scoreCandidates?(queries: readonly Query[], itemIndexes: Int32Array, out: Float32Array): Promise<void>;
  /** How lists are made where the model is two in a row; preferred to the routes above, since filters come before the cut. */
  readonly stages?: Stages;
  /** Vectors whose cosine says how similar two items are, numItems × dimensions; absent when the model knows none. */
  readonly itemSimilarityVectors?: { dimensions: number; vectors: Float32Array };
  /** The same for users. */
  readonly userSimilarityVectors?: { dimensions: number; vectors: Float32Array };
  /** Nearest items by a measure of the model's own, at most `count`, without the item itself; preferred over the vectors. */
  similarItems?(itemIndex: number, count: number): Promise<ScoredRows>;
  /** The same for users. */
  similarUsers?(userIndex: number, count: number): Promise<ScoredRows>;
  /** True for a user without events whom the model knows all the same (by features): such a user is not cold. */
  knowsUser?(userIndex: number): boolean;
  /** The same for items: a history of such items is not cold. */
  knowsItem?(itemIndex: number): boolean;
  /** True when it reads the texts of the very event that is asked about (`query.context`, column → text): its own, so never in serving. */
  readonly readsEventTexts?: boolean;
  /** How much each item of the asker's history adds to the score of one item. */
  explain?(query: Query, itemIndex: number): Promise<Explanation>;
  /** Strengths of the pairs of features that the model crosses, learned in training; absent where it crosses none. */
  featureStrengths?(): FeatureStrengths;
  /** Loss after each iteration, where the model has one. */
  readonly losses?: readonly number[];
  /** What training measured of itself, by name in words. */
  readonly figures?: Readonly<Record<string, number>>;
  /**
   * Scoring as one ONNX file of standard operators, from raw indexes to scores, its inputs and outputs described in the file's
   * documentation string; absent where the model is no network.
   */
  toOnnx?(): Promise<Uint8Array>;
  state(): ModelState;
}

/** Ranges for tuning and help for forms and docs, keyed like the zod object of `params`. */
export interface ParamHelp {
  help: string;
  /** Inclusive search range, for numbers. */
  range?: readonly [number, number];
  scale?: "linear" | "log";
  /** False: tuning leaves the parameter as it is unless a recipe names it. Default true. */
  tune?: boolean;
  /** What the data must have for values other than the default; tuning leaves the parameter alone without it. */
  needs?: "timestamps";
  /** Largest value in a smoke run (`--fast`): for the passes, sweeps and rounds that make a fit long. */
  fast?: number;
}

/** What is known of data before anything is fitted: by it `auto` chooses its candidates. */
export interface DataFacts {
  numUsers: number;
  numItems: number;
  numInteractions: number;
  /** Share of events whose user had the same item before, 0 to 1. */
  repeatShare: number;
  hasTimestamps: boolean;
  hasItemFeatures?: boolean;
}

export type ModelTask = "retrieve" | "sequence" | "rank" | "rate";

/** What `restore` is given. */
export interface SavedModel<Params> {
  params: Params;
  numUsers: number;
  numItems: number;
  state: ModelState;
  /** User × item matrix of training (`Interactions.matrixByUser`), kept once for every model: the histories of known users. */
  seen: Csr;
  /** Restores another registered model, for models made of models. */
  restoreModel(name: string, saved: SavedModel<Record<string, unknown>>): FittedModel;
}

/**
 * Either a way to take in more data without a full retrain, or the reason why there is none.
 * `refit` gets all events, old and new, over users and items that begin with the old ones in their old order. It gives a new
 * model and leaves `previous` as it is. `how` says what is updated and what stays as it was, in one sentence.
 */
export type PartialRefit =
  | { how: string; refit(previous: FittedModel, train: Interactions, context: FitContext): Promise<FittedModel> }
  | { unavailable: string };

export interface ModelDefinition<Params extends Record<string, unknown> = Record<string, unknown>> {
  name: string;
  title: string;
  /** The paper or source of the formula. */
  reference: string;
  description: string;
  task: ModelTask;
  /** Strict zod object with a default for every key. */
  params: z.ZodType<Params>;
  help: { readonly [Key in keyof Params]: ParamHelp };
  /** Pure: the same input, parameters and seed give the same bytes. */
  fit(train: Interactions, params: Params, context: FitContext): Promise<FittedModel>;
  /** The inverse of `FittedModel.state`; throws ModelFormatError when arrays are missing or misshapen. */
  restore(saved: SavedModel<Params>): FittedModel;
  /** What new users, new items and new events need. */
  partialRefit: PartialRefit;
  /** Contract checks that do not apply, each with its reason; printed by the suite. */
  skips?: readonly { check: string; reason: string }[];
  /** Place among the models from simple to complex; where the difference is not significant, the lower is preferred. Default 100. */
  complexity?: number;
  /** `init` writes it into a new recipe whose data it suits; the others stand there as comments. Default false. */
  starter?: boolean;
  /** Why `auto` tries the model only where a recipe names it, as half a sentence. */
  onlyIfNamed?: string;
  /** The optional package that fitting and scoring need. Such models are left out where it cannot be had. */
  needs?: "onnxruntime";
  /**
   * Whether its scores predict the weights of events (ratings), so that rmse can judge them; `of` says it of another registered model.
   * Default: the models of task rate.
   */
  predictsWeights?(params: Params, of: (name: string, params: Record<string, unknown>) => boolean): boolean;
  /** What `fit` cannot do without in its context. */
  requires?: "itemFeatures";
  /** Why the model does not suit such data, as half a sentence; undefined when it does. */
  unsuited?(facts: DataFacts): string | undefined;
}
