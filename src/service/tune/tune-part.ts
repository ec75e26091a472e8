/**
 * The part of the data on which a search judges: the recipe's validation part, or one of the kind of its test part, cut off
 * what the test part leaves. The test part itself is never looked at. Of several folds the first one is taken.
 * Called by tune.ts and auto.ts.
 */
import { ConfigError, DataError } from "../../core/errors.js";
import type { EvaluationCase } from "../../evaluation/evaluate.js";
import { parseMetric } from "../../evaluation/metrics.js";
import type { Part } from "../evaluation/part.js";
import { partCases } from "../evaluation/part-cases.js";
import { partLeaks } from "../evaluation/part-leaks.js";
import { holdOut, type RecipeData } from "../prepare-data.js";
import type { Recipe } from "../recipe/recipe.js";
import type { RecipeSplit } from "../recipe/recipe-split.js";

export interface TuningPart extends Part {
  /** Questions with at least one right answer. */
  cases: EvaluationCase[];
  /** The same as they are put to one model of the recipe. */
  casesFor(label: string): EvaluationCase[];
  /** The split that was made, also when the recipe did not name it. */
  split: RecipeSplit;
}

/** For a search by `metric`. Throws DataError when the part cannot be cut off, leaks (unless `allowLeaks`), or has nothing to judge. */
export function tuningPart(
  recipe: Recipe,
  { interactions, folds }: Pick<RecipeData, "interactions" | "folds">,
  { excludeSeen, allowLeaks, metric }: { excludeSeen: boolean; allowLeaks?: boolean; metric: string },
): TuningPart {
  const { test, validation } = recipe.split;
  const [outer] = test ? holdOut({ ...recipe, split: { test } }, interactions, folds) : [];
  const split = validation ?? likeTest(test, outer);
  // what remains of several draws is only known where the test part is held out with it
  const parts =
    (test?.repeats ?? 1) > 1
      ? validationParts({ ...recipe, split: { test, validation: split } }, interactions)
      : validationParts({ ...recipe, split: { validation: split } }, outer?.train ?? interactions);
  const [part] = parts;
  partLeaks([part], { allowLeaks });
  const { onlyKnownUsers, questions, foldIn } = recipe.evaluation;
  const casesBy = (folded: boolean) =>
    partCases(part, { excludeSeen, onlyKnownUsers, questions, foldIn: folded }).filter(({ relevant }) => relevant.length > 0);
  const cases = casesBy(false);
  if (cases.length === 0 && parseMetric(metric).metric.of !== "rating")
    throw new DataError(`The validation part (${part.description}) has no one to judge on: no user of it has anything new to find.`, {
      hint: "Set split.validation to a larger or another part; with excludeSeen, items that a user had before do not count.",
    });
  const description = parts.length > 1 ? `the first of ${part.description}` : part.description;
  return { ...part, description, cases, casesFor: (label) => (foldIn.includes(label) ? casesBy(true) : cases), split };
}

function validationParts(recipe: Recipe, data: RecipeData["interactions"]): Part[] {
  try {
    return holdOut(recipe, data).filter(({ name }) => name === "validation");
  } catch (error) {
    if (!(error instanceof DataError || error instanceof ConfigError)) throw error;
    throw new DataError(`No validation part can be held out for tuning: ${error.message}`, { hint: error.hint, cause: error });
  }
}

/** A validation split of the kind of the test split; a boundary in time becomes the same share of the events. */
function likeTest(test: RecipeSplit | undefined, part: Part | undefined): RecipeSplit {
  if (!test || !part || test.by === "files") return { by: "auto", testFraction: 0.2 };
  if (test.at !== undefined) {
    const share = part.testInteractions / (part.trainInteractions + part.testInteractions);
    return { by: "time", testFraction: Math.min(0.5, Math.max(0.05, share)) };
  }
  if (test.by !== "folds") return { ...test, repeats: undefined };
  const { seed, given, givenFraction, folds = 2 } = test;
  const testFraction = 1 / folds;
  return test.of === "users" ? { by: "held-out-users", testFraction, seed, given, givenFraction } : { by: "random", testFraction, seed };
}
