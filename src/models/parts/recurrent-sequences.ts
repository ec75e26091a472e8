/**
 * What the recurrent models read: items in order of time, −1 as the mark of a beginning (of a sequence, and of every basket). A sequence is
 * all that a user did, basket after basket, or each basket by itself; baskets of unknown users stand alone either way.
 * Called by parts/recurrent-model.ts.
 */
import { DataError } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { HistoryEvent, Query } from "../../core/model.js";
import { eventSequences, orderedHistory } from "./sequences.js";
import type { ItemSequences } from "./user-sequences.js";

export type SequenceKind = "user" | "basket";

export const MARK = -1;

export interface SequenceOptions {
  sequence: SequenceKind;
  /** Most inputs of one training sequence; longer ones are cut into several. */
  maxLength: number;
}

/** Sequences for training, and whose they are (−1: an unknown user's). Throws DataError where baskets are asked for and there are none. */
export function trainingSequences(
  train: Interactions,
  { sequence, maxLength }: SequenceOptions,
): { sequences: ItemSequences; ofSequence: Int32Array } {
  if (sequence === "basket" && !train.basket)
    throw new DataError("The sequences are to be baskets, but the data has none.", {
      hint: "Name the basket column, or set sequence: user.",
    });
  const ends = [0];
  const items: number[] = [];
  const owners: number[] = [];
  const add = (tokens: ArrayLike<number>, user: number) => {
    for (let from = 0; from + 1 < tokens.length; from += maxLength) {
      for (let k = from; k <= Math.min(from + maxLength, tokens.length - 1); k++) items.push(tokens[k]);
      ends.push(items.length);
      owners.push(user);
    }
  };
  eachSequence(train, (tokens, user) => {
    if (sequence === "user") add(tokens, user);
    else for (const basket of basketsOf(tokens)) add(basket, user);
  });
  return { sequences: { offsets: Int32Array.from(ends), items: Int32Array.from(items) }, ofSequence: Int32Array.from(owners) };
}

/** The newest of every user's sequence, at most maxLength tokens. */
export function newestOfUsers(train: Interactions, maxLength: number): ItemSequences {
  const offsets = new Int32Array(train.numUsers + 1);
  const kept: Int32Array[] = new Array(train.numUsers);
  eachSequence(train, (tokens, user) => {
    if (user >= 0) kept[user] = Int32Array.from(tokens.slice(Math.max(0, tokens.length - maxLength)));
  });
  for (let user = 0; user < train.numUsers; user++) offsets[user + 1] = offsets[user] + (kept[user]?.length ?? 0);
  const items = new Int32Array(offsets[train.numUsers]);
  kept.forEach((tokens, user) => {
    items.set(tokens, offsets[user]);
  });
  return { offsets, items };
}

/** Calls with the tokens of every user with events, then of every basket of unknown users. */
function eachSequence(train: Interactions, visit: (tokens: number[], user: number) => void): void {
  const { numUsers, itemIndex, basket } = train;
  const { offsets, positions } = eventSequences(train);
  for (let s = 0; s + 1 < offsets.length; s++) {
    if (offsets[s] === offsets[s + 1]) continue;
    const tokens: number[] = [];
    let before = Number.NaN;
    for (let slot = offsets[s]; slot < offsets[s + 1]; slot++) {
      const event = positions[slot];
      const own = basket?.[event] ?? -1;
      if (own !== before) tokens.push(MARK);
      before = own;
      tokens.push(itemIndex[event]);
    }
    visit(tokens, s < numUsers ? s : -1);
  }
}

function* basketsOf(tokens: readonly number[]): Iterable<readonly number[]> {
  for (let from = 0; from < tokens.length; ) {
    const next = tokens.indexOf(MARK, from + 1);
    const end = next < 0 ? tokens.length : next;
    yield tokens.slice(from, end);
    from = end;
  }
}

/**
 * What is read for a question. `user`: the past (the query's history, else the user's own, the newest maxLength), then the basket.
 * `basket`: the basket alone; a query without one goes on with the last basket of the past, one with an empty basket begins a new one.
 */
export function tokensOf(
  { userIndex = -1, history, basket }: Query,
  own: ItemSequences,
  { sequence, maxLength, hasBaskets }: SequenceOptions & { hasBaskets: boolean },
): Int32Array {
  const past = history?.length
    ? historyTokens(history)
    : userIndex >= 0
      ? own.items.subarray(own.offsets[userIndex], own.offsets[userIndex + 1])
      : new Int32Array(0);
  if (sequence === "basket") return Int32Array.of(MARK, ...(basket ?? past.subarray(past.lastIndexOf(MARK) + 1)));
  const newest = past.subarray(Math.max(0, past.length - maxLength));
  const border = hasBaskets || newest.length === 0 ? [MARK] : [];
  return Int32Array.of(...newest, ...border, ...(basket ?? []));
}

function historyTokens(history: readonly HistoryEvent[]): Int32Array {
  const tokens: number[] = [];
  let before = Number.NaN;
  for (const { itemIndex, basket = -1 } of orderedHistory(history)) {
    if (basket !== before) tokens.push(MARK);
    before = basket;
    tokens.push(itemIndex);
  }
  return Int32Array.from(tokens);
}
