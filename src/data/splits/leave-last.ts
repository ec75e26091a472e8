/**
 * Tests the end of each user's history: the last events (`leave-last-out`) or the last baskets (`leave-last-basket`).
 * Users with nothing before it stay in train.
 */
import { DataError } from "../../core/errors.js";
import type { Interactions } from "../interactions.js";
import { checkCount, eachUser, inTimeOrder, side } from "./sides.js";

export function leaveLastOut(data: Interactions, perUser: number): Uint8Array {
  checkCount("perUser", perUser);
  const sides = new Uint8Array(data.numInteractions);
  eachUser(data, (positions) => {
    if (positions.length <= perUser) return;
    const own = inTimeOrder(data, positions);
    for (let e = own.length - perUser; e < own.length; e++) sides[own[e]] = side.test;
  });
  return sides;
}

export function leaveLastBasket(data: Interactions, perUser: number): Uint8Array {
  checkCount("perUser", perUser);
  const { basket } = data;
  if (!basket)
    throw new DataError("A split by leave-last-basket needs baskets, and these interactions have none.", {
      hint: "Name the order, invoice or session column when reading, or split by leave-last-out.",
    });
  const sides = new Uint8Array(data.numInteractions);
  eachUser(data, (positions) => {
    const ordered: number[] = []; // baskets by their first event
    const known = new Set<number>([-1]);
    for (const e of inTimeOrder(data, positions)) {
      if (known.has(basket[e])) continue;
      known.add(basket[e]);
      ordered.push(basket[e]);
    }
    if (ordered.length <= perUser) return;
    const last = new Set(ordered.slice(-perUser));
    for (const e of positions) if (last.has(basket[e])) sides[e] = side.test;
  });
  return sides;
}
