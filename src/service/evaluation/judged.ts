/** What judging gives for a model or for lists of another system, as it stands in a run's result. */
import type { ListFile } from "../../data/readers/ranked-lists.js";
import type { PairedComparison } from "../../evaluation/compare.js";
import type { Estimate, SegmentRow } from "../../evaluation/summarize.js";
import type { PartSummary } from "./part.js";

export interface ModelComparison extends PairedComparison {
  /** Label of the best model; `difference` is this model − the best. */
  best: string;
  metric: string;
  /** `pBootstrap` corrected by Holm over the models that were compared. */
  pAdjusted: number;
}

/** A model beside the recipe's baseline, on the same questions. */
export interface BaselineComparison extends PairedComparison {
  /** Label of the baseline; `difference` is this model − the baseline. */
  baseline: string;
  metric: string;
  /** The model's figure over the baseline's; absent when that is 0. */
  ratio?: number;
  /** Coverage of the interval, as 0.95. */
  level: number;
}

/** A file of lists and the name it goes by. */
export interface ListSource {
  name: string;
  file: string;
}

export interface ListResult {
  label: string;
  part: PartSummary["name"];
  metrics: Record<string, number>;
  /** As in `ModelResult`, of `part`. */
  estimates?: Record<string, Estimate>;
  comparison?: ModelComparison;
  breakdown?: SegmentRow[];
  /** Cases judged, and those whose user has no list: each counts as an empty list, so as 0. */
  numCases: number;
  numWithoutList: number;
  /** Rows left out because the user's list names the item at a better place already. */
  numDuplicates: number;
  report: ListFile["report"];
  seconds: number;
}
