/**
 * The part of the data on which a search judges: the recipe's validation part, or one of the kind of its test part, cut off
 * what the test part leaves. The test part itself is never looked at. Called by tune.ts and auto.ts.
 */
import { ConfigError, DataError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { EvaluationCase } from "../evaluation/evaluate.js";
import { partCases } from "./evaluate.js";
import { holdOut, type Part } from "./prepare-data.js";
import type { Recipe } from "./recipe.js";
import type { RecipeSplit } from "./recipe-split.js";

export interface TuningPart extends Part {
  /** Questions with at least one right answer. */
  cases: EvaluationCase[];
  /** The split that was made, also when the recipe did not name it. */
  split: RecipeSplit;
}

/** Throws DataError when the part cannot be cut off, or has nothing to judge. */
export function tuningPart(recipe: Recipe, data: Interactions, excludeSeen: boolean): TuningPart {
  const split = recipe.split.validation ?? likeTest(recipe, data);
  let part: Part;
  try {
    [part] = holdOut({ ...recipe, split: { ...recipe.split, validation: split } }, data);
  } catch (error) {
    if (!(error instanceof DataError || error instanceof ConfigError)) throw error;
    throw new DataError(`No validation part can be held out for tuning: ${error.message}`, { hint: error.hint, cause: error });
  }
  const cases = partCases(part, excludeSeen).filter(({ relevant }) => relevant.length > 0);
  if (cases.length === 0)
    throw new DataError(`The validation part (${part.description}) has no one to judge on: no user of it has anything new to find.`, {
      hint: "Set split.validation to a larger or another part; with excludeSeen, items that a user had before do not count.",
    });
  return { ...part, cases, split };
}

/** A validation split of the kind of the test split; a boundary in time becomes the same share of the events. */
function likeTest(recipe: Recipe, data: Interactions): RecipeSplit {
  const { test } = recipe.split;
  if (!test) return { by: "auto", testFraction: 0.2 };
  if (test.at === undefined) return test;
  const [part] = holdOut({ ...recipe, split: { test } }, data);
  const share = part.testInteractions / (part.trainInteractions + part.testInteractions);
  return { by: "time", testFraction: Math.min(0.5, Math.max(0.05, share)) };
}
