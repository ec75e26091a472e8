/**
 * Rows that stand in two parts: the same user, item and timestamp. Without timestamps a repeated pair may as well be a
 * second purchase, so it is an error only where neither part repeats a pair by itself. Rows of unknown users are
 * compared by basket. A later purchase of the same item is no twin.
 */
import type { Interactions } from "../../core/interactions.js";
import { countInWords, type LeakFinding, type LeakKind, rowInWords } from "./finding.js";

/** Finds rows of `inner` that are also in `outer`. O(events). */
export function twinRows(
  outer: Interactions,
  inner: Interactions,
  { kind, names: [outerName, innerName] }: { kind: LeakKind; names: readonly [outer: string, inner: string] },
): LeakFinding[] {
  const timed = outer.timestamp !== undefined && inner.timestamp !== undefined;
  const isTwin = new Uint8Array(inner.numInteractions);
  const outerEvents = outer.eventsByUser();
  const innerEvents = inner.eventsByUser();
  for (let user = 0; user < inner.numUsers; user++) {
    const outerRows = outerEvents.positions.subarray(outerEvents.offsets[user], outerEvents.offsets[user + 1]);
    const innerRows = innerEvents.positions.subarray(innerEvents.offsets[user], innerEvents.offsets[user + 1]);
    if (outerRows.length > 0 && innerRows.length > 0) markTwins({ outer, inner, timed, isTwin }, outerRows, innerRows);
  }
  const outerBaskets = unknownUsersBaskets(outer);
  for (const [basket, innerRows] of unknownUsersBaskets(inner)) {
    const outerRows = outerBaskets.get(basket);
    if (outerRows) markTwins({ outer, inner, timed, isTwin }, outerRows, innerRows);
  }
  const count = isTwin.reduce((sum, one) => sum + one, 0);
  if (count === 0) return [];
  const example = rowInWords(inner, isTwin.indexOf(1));
  const certain = timed || !(repeatsPairs(outer) || repeatsPairs(inner));
  return [
    {
      kind,
      severity: certain ? "error" : "warning",
      count,
      share: count / inner.numInteractions,
      example,
      message: `${countInWords(count, inner.numInteractions, `${innerName} rows`)} are also in ${outerName} (same user${timed ? ", item and time" : " and item"}), such as ${example}.${
        certain ? "" : " Without timestamps a repeated purchase and a leaked row look the same."
      }`,
    },
  ];
}

interface Parts {
  outer: Interactions;
  inner: Interactions;
  timed: boolean;
  isTwin: Uint8Array;
}

/** Marks the inner rows of one user (or basket) that have a twin among the outer ones; O(outer + inner). */
function markTwins({ outer, inner, timed, isTwin }: Parts, outerRows: ArrayLike<number>, innerRows: ArrayLike<number>): void {
  const rowsOf = new Map<number, Map<number, number[]>>(); // by item, then time
  for (let i = 0; i < innerRows.length; i++) {
    const row = innerRows[i];
    const time = timed ? inner.timestamp![row] : 0;
    const times = rowsOf.get(inner.itemIndex[row]) ?? new Map<number, number[]>();
    rowsOf.set(inner.itemIndex[row], times);
    const rows = times.get(time);
    if (rows) rows.push(row);
    else times.set(time, [row]);
  }
  for (let o = 0; o < outerRows.length; o++) {
    const times = rowsOf.get(outer.itemIndex[outerRows[o]]);
    if (!times) continue;
    const time = timed ? outer.timestamp![outerRows[o]] : 0;
    for (const row of times.get(time) ?? []) isTwin[row] = 1;
    times.delete(time);
  }
}

function unknownUsersBaskets({ userIndex, basket }: Interactions): Map<number, number[]> {
  const baskets = new Map<number, number[]>();
  if (!basket) return baskets;
  for (let e = 0; e < basket.length; e++) {
    if (userIndex[e] >= 0 || basket[e] < 0) continue;
    const rows = baskets.get(basket[e]);
    if (rows) rows.push(e);
    else baskets.set(basket[e], [e]);
  }
  return baskets;
}

/** Whether some user has an item more than once. */
function repeatsPairs(data: Interactions): boolean {
  return data.matrixByUser().indices.length < data.eventsByUser().indices.length;
}
