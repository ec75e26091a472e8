/**
 * Why an item has its score in the list of one asker, in external ids: the items of the history that add most, what does not come
 * from the history, and the rest. Called by `recommend.ts`.
 */
import { ConfigError } from "../core/errors.js";
import type { Recommender } from "../ranking/recommender.js";
import { type Asker, checkWhole, queryOf } from "./asker.js";
import { knownIndex } from "./known-ids.js";

export interface ExplainRequest extends Omit<Asker, "basket"> {
  /** The item's id. */
  item: string;
  /** Most contributions listed, 1 to 100. Default 10. */
  limit?: number;
  /** Name of a loaded model. Default: the default model. */
  model?: string;
}

type Properties = Record<string, string | number | null>;

/** score = base + Σ contributions + rest. */
export interface ExplainAnswer {
  itemId: string;
  score: number;
  /** What does not come from the asker's history: popularity, biases. */
  base: number;
  /** Largest first. */
  contributions: { itemId: string; contribution: number; properties?: Properties }[];
  /** Of the items of the history that are not listed. */
  rest: number;
  /** Model name, or "popularity fallback": then the score is the item's number of events, all of it base. */
  source: string;
  modelVersion: string;
}

const maxLimit = 100;

interface Loaded {
  name: string;
  version: string;
  model: Recommender;
}

export async function explain(
  { name, version, model }: Loaded,
  { item, limit = 10, user, history }: ExplainRequest,
  context: { models: readonly Loaded[]; withProperties: (itemId: string) => { properties?: Properties }; signal?: AbortSignal },
): Promise<ExplainAnswer> {
  const { models, withProperties, signal } = context;
  checkWhole("limit", limit, maxLimit);
  const itemIndex = await knownIndex("item", item, model.items, { signal });
  const query = await queryOf(model, { user, history });
  if (!model.fitted.explain && !model.isCold(query)) {
    const able = models.filter((other) => other.model.fitted.explain).map((other) => other.name);
    throw new ConfigError(`The model ${name} cannot explain its scores: they do not split into shares of the asker's items.`, {
      hint: able.length > 0 ? `Ask a model that can: ${able.join(", ")}.` : "None of the loaded models can.",
      details: { path: "model", got: name, allowed: able },
    });
  }
  const { score, base, itemIndex: shares, contribution, source } = await model.explain(query, itemIndex);
  const contributions = Array.from(shares.subarray(0, limit), (index, place) => {
    const itemId = model.items.idOf(index);
    return { itemId, contribution: contribution[place], ...withProperties(itemId) };
  });
  const rest = contribution.subarray(limit).reduce((sum, share) => sum + share, 0);
  return { itemId: item, score, base, contributions, rest, source, modelVersion: version };
}
