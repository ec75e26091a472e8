/**
 * The smoke run of a recipe (`--fast`): every step of the full one on a sample of users and with fits cut short. It shows within a
 * minute whether a recipe works; its figures mean nothing, so it has a name, a fingerprint and a workspace of its own.
 * Called by the commands with `--fast`; prepare-data.ts takes the sample.
 */

import type { Interactions } from "../data/interactions.js";
import type { Dataset } from "../data/readers/read-dataset.js";
import { eventsOfUsers, type SampleSize, sampleUsers, withOwnIds } from "../data/sample-users.js";
import { fastParams } from "../models/fast-params.js";
import type { Recipe } from "./recipe/recipe.js";

const SAMPLE: SampleSize = { events: 10_000, users: 100 };
/** Trials of each model in a search. */
const TRIALS = 2;

/** The same recipe cut short, under the name `NAME.fast`. */
export function fastRecipe(recipe: Recipe): Recipe {
  return {
    ...recipe,
    name: `${recipe.name}.fast`,
    title: `${recipe.title ?? recipe.name} (fast: figures mean nothing)`,
    models: recipe.models.map((model) => ({ ...model, params: fastParams(model.name, model.params) })),
    split: { validation: drawnOnce(recipe.split.validation), test: drawnOnce(recipe.split.test) },
    tune: { ...recipe.tune, trials: TRIALS },
    fast: SAMPLE,
  };
}

const drawnOnce = (split: Recipe["split"]["test"]) => split && { ...split, repeats: undefined };

/** What a smoke run keeps of the data that was read and cleaned. */
export function sampleDataset(dataset: Dataset, sample: SampleSize, seed: number): Dataset {
  const { interactions, items } = withOwnIds(dataset.interactions, sampleUsers(dataset.interactions, sample, seed));
  const itemProperties = Object.fromEntries(
    Object.entries(dataset.itemProperties).map(([name, values]) => [name, Array.from(items, (item) => values[item])]),
  );
  return { ...dataset, interactions, itemProperties };
}

/** The same users' part of a table that was read beside the sampled one. */
export function sampleLike(data: Interactions, sampled: Interactions): Interactions {
  return withOwnIds(data, eventsOfUsers(data, sampled.users)).interactions;
}
