/**
 * The contract between models and everything above them: a `ModelDefinition` is registered once and
 * drives command line, HTTP, UI, tuning space, saved arrays and docs; its `fit` gives a `FittedModel`
 * that offers one or more scoring routes, among which `ranking/` picks the cheapest.
 */
import type { z } from "zod";
import type { Interactions } from "./interactions.js";

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
  /** Index of a user known at training time. */
  userIndex?: number;
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

/** What `fit` may use beside data and parameters. All optional parts may be absent. */
export interface FitContext {
  /** Every random choice follows from it. Default 42. */
  seed: number;
  /** Worker threads; 1 = a single one. Results do not depend on it. */
  threads: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Called after each step of a model that learns in steps; on "stop" the fit ends and gives the model of that step. */
  onStep?: (step: FitStep) => Promise<"continue" | "stop">;
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

/** A fitted model. At least one of `vectors`, `scoreAll` is present. All indexes are dense, ids never appear. */
export interface FittedModel {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly numUsers: number;
  readonly numItems: number;
  /** False when every query gets the same answer (popularity): such a model needs no fallback for cold users. */
  readonly personal: boolean;
  readonly vectors?: VectorRoute;
  /** Route 2: writes queries.length × numItems scores into `out`, row-major. Higher is better; NaN is never written. */
  scoreAll?(queries: readonly Query[], out: Float32Array): Promise<void>;
  /** Route 3: scores of given items for each query, queries.length × itemIndexes.length, row-major. */
  scoreCandidates?(queries: readonly Query[], itemIndexes: Int32Array, out: Float32Array): Promise<void>;
  /** Vectors whose cosine says how similar two items are, numItems × dimensions; absent when the model knows none. */
  readonly itemSimilarityVectors?: { dimensions: number; vectors: Float32Array };
  /** Loss after each iteration, where the model has one. */
  readonly losses?: readonly number[];
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
}

/** What is known of data before anything is fitted: by it `auto` chooses its candidates. */
export interface DataFacts {
  numUsers: number;
  numItems: number;
  numInteractions: number;
  /** Share of events whose user had the same item before, 0 to 1. */
  repeatShare: number;
  hasTimestamps: boolean;
}

export type ModelTask = "retrieve" | "sequence" | "rank" | "rate";

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
  restore(saved: { params: Params; numUsers: number; numItems: number; state: ModelState }): FittedModel;
  /** Contract checks that do not apply, each with its reason; printed by the suite. */
  skips?: readonly { check: string; reason: string }[];
  /** Place among the models from simple to complex; where the difference is not significant, the lower is preferred. Default 100. */
  complexity?: number;
  /** Why the model does not suit such data, as half a sentence; undefined when it does. */
  unsuited?(facts: DataFacts): string | undefined;
}
