/** How `auto` came to its champion, as data and in sentences. Part of a run's result. */
import type { TrialParams } from "../../core/trials.js";
import { type Challenge, challengeInWords, MIN_QUESTIONS } from "../evaluation/choose-champion.js";

export interface AutoDecision {
  metric: string;
  direction: "maximize" | "minimize";
  champion: string;
  /** From simple to complex, with the figure of the comparison. */
  candidates: { label: string; model: string; value: number; trials: number; params: TrialParams }[];
  leftOut: { model: string; reason: string }[];
  challenges: Challenge[];
  /** Questions that were compared on. */
  questions: number;
  /** Why, in sentences. */
  reasons: string[];
}

/** The sentences; `part` says what was held out. */
export function decisionInWords(decision: AutoDecision, { part, halved }: { part: string; halved: boolean }): string[] {
  const { metric, direction, champion, candidates, leftOut, challenges, questions } = decision;
  const means = new Map(candidates.map(({ label, value }) => [label, value]));
  const tried = candidates.map(({ label, trials }) => `${label} (${trials} ${trials === 1 ? "trial" : "trials"})`).join(", ");
  const same = halved
    ? "tuned on one half of the validation questions and compared on the other"
    : "tuned and compared on the same validation questions, as there are few";
  const reasons = [`Tried ${tried}, ${same} (${part}).`];
  for (const { model, reason } of leftOut) reasons.push(`Left out ${model}: ${reason}.`);
  for (const challenge of challenges) reasons.push(challengeInWords(challenge, { metric, direction, means, questions }));
  if (questions < MIN_QUESTIONS) reasons.push(`With ${questions} questions nothing can be told apart, so the simplest model is taken.`);
  else if (challenges.length > 1) reasons.push(`p values are corrected for ${challenges.length} comparisons.`);
  reasons.push(`Champion: ${champion}.`);
  return reasons;
}
