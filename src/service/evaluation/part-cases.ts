/**
 * The questions of a held-out part: one per user with something to find. Called by evaluate.ts, ranked-lists.ts and tuning.
 */
import type { Interactions } from "../../core/interactions.js";
import { type EvaluationCase, userCases } from "../../evaluation/cases.js";
import type { Part } from "./part.js";

export interface CaseRules {
  /** Items of the user's train events are no answers. */
  excludeSeen: boolean;
  /** Users without train events are not asked for; held-out users always are. Default false. */
  onlyKnownUsers?: boolean;
}

export function partCases(
  { train, test, given }: Pick<Part, "train" | "test" | "given">,
  { excludeSeen, onlyKnownUsers = false }: CaseRules,
): EvaluationCase[] {
  if (given) return heldOutCases(test, given, excludeSeen);
  const cases = userCases(train, test, { excludeSeen });
  if (!onlyKnownUsers) return cases;
  const { offsets } = train.matrixByUser();
  return cases.filter(({ query: { userIndex = 0 } }) => offsets[userIndex + 1] > offsets[userIndex]);
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
