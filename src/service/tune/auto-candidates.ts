/** The models that `auto` tries: those that suit the data, simple ones first, and why the others do not. Called by auto.ts. */
import type { Interactions } from "../../core/interactions.js";
import type { DataFacts, ModelDefinition, SideFeatures } from "../../core/model.js";
import { parseParams } from "../../core/params.js";
import { listModels } from "../../models/registry.js";
import { repeatShare } from "../prepare-data.js";
import type { Recipe } from "../recipe/recipe.js";
import type { AutoDecision } from "./auto-decision.js";

/** What decides whether a model suits the data. */
export function factsOf(data: Interactions, { itemFeatures }: SideFeatures): DataFacts {
  const { numUsers, numItems, numInteractions, timestamp } = data;
  return {
    numUsers,
    numItems,
    numInteractions,
    repeatShare: repeatShare(data),
    hasTimestamps: timestamp !== undefined,
    hasItemFeatures: itemFeatures !== undefined,
  };
}

/** Minutes to hours on a few cores, and an optional package: not without being asked for. */
const neuralAsked = "it is a neural network, which is tried only when the recipe names it under models";

export interface Candidate {
  definition: ModelDefinition;
  label: string;
  params: Record<string, unknown>;
}

/** Models that suit the data, simple ones first; a recipe's model of that name lends its label and parameters. */
export function candidatesFor(recipe: Recipe, facts: DataFacts): { candidates: Candidate[]; leftOut: AutoDecision["leftOut"] } {
  const candidates: Candidate[] = [];
  const leftOut: AutoDecision["leftOut"] = [];
  const definitions = listModels().filter(({ task }) => task === "retrieve" || task === "sequence");
  for (const definition of [...definitions].sort((a, b) => (a.complexity ?? 100) - (b.complexity ?? 100))) {
    const { name } = definition;
    const own = recipe.models.find((model) => model.name === name);
    const reason = definition.unsuited?.(facts) ?? (own ? undefined : (definition.onlyIfNamed ?? (definition.needs && neuralAsked)));
    if (reason !== undefined) {
      leftOut.push({ model: name, reason });
      continue;
    }
    candidates.push({ definition, label: own?.label ?? name, params: own?.params ?? parseParams(definition.params, {}, `Model ${name}`) });
  }
  return { candidates, leftOut };
}
