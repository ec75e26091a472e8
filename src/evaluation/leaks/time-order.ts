/**
 * Whether what a model learns from is earlier than what it is judged on: over all (`global`), or within each user
 * (`per-user`). Equal instants are no fault, but their order is unknown, and that is said.
 */
import type { Interactions } from "../../core/interactions.js";
import { countInWords, type LeakFinding, rowInWords, timeInWords } from "./finding.js";

/** One global boundary. `promised` says that the protocol claims the order: then rows out of order are an error. */
export function globalOrder(train: Interactions, test: Interactions, promised: boolean): LeakFinding[] {
  if (!train.timestamp || !test.timestamp || test.numInteractions === 0) return [];
  const first = test.timestamp.reduce((a, b) => Math.min(a, b), Infinity);
  const last = train.timestamp.reduce((a, b) => Math.max(a, b), -Infinity);
  const later = train.timestamp.reduce((count, time) => count + (time > first ? 1 : 0), 0);
  if (later > 0) {
    const example = rowInWords(
      train,
      train.timestamp.findIndex((time) => time > first),
    );
    const what = `${countInWords(later, train.numInteractions, "train rows")} are later than the first test row (${timeInWords(first)})`;
    return [
      {
        kind: "train-after-test",
        severity: promised ? "error" : "warning",
        count: later,
        share: later / train.numInteractions,
        example,
        message: `${what}, such as ${example}${promised ? "." : ": models learn from the future of what they are judged on; only a split at one instant avoids it."}`,
      },
    ];
  }
  const same = test.timestamp.reduce((count, time) => count + (time === last ? 1 : 0), 0);
  return same > 0 && promised ? [sameInstant(test, same, test.timestamp.indexOf(last), "the last train row")] : [];
}

/** A boundary of each user's own; `shown` is train, or the given part of held-out users, called `name`. */
export function perUserOrder(shown: Interactions, test: Interactions, name: string): LeakFinding[] {
  if (!shown.timestamp || !test.timestamp) return [];
  const first = new Float64Array(test.numUsers).fill(Infinity);
  for (let e = 0; e < test.numInteractions; e++) {
    const user = test.userIndex[e];
    if (user >= 0) first[user] = Math.min(first[user], test.timestamp[e]);
  }
  const last = new Float64Array(test.numUsers).fill(-Infinity);
  let later = 0;
  let laterRow = -1;
  for (let e = 0; e < shown.numInteractions; e++) {
    const user = shown.userIndex[e];
    if (user < 0) continue;
    last[user] = Math.max(last[user], shown.timestamp[e]);
    if (shown.timestamp[e] <= first[user]) continue;
    if (later++ === 0) laterRow = e;
  }
  const findings: LeakFinding[] = [];
  if (later > 0) {
    const example = rowInWords(shown, laterRow);
    findings.push({
      kind: "train-after-test",
      severity: "error",
      count: later,
      share: later / shown.numInteractions,
      example,
      message: `${countInWords(later, shown.numInteractions, `${name} rows`)} are later than the first test row of the same user, such as ${example}.`,
    });
  }
  let same = 0;
  let sameRow = -1;
  for (let e = 0; e < test.numInteractions; e++) {
    const user = test.userIndex[e];
    if (user < 0 || test.timestamp[e] !== last[user] || last[user] > first[user]) continue;
    if (same++ === 0) sameRow = e;
  }
  if (same > 0) findings.push(sameInstant(test, same, sameRow, `the user's last ${name} row`));
  return findings;
}

function sameInstant(test: Interactions, count: number, row: number, what: string): LeakFinding {
  const example = rowInWords(test, row);
  return {
    kind: "same-instant",
    severity: "warning",
    count,
    share: count / test.numInteractions,
    example,
    message: `${countInWords(count, test.numInteractions, "test rows")} have the same time as ${what}, such as ${example}: which came first is not known.`,
  };
}
