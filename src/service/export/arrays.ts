/** The arrays that a model has learned, for the formats that write them as they are (npy, safetensors). */
import { ConfigError } from "../../core/errors.js";
import type { ModelState } from "../../core/model.js";
import type { Recommender } from "../../ranking/recommender.js";

/** Throws ConfigError for a model that keeps none. */
export function ownArrays({ name, fitted }: Recommender): ModelState["arrays"] {
  const { arrays } = fitted.state();
  if (Object.keys(arrays).length > 0) return arrays;
  throw new ConfigError(`The model ${name} keeps no arrays of its own: it answers from the events of training.`, {
    hint: "Export another model of the run (--model).",
  });
}
