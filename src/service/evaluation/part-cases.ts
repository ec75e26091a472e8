/**
 * The questions of a held-out part: one per user, per basket, or per line of a basket, with something to find. Called by judge-part.ts,
 * ranked-lists.ts and tuning.
 */
import type { Interactions } from "../../core/interactions.js";
import { basketCases, lineCases } from "../../evaluation/basket-cases.js";
import { type EvaluationCase, userCases } from "../../evaluation/cases.js";
import type { Part } from "./part.js";

/** What one question is about: all that a user does, what is in a basket, or the next line of one. */
export const QUESTION_KINDS = ["user", "basket", "line"] as const;
export type QuestionKind = (typeof QUESTION_KINDS)[number];

export interface CaseRules {
  /** Items of the user's train events are no answers. */
  excludeSeen: boolean;
  /** Users without train events are not asked for; held-out users always are. Default false. */
  onlyKnownUsers?: boolean;
  /** Default: user. */
  questions?: QuestionKind;
  /** For questions by line: ask with the user's events and the lines before as a history. Default false. */
  foldIn?: boolean;
}

export function partCases(
  { train, test, given }: Pick<Part, "train" | "test" | "given">,
  { excludeSeen, onlyKnownUsers = false, questions = "user", foldIn }: CaseRules,
): EvaluationCase[] {
  if (given) return heldOutCases(test, given, excludeSeen);
  const { offsets, indices } = train.matrixByUser();
  const known = (user: number) => user >= 0 && offsets[user + 1] > offsets[user];
  let cases = questions === "user" ? userCases(train, test, { excludeSeen }) : basketQuestions(train, test, { questions, foldIn });
  if (onlyKnownUsers) cases = cases.filter(({ query: { userIndex = -1 } }) => known(userIndex));
  if (questions === "user" || !excludeSeen) return cases;
  return cases.map(({ relevant, ...one }) => {
    const { userIndex = -1 } = one.query;
    const seen = new Set(known(userIndex) ? indices.subarray(offsets[userIndex], offsets[userIndex + 1]) : []);
    return { ...one, relevant: Array.from(relevant).filter((item) => !seen.has(item)) };
  });
}

function basketQuestions(train: Interactions, test: Interactions, { questions, foldIn }: Pick<CaseRules, "questions" | "foldIn">) {
  return questions === "basket" ? basketCases(test) : lineCases(train, test, { foldIn });
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
