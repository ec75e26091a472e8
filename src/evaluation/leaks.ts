/**
 * The leak check: does train know what it will be judged on? Kapoor & Narayanan (2023), Leakage and the reproducibility
 * crisis in machine-learning-based science; Ji et al. (2023), A critical study on data leakage in recommender system
 * offline evaluation. `service/evaluate.ts` refuses on errors and prints warnings.
 */
import { DataError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { LeakFinding } from "./leaks/finding.js";
import { futureItems, futureUsers, heldOutUsersInTrain, splitBaskets } from "./leaks/known-before.js";
import { globalOrder, perUserOrder } from "./leaks/time-order.js";
import { twinRows } from "./leaks/twin-rows.js";

export type { LeakFinding, LeakKind } from "./leaks/finding.js";

export interface LeakOptions {
  /**
   * The order that the protocol promises: all train rows before all test rows (`global`: split by time or last-days), each
   * user's (`per-user`: time-per-user, leave-last-out, leave-last-basket), or `none`. Default `none`: rows out of order are a warning.
   */
  order?: "global" | "per-user" | "none";
  /** Held-out users: what is shown of their histories. Their users must not be in train, and come before test. */
  given?: Interactions;
  /** A part on which choices were made; it must share no row with the others. */
  validation?: Interactions;
}

/**
 * Looks for test rows in train (same user, item and time), rows out of order, held-out users in train, baskets cut in two, and items
 * and users without any train row. Errors first. A repeated purchase at a later time is no leak. O(events), no copy of the data.
 * Throws DataError when the parts stand over different users and items.
 */
export function checkLeaks(
  train: Interactions,
  test: Interactions,
  { order = "none", given, validation }: LeakOptions = {},
): LeakFinding[] {
  for (const part of [test, given, validation]) {
    if (part && (part.numUsers !== train.numUsers || part.numItems !== train.numItems))
      throw new DataError(
        `The parts have ${train.numUsers} users × ${train.numItems} items and ${part.numUsers} × ${part.numItems}: they cannot be compared.`,
        { hint: "Split one table, or bring several over shared ids with alignInteractions." },
      );
  }
  const findings = twinRows(train, test, { kind: "test-rows-in-train", names: ["train", "test"] });
  if (given) {
    findings.push(...twinRows(given, test, { kind: "test-rows-in-train", names: ["the given part", "test"] }));
    findings.push(...heldOutUsersInTrain(train, test), ...perUserOrder(given, test, "given"));
  }
  if (validation) {
    findings.push(...twinRows(train, validation, { kind: "validation-rows-in-train", names: ["train", "validation"] }));
    findings.push(...twinRows(test, validation, { kind: "validation-rows-in-test", names: ["test", "validation"] }));
  }
  if (order === "per-user") findings.push(...perUserOrder(train, test, "train"));
  findings.push(...globalOrder(train, test, order === "global"), ...splitBaskets(train, test), ...futureItems(train, test));
  if (!given) findings.push(...futureUsers(train, test));
  return [...findings.filter(({ severity }) => severity === "error"), ...findings.filter(({ severity }) => severity === "warning")];
}

/** Throws a DataError that lists the errors among `findings`, if there are any. `where` opens the sentence, such as "The test part". */
export function refuseLeaks(findings: readonly LeakFinding[], where: string, hint: string): void {
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  throw new DataError(`${where} leaks: ${errors.map(({ message }) => message).join(" ")}`, {
    hint,
    details: { findings: errors },
  });
}
