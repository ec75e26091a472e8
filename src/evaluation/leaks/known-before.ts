/**
 * Users, items and baskets across the cut: items and users that only the test part knows, held-out users that train knows,
 * and baskets of which train has a part.
 */
import type { Interactions } from "../../core/interactions.js";
import { countInWords, type LeakFinding, type LeakKind, rowInWords } from "./finding.js";

/** Test rows whose item has no train row: no model can learn it from events, and a real one would not know that it will exist. */
export function futureItems(train: Interactions, test: Interactions): LeakFinding[] {
  const known = marks(train.numItems, train.itemIndex);
  return unknownRows(test, { kind: "future-items", of: test.itemIndex, known, what: "item" });
}

/** Test rows whose user has no train row (nor a given part): judged on the popularity fallback of a model. */
export function futureUsers(train: Interactions, test: Interactions): LeakFinding[] {
  const known = marks(train.numUsers, train.userIndex);
  return unknownRows(test, { kind: "future-users", of: test.userIndex, known, what: "user" });
}

function unknownRows(
  test: Interactions,
  { kind, of, known, what }: { kind: LeakKind; of: Int32Array; known: Uint8Array; what: string },
): LeakFinding[] {
  const unknown = new Set<number>();
  let count = 0;
  let row = -1;
  for (let e = 0; e < of.length; e++) {
    if (of[e] < 0 || known[of[e]]) continue;
    unknown.add(of[e]);
    if (count++ === 0) row = e;
  }
  if (count === 0) return [];
  const example = rowInWords(test, row);
  const message = `${countInWords(count, test.numInteractions, "test rows")} are of ${unknown.size.toLocaleString("en")} ${what}${unknown.size === 1 ? "" : "s"} without any train row, such as ${example}.`;
  return [{ kind, severity: "warning", count, share: count / test.numInteractions, example, message }];
}

/** Held-out users must be unknown to train. */
export function heldOutUsersInTrain(train: Interactions, test: Interactions): LeakFinding[] {
  const tested = marks(test.numUsers, test.userIndex);
  let count = 0;
  let row = -1;
  for (let e = 0; e < train.numInteractions; e++) {
    if (train.userIndex[e] < 0 || !tested[train.userIndex[e]]) continue;
    if (count++ === 0) row = e;
  }
  if (count === 0) return [];
  const example = rowInWords(train, row);
  const message = `${countInWords(count, train.numInteractions, "train rows")} are of users that are held out for testing, such as ${example}.`;
  return [{ kind: "held-out-users-in-train", severity: "error", count, share: count / train.numInteractions, example, message }];
}

/** Test rows of a basket of which train has other rows: the model has seen what was bought with them. */
export function splitBaskets(train: Interactions, test: Interactions): LeakFinding[] {
  if (!train.basket || !test.basket) return [];
  const trained = new Set(train.basket);
  let count = 0;
  let row = -1;
  for (let e = 0; e < test.numInteractions; e++) {
    if (test.basket[e] < 0 || !trained.has(test.basket[e])) continue;
    if (count++ === 0) row = e;
  }
  if (count === 0) return [];
  const example = rowInWords(test, row);
  const message = `${countInWords(count, test.numInteractions, "test rows")} are of baskets that are partly in train, such as ${example}: models learn from the rest of the basket.`;
  return [{ kind: "split-baskets", severity: "warning", count, share: count / test.numInteractions, example, message }];
}

function marks(size: number, indexes: Int32Array): Uint8Array {
  const marked = new Uint8Array(size);
  for (const index of indexes) if (index >= 0) marked[index] = 1;
  return marked;
}
