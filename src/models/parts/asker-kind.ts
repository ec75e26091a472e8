/**
 * What is known of who asks: a history (known), that it is a user who never bought (newcomer), or nothing at all (guest).
 * Called by blend, which answers each kind by weights of its own.
 */
import type { Csr } from "../../core/interactions.js";
import type { Query } from "../../core/model.js";

export const ASKER_KINDS = ["known", "newcomer", "guest"] as const;
export type AskerKind = (typeof ASKER_KINDS)[number];

/** Known: a history, a basket where the models read it, or training events. Newcomer: a user without any; guest: nobody in particular. */
export function askerKind({ userIndex = -1, newcomer, history, basket }: Query, seen: Csr, readsBasket: boolean): AskerKind {
  if (history?.length || (readsBasket && basket?.length)) return "known";
  if (userIndex < 0) return newcomer ? "newcomer" : "guest";
  return seen.offsets[userIndex] < seen.offsets[userIndex + 1] ? "known" : "newcomer";
}
