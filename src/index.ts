/**
 * The public library API for Node. Everything here is stable; `tastemaker/browser` offers the part that needs no Node.
 */
export * from "./core/errors.js";
export type { Columns, Csr, EventCsr, IdMap } from "./core/interactions.js";
export type { FitContext, FittedModel, HistoryEvent, ModelDefinition, Progress, Query } from "./core/model.js";
export { createIdMap } from "./data/id-map.js";
export { type InteractionArrays, Interactions, selectEvents } from "./data/interactions.js";
export {
  type ColumnNames,
  type Dataset,
  type ReadOptions,
  type ReadReport,
  type RejectReason,
  readDataset,
  readInteractions,
} from "./data/readers/read-dataset.js";
export { type SplitSpec, split } from "./data/splits.js";
export { type EvaluateOptions, type EvaluationCase, evaluate, evaluateCases } from "./evaluation/evaluate.js";
export { listMetrics } from "./evaluation/metrics.js";
export { fit, getModel, listModels } from "./models/registry.js";
export type { Recommendation, RecommendationBatch, Recommender, RecommendOptions } from "./ranking/recommender.js";
export { loadModel, type Manifest, readManifest, type SaveOptions, saveModel } from "./store/model-folder.js";
