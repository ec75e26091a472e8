/** The same recipe with models of few steps, for tests that train every model several times. */
import type { Recipe } from "../../src/service/recipe/recipe.js";

export function shortTraining(recipe: Recipe): Recipe {
  const models = recipe.models.map((model) => ({
    ...model,
    params: { ...model.params, ...("stepsPerEpoch" in model.params ? { stepsPerEpoch: 10, epochs: 3 } : {}) },
  }));
  return { ...recipe, models };
}
