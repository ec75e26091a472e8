/** What a search over the models of a recipe reports: as a whole, and trial by trial while it goes on. */
import type { Trial } from "../../core/trials.js";
import type { DataSummary } from "../run-result.js";

export interface ModelTuning {
  label: string;
  /** Name of the model definition. */
  model: string;
  /** Id of the study in the trial store. */
  study: string;
  /** Parameters that were searched. */
  searched: string[];
  stoppedBy: "trials" | "seconds" | "space";
  /** Trials of an earlier run that were gone on with. */
  resumed: number;
  complete: number;
  pruned: number;
  failed: number;
  best: Pick<Trial, "number" | "params"> & { value: number };
  /** The metric with the parameters of the recipe; absent when they were not tried. */
  start?: number;
  /** Share of the trials' ranks that a parameter alone explains, largest first; empty with few trials. */
  importance: { param: string; importance: number }[];
  trials: Trial[];
  seconds: number;
}

/** The model with the best value, the first of equals; at least one. */
export function bestTuning(models: readonly ModelTuning[], direction: "maximize" | "minimize"): ModelTuning {
  const better = (a: ModelTuning, b: ModelTuning) => (direction === "minimize" ? a.best.value < b.best.value : a.best.value > b.best.value);
  return models.reduce((best, model) => (better(model, best) ? model : best));
}

export interface TuneReport {
  recipe: string;
  data: DataSummary;
  /** What was judged on, in words. */
  part: string;
  trainInteractions: number;
  testInteractions: number;
  numCases: number;
  metric: string;
  direction: "maximize" | "minimize";
  excludeSeen: boolean;
  sampler: string;
  scheduler: string;
  seed: number;
  models: ModelTuning[];
  /** Models with nothing to search. */
  skipped: { label: string; reason: string }[];
  /** Label of the model with the best value. */
  best: string;
  /** The models with their best parameters, as they stand in a recipe. */
  yaml: string;
}

export type TuneStep =
  | { kind: "data"; data: DataSummary }
  | { kind: "start"; metric: string; part: string; trainInteractions: number; testInteractions: number; numCases: number }
  | { kind: "study"; label: string; searched: string[]; resumed: number }
  | { kind: "trial"; label: string; metric: string; trial: Trial; best: Trial | undefined }
  | { kind: "skipped"; label: string; reason: string };
