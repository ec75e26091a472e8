/**
 * The library for browsers and edge run times: no `node:` import. Loads exported models over HTTP, recommends,
 * evaluates, tunes, and fits the classic models on the calling thread (use a Web Worker of your own for large data).
 * `index.ts` adds what needs Node.
 */
export * from "./core/errors.js";
export type { Columns, Csr, EventCsr, IdMap } from "./core/interactions.js";
export type {
  Checkpoint,
  Explanation,
  FitContext,
  FittedModel,
  HistoryEvent,
  ModelDefinition,
  ModelState,
  PartialRefit,
  Progress,
  Query,
  ScoredRows,
} from "./core/model.js";
export type { Study, Trial, TrialParams, TrialStore } from "./core/trials.js";
export { createIdMap } from "./data/id-map.js";
export { type InteractionArrays, Interactions, selectEvents } from "./data/interactions.js";
export { alignInteractions, type FoldsSpec, type SplitResult, type SplitSpec, split, splitFolds } from "./data/splits.js";
export { adjustPValues, type PValueMethod } from "./evaluation/adjust-p-values.js";
export type { CandidatePolicy } from "./evaluation/candidates.js";
export { userCases } from "./evaluation/cases.js";
export { type CompareOptions, comparePaired, type PairedComparison } from "./evaluation/compare.js";
export {
  type Estimator,
  evaluatePolicy,
  loggedValue,
  type PolicyEstimate,
  type PolicyOptions,
  type PolicyReport,
} from "./evaluation/counterfactual/evaluate-policy.js";
export type { LoggedImpressions, TargetOnLog } from "./evaluation/counterfactual/logged-rows.js";
export { greedyPolicy, policyOnLog, softmaxPolicy, type TargetPolicy } from "./evaluation/counterfactual/policy.js";
export { fitItemRewards, type RewardModel, type RewardModelOptions } from "./evaluation/counterfactual/reward-model.js";
export { type EvaluateOptions, type EvaluationCase, evaluate, evaluateCases, evaluateWithIntervals } from "./evaluation/evaluate.js";
export { type CaseValues, type JudgeOptions, judgeCases } from "./evaluation/judge.js";
export { checkLeaks, type LeakFinding, type LeakKind, type LeakOptions } from "./evaluation/leaks.js";
export type { MetricContext } from "./evaluation/metric-context.js";
export { listMetrics } from "./evaluation/metrics.js";
export {
  evaluateLists,
  type ListRows,
  type ListsContext,
  type ListsEvaluation,
  recommenderOfLists,
  type UserLists,
  userLists,
} from "./evaluation/ranked-lists.js";
export {
  evaluateRatingModel,
  evaluateRatings,
  judgeRatingModel,
  judgeRatings,
  type RatingModelOptions,
  type RatingOptions,
} from "./evaluation/ratings.js";
export {
  activitySegments,
  itemSegments,
  popularitySegments,
  repeatSegments,
  type Segmentation,
  userSegments,
} from "./evaluation/segments.js";
export {
  type Estimate,
  type IntervalOptions,
  type SegmentRow,
  type SummarizeOptions,
  summarize,
  summarizeSegments,
} from "./evaluation/summarize.js";
export { type KernelSource, setKernelSource } from "./kernels/loader.js";
export { fit, getModel, listModels, refit } from "./models/registry.js";
export { type Runtime, setNeuralRuntime } from "./nn/runtime.js";
export type {
  ItemExplanation,
  Recommendation,
  RecommendationBatch,
  Recommender,
  RecommendOptions,
  SimilarOptions,
  SimilarUsers,
} from "./ranking/recommender.js";
export type { ItemProperties } from "./store/manifest-schema.js";
export { loadRemoteItemProperties as loadItemProperties, loadRemoteModel as loadModel, type RemoteOptions } from "./store/remote-model.js";
export { fetchScripts } from "./store/script-files.js";
export { createMemoryTrialStore } from "./tuning/memory-trial-store.js";
export { type ModelObjectiveOptions, modelObjective } from "./tuning/model-objective.js";
export { type ModelSpaceOptions, modelSpace, repairFor } from "./tuning/model-space.js";
export { gridSampler, type Question, randomSampler, type Sampler, sobolSampler } from "./tuning/sampler.js";
export { ashaScheduler, medianScheduler, noScheduler, type RungOptions, type Scheduler } from "./tuning/scheduler.js";
export type { Axis, Choices, NumberRange, Point, SearchSpace } from "./tuning/search-space.js";
export { type TpeOptions, tpeSampler } from "./tuning/tpe.js";
export { type Objective, type TrialRun, type TuneOptions, type TuneProgress, type TuneResult, tune } from "./tuning/tune.js";
