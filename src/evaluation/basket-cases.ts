/**
 * Questions about baskets (orders, invoices, sessions): one for each, or one for each of its lines. A basket is the events of one number,
 * in input order; an event without one stands alone. Called by service/evaluation/part-cases.ts and the retail study.
 */
import { DataError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { HistoryEvent } from "../core/model.js";
import type { EvaluationCase } from "./cases.js";

/** One case for each basket of `test`: its user, and its items as the answers. An item on several lines is relevant several times. */
export function basketCases(test: Interactions): EvaluationCase[] {
  const { userIndex, itemIndex } = test;
  return baskets(test).map(({ events, cluster }) => ({
    query: { userIndex: userIndex[events[0]] },
    relevant: Int32Array.from(events, (e) => itemIndex[e]),
    cluster,
  }));
}

/**
 * One case for each line of a basket: the user, the lines before it (which are not recommended again), the time, and the line's item as
 * the answer. With `foldIn` the query carries the user's train events and the lines before as a history, for models that know
 * no baskets. O(lines × lines of their basket).
 */
export function lineCases(train: Interactions, test: Interactions, { foldIn = false }: { foldIn?: boolean } = {}): EvaluationCase[] {
  const { userIndex: userOf, itemIndex, timestamp } = test;
  const { offsets, indices, values } = train.matrixByUser();
  const cases: EvaluationCase[] = [];
  for (const { events, cluster } of baskets(test)) {
    const userIndex = userOf[events[0]];
    const past: HistoryEvent[] = [];
    if (foldIn && userIndex >= 0)
      for (let e = offsets[userIndex]; e < offsets[userIndex + 1]; e++) past.push({ itemIndex: indices[e], weight: values[e] });
    for (const [line, event] of events.entries()) {
      const basket = events.slice(0, line).map((e) => itemIndex[e]);
      const history = foldIn ? [...past, ...basket.map((item) => ({ itemIndex: item }))] : undefined;
      const query = { userIndex, basket, history, timestamp: timestamp?.[events[0]] };
      cases.push({ query, relevant: itemIndex.subarray(event, event + 1), cluster });
    }
  }
  return cases;
}

interface Basket {
  /** Positions, ascending; at least one. */
  events: number[];
  /** Baskets of one user belong together; one of nobody stands alone. */
  cluster: number;
}

/** In order of their first lines. Throws DataError where the events have no baskets. */
function baskets({ basket, userIndex, numInteractions, numUsers }: Interactions): Basket[] {
  if (!basket)
    throw new DataError("Questions about baskets need events with baskets, and these have none.", {
      hint: "Name the column of the order, invoice or session as basket, or ask one question per user.",
    });
  const found: Basket[] = [];
  const at = new Map<number, Basket>();
  for (let e = 0; e < numInteractions; e++) {
    const known = basket[e] < 0 ? undefined : at.get(basket[e]);
    if (known) {
      known.events.push(e);
      continue;
    }
    const user = userIndex[e];
    const fresh: Basket = { events: [e], cluster: user >= 0 ? user : numUsers + found.length };
    found.push(fresh);
    if (basket[e] >= 0) at.set(basket[e], fresh);
  }
  return found;
}
