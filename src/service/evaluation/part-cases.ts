/**
 * The questions of a held-out part: one per user with something to find. Called by evaluate.ts, ranked-lists.ts and tuning.
 */
import type { Interactions } from "../../core/interactions.js";
import { type EvaluationCase, userCases } from "../../evaluation/cases.js";
import type { Part } from "./part.js";

export function partCases({ train, test, given }: Pick<Part, "train" | "test" | "given">, excludeSeen: boolean): EvaluationCase[] {
  return given ? heldOutCases(test, given, excludeSeen) : userCases(train, test, { excludeSeen });
}

/** Held-out users are unknown to the model: each is asked for by the given part of the history. */
function heldOutCases(test: Interactions, given: Interactions, excludeSeen: boolean): EvaluationCase[] {
  const wanted = test.matrixByUser();
  const shown = given.matrixByUser();
  return Array.from({ length: test.numUsers }, (_, user) => {
    const seen = shown.indices.subarray(shown.offsets[user], shown.offsets[user + 1]);
    const weights = shown.values.subarray(shown.offsets[user], shown.offsets[user + 1]);
    const relevant = wanted.indices.subarray(wanted.offsets[user], wanted.offsets[user + 1]);
    return {
      query: { userIndex: user, history: Array.from(seen, (itemIndex, e) => ({ itemIndex, weight: weights[e] })) },
      relevant: excludeSeen ? relevant.filter((item) => !seen.includes(item)) : relevant,
    };
  });
}
