/**
 * Who asks, in external ids, as a query of the model; and the checks of a request's numbers. Called by `recommend.ts` and `explain.ts`.
 */
import { ConfigError } from "../core/errors.js";
import { MAX_WEIGHT } from "../core/interactions.js";
import type { Query } from "../core/model.js";
import type { Recommender } from "../ranking/recommender.js";
import { knownItems } from "./known-ids.js";

export interface Asker {
  /** A user's id. One the model does not know is a newcomer; none at all, a guest. */
  user?: string;
  /** Events since training, or those of an unseen user. Events of the same item are summed. */
  history?: readonly { itemId: string /** From 0 to 1e30. Default 1. */; weight?: number }[];
  /** Items of the basket in progress, in order: models that know baskets go by it, and none recommends them again. */
  basket?: readonly string[];
}

/** Throws ConfigError for unknown items and weights out of range; `names` are what it calls the lists. */
export async function queryOf(
  model: Recommender,
  { user, history = [], basket }: Asker,
  names: Partial<Record<"history" | "basket", string>> = {},
): Promise<Query> {
  const itemIds = history.map(({ itemId }) => itemId);
  const events = await knownItems(names.history ?? "history", itemIds, model.items);
  const weights = history.map(({ weight = 1 }, place) => checkWeight(weight, `history[${place}].weight`));
  const query = toQuery(model, user, { events, weights });
  return basket?.length ? { ...query, basket: await knownItems(names.basket ?? "basket", basket, model.items) } : query;
}

/** A known user without new events is asked for by index; otherwise training row and events become one history. */
function toQuery(model: Recommender, user: string | undefined, { events, weights }: { events: number[]; weights: number[] }): Query {
  const userIndex = user === undefined ? -1 : model.users.indexOf(user);
  if (events.length === 0 && userIndex < 0) return user === undefined ? {} : { newcomer: true };
  if (events.length === 0) return { userIndex };
  const summed = new Map<number, number>();
  if (userIndex >= 0) {
    const { offsets, indices, values } = model.seen;
    for (let e = offsets[userIndex]; e < offsets[userIndex + 1]; e++) summed.set(indices[e], values[e]);
  }
  events.forEach((itemIndex, place) => {
    summed.set(itemIndex, (summed.get(itemIndex) ?? 0) + weights[place]);
  });
  return { history: Array.from(summed, ([itemIndex, weight]) => ({ itemIndex, weight })) };
}

/** The number itself; throws ConfigError outside 1 … `most`. */
export function checkWhole(path: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new ConfigError(`${path} is ${value}.`, {
    hint: `Give a whole number from 1 to ${most}.`,
    details: { path, got: value, allowed: [1, most] },
  });
}

function checkWeight(weight: number, path: string): number {
  if (weight >= 0 && weight <= MAX_WEIGHT) return weight;
  throw new ConfigError(`${path} is ${weight}.`, { hint: "Weights are numbers from 0 to 1e30.", details: { path, got: weight } });
}
