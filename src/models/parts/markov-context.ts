/**
 * From a question to the terms of its score in `markov`: the last items, newest first, each with its weight; how far the asker
 * goes against the common order; and what the asker's own sequence adds. Pure functions, no state.
 */
import type { HistoryEvent, Query } from "../../core/model.js";
import { orderedHistory } from "./sequences.js";
import { type TransitionRows, transitionValue } from "./transitions.js";

/** A user's own events in order. */
export interface OwnSequence {
  items: ArrayLike<number>;
  /** Bit 1: the event stands in a basket. Bit 0: that basket is another than that of the event before. */
  baskets: ArrayLike<number>;
}

export interface ContextItem {
  itemIndex: number;
  weight: number;
  /** In the same basket (or the same run without baskets) as the next newer item. */
  joined: boolean;
}

/** Own events kept of each user. */
export const OWN_EVENTS = 1000;
const CONTEXT_ITEMS = 50;
const DIRECTION_FLOOR = 0.01; // what a step counts for a direction whose table does not know it

/** Marks of `OwnSequence.baskets` for events in order; −1 or undefined = no basket. */
export function basketMarks(baskets: readonly (number | undefined)[]): Uint8Array {
  return Uint8Array.from(baskets, (basket = -1, e) => (basket >= 0 ? 2 : 0) + (e > 0 && basket !== (baskets[e - 1] ?? -1) ? 1 : 0));
}

/** A given history as an own sequence. */
export function ownOfHistory(history: readonly HistoryEvent[]): OwnSequence {
  const events = orderedHistory(history).slice(-OWN_EVENTS);
  return { items: events.map(({ itemIndex }) => itemIndex), baskets: basketMarks(events.map(({ basket }) => basket)) };
}

/**
 * The last items, newest first: those of the basket in progress, then the own events.
 * weight = place^(−historyDecay), place 1 = newest, times `acrossBaskets` when the item lies in an earlier basket than the one asked for.
 */
export function contextOf(
  { basket = [] }: Query,
  own: OwnSequence,
  { historyDecay, acrossBaskets }: { historyDecay: number; acrossBaskets: number },
): ContextItem[] {
  const context: ContextItem[] = [];
  for (let i = basket.length - 1; i >= 0 && context.length < CONTEXT_ITEMS; i--)
    context.push({ itemIndex: basket[i], weight: (context.length + 1) ** -historyDecay, joined: context.length > 0 });
  const last = own.items.length - 1;
  const border = basket.length > 0 || own.baskets[last] & 2 ? acrossBaskets : 1;
  for (let e = last; e >= 0 && context.length < CONTEXT_ITEMS; e--) {
    const joined = e < last && (own.baskets[e + 1] & 1) === 0;
    context.push({ itemIndex: own.items[e], weight: border * (context.length + 1) ** -historyDecay, joined });
  }
  return context;
}

/**
 * How far the reverse table is believed, 0 to 1: the posterior of "steps go either way" against "steps go forward",
 * even odds before, after the steps of the context. A basket in a fixed order (sorted lines) soon silences the reverse table.
 */
export function eitherWay(context: readonly ContextItem[], forward: TransitionRows, reverse: TransitionRows): number {
  let odds = 1;
  for (let c = 1; c < context.length; c++) {
    if (!context[c].joined) break;
    const ahead = transitionValue(forward, context[c].itemIndex, context[c - 1].itemIndex);
    const back = transitionValue(reverse, context[c].itemIndex, context[c - 1].itemIndex);
    odds *= ((ahead + back) / 2 + DIRECTION_FLOOR) / (ahead + DIRECTION_FLOOR);
  }
  return odds / (1 + odds);
}

/**
 * What the asker's own sequence says: Σ over context items c of weight(c) · n(c, j) / (n(c) + 1), with n counted as in the
 * transition table but from the one sequence, within baskets. The newest place of an item in the context is its weight.
 */
export function ownSteps(
  context: readonly ContextItem[],
  { items, baskets }: OwnSequence,
  { window }: { window: number },
): { source: number; itemIndex: number; value: number }[] {
  const weightOf = new Map<number, number>();
  for (const { itemIndex, weight } of context) if (!weightOf.has(itemIndex)) weightOf.set(itemIndex, weight);
  const counted = new Map<number, { sum: number; counts: Map<number, number> }>();
  for (let e = 0; e < items.length; e++) {
    const source = items[e];
    if (!weightOf.has(source)) continue;
    const row = counted.get(source) ?? { sum: 0, counts: new Map<number, number>() };
    counted.set(source, row);
    for (let gap = 1; gap <= window && e + gap < items.length && (baskets[e + gap] & 1) === 0; gap++) {
      const other = items[e + gap];
      if (other === source) continue;
      row.sum += 1 / gap;
      row.counts.set(other, (row.counts.get(other) ?? 0) + 1 / gap);
    }
  }
  return [...weightOf].flatMap(([source, weight]) => {
    const { sum, counts } = counted.get(source) ?? { sum: 0, counts: new Map<number, number>() };
    return [...counts].map(([itemIndex, count]) => ({ source, itemIndex, value: (weight * count) / (sum + 1) }));
  });
}
