/**
 * The library for browsers and edge run times: no `node:` import. Loads exported models over HTTP, recommends,
 * evaluates, and fits the classic models on the calling thread (use a Web Worker of your own for large data).
 */
export * from "./core/errors.js";
export type { Columns, Csr, EventCsr, IdMap } from "./core/interactions.js";
export type { FitContext, FittedModel, HistoryEvent, ModelDefinition, Progress, Query } from "./core/model.js";
export { createIdMap } from "./data/id-map.js";
export { type InteractionArrays, Interactions, selectEvents } from "./data/interactions.js";
export { type SplitSpec, split } from "./data/splits.js";
export { type EvaluateOptions, type EvaluationCase, evaluate, evaluateCases } from "./evaluation/evaluate.js";
export { listMetrics } from "./evaluation/metrics.js";
export { type KernelSource, setKernelSource } from "./kernels/loader.js";
export { fit, getModel, listModels } from "./models/registry.js";
export type { Recommendation, RecommendationBatch, Recommender, RecommendOptions } from "./ranking/recommender.js";
export { loadRemoteModel as loadModel, type RemoteOptions } from "./store/remote-model.js";
