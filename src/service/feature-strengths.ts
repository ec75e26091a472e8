/** The strengths of feature pairs of a trained model, strongest first. Called by the command `features`. */
import { ConfigError } from "../core/errors.js";
import type { FeatureStrengths } from "../core/model.js";
import type { RecipeRun } from "./run.js";

export interface FeaturePairs extends FeatureStrengths {
  model: string;
  version: string;
  /** Each unordered pair once, both directions taken together (root of the sum of squares), strongest first. */
  pairs: { features: readonly [string, string]; strength: number }[];
}

/** Of one model of a run (default: its champion). Throws ConfigError when it crosses no features. */
export async function featurePairs({ result, workspace }: Pick<RecipeRun, "result" | "workspace">, label?: string): Promise<FeaturePairs> {
  const known = result.models.find((one) => one.label === (label ?? result.champion));
  if (!known)
    throw new ConfigError(`The run has no model ${JSON.stringify(label)}.`, {
      hint: `It has ${result.models.map((one) => one.label).join(", ")}.`,
    });
  const { model, manifest } = await workspace.models.load(known.label, { version: known.version });
  try {
    const found = model.fitted.featureStrengths?.();
    if (!found)
      throw new ConfigError(`The model ${known.label} crosses no features.`, {
        hint: "Take a model that does, such as dcn with cross layers.",
      });
    return { model: known.label, version: manifest.version, ...found, pairs: pairsOf(found) };
  } finally {
    model.dispose();
  }
}

/** Each unordered pair of features, strongest first. */
export function pairsOf({ names, strengths }: FeatureStrengths): FeaturePairs["pairs"] {
  const pairs: FeaturePairs["pairs"] = [];
  names.forEach((first, a) => {
    for (let b = a; b < names.length; b++) {
      const [there, back] = [strengths[a * names.length + b], a === b ? 0 : strengths[b * names.length + a]];
      pairs.push({ features: [first, names[b]], strength: Math.hypot(there, back) });
    }
  });
  return pairs.sort((x, y) => y.strength - x.strength);
}
