/** A held-out part of a recipe's data: what is told of it, its two sides, and what the leak check found in it. */
import type { Interactions } from "../../core/interactions.js";
import type { LeakFinding, LeakOptions } from "../../evaluation/leaks.js";

/** A held-out part of the data on which models are judged. */
export interface PartSummary {
  name: "validation" | "test";
  /** What it holds, in words. */
  description: string;
  trainInteractions: number;
  testInteractions: number;
  /** Number of folds or repeated draws, whose events are counted together; absent when there is one. */
  folds?: number;
}

/** One fold of a part, or the whole of it. */
export interface Part extends PartSummary {
  train: Interactions;
  test: Interactions;
  /** For held-out users: the part of their events that is shown to the model. */
  given?: Interactions;
  /** Number of the draw of a split that is drawn several times, each fitted with a seed of its own; else 0. */
  draw: number;
  /** The order of time that the split promises. */
  order: NonNullable<LeakOptions["order"]>;
}

export interface PartLeaks {
  part: PartSummary["name"];
  /** Of each kind the first, over all folds. */
  findings: LeakFinding[];
}
