/**
 * The questions on which blend learns its weights: a part of the training data is held out, and each question is asked as the
 * finished model will be asked.
 *   user    a share of each user's events, at random: what else will the user like?
 *   last    the last event of each user: what comes next?
 *   basket  the baskets of the last days: what will be in the user's next basket? Repeated lines count repeatedly.
 *   line    every line of those baskets, after the lines before it.
 */
import type { Interactions } from "../../core/interactions.js";
import type { Query } from "../../core/model.js";
import { createRandom } from "../../core/random.js";
import { type SplitSpec, split } from "../../data/splits.js";

export const QUESTION_KINDS = ["user", "last", "basket", "line"] as const;
export type QuestionKind = (typeof QUESTION_KINDS)[number];

export interface Question {
  query: Query;
  relevant: Int32Array;
}

/** Questions, and the data that the models may be fitted on before they are asked. */
export interface HeldOut {
  train: Interactions;
  questions: Question[];
}

export interface QuestionOptions {
  kind: QuestionKind;
  /** Share of events held out, for all kinds but `last`. */
  heldOut: number;
  /** Items of the user's remaining events are neither asked for nor offered. */
  excludeSeen: boolean;
  /** Largest number; a seeded sample when there are more. */
  most: number;
  seed: number;
}

/** Baskets where there are baskets with times, the next event where there are times, else a share at random. */
export function questionKindFor({ basket, timestamp }: Interactions): QuestionKind {
  if (!timestamp) return "user";
  return basket ? "basket" : "last";
}

/**
 * `rounds` times a part held out, the first from all data, each further one from what the one before left: with times a window of
 * questions before the other. Each is made when it is asked for. Throws DataError when there is too little to hold out.
 */
export function* heldOutRounds(data: Interactions, { rounds, ...options }: QuestionOptions & { rounds: number }): Generator<HeldOut> {
  let left = data;
  for (let round = 0; round < rounds; round++) {
    const heldOut = heldOutQuestions(left, { ...options, most: Math.ceil(options.most / rounds), seed: options.seed + round });
    yield heldOut;
    left = heldOut.train;
  }
}

/** The data to fit on, and the questions about the rest. Throws DataError when there is too little to hold out. */
export function heldOutQuestions(data: Interactions, options: QuestionOptions): HeldOut {
  const { kind, heldOut, excludeSeen, most, seed } = options;
  const spec: SplitSpec =
    kind === "user"
      ? { by: "random-per-user", testFraction: heldOut, seed }
      : kind === "last"
        ? { by: "leave-last-out", perUser: 1 }
        : { by: "time", testFraction: heldOut };
  const { train, test } = split(data, spec);
  const { offsets, indices } = train.matrixByUser();
  const asked = kind === "user" || kind === "last" ? userQuestions(test) : basketQuestions(test, kind);
  const questions = asked.filter((question) => {
    const user = question.query.userIndex ?? -1;
    if (excludeSeen && user >= 0) {
      const seen = new Set(indices.subarray(offsets[user], offsets[user + 1]));
      question.relevant = question.relevant.filter((item) => !seen.has(item));
    }
    return question.relevant.length > 0;
  });
  return { train, questions: createRandom(seed).shuffle(questions).slice(0, most) };
}

function userQuestions(test: Interactions): Question[] {
  const { offsets, indices } = test.matrixByUser();
  return Array.from({ length: test.numUsers }, (_, userIndex) => ({
    query: { userIndex },
    relevant: indices.slice(offsets[userIndex], offsets[userIndex + 1]),
  }));
}

/** Baskets are runs of lines with one basket number; lines without a basket stand alone. */
function basketQuestions({ userIndex, itemIndex, timestamp, basket, numInteractions }: Interactions, kind: "basket" | "line"): Question[] {
  const questions: Question[] = [];
  for (let start = 0, end = 0; start < numInteractions; start = end) {
    do end++;
    while (end < numInteractions && basket && basket[start] >= 0 && basket[end] === basket[start]);
    const query = { userIndex: userIndex[start], timestamp: timestamp?.[start] };
    if (kind === "basket") questions.push({ query, relevant: itemIndex.slice(start, end) });
    else
      for (let line = start; line < end; line++)
        questions.push({
          query: { ...query, basket: Array.from(itemIndex.subarray(start, line)) },
          relevant: itemIndex.slice(line, line + 1),
        });
  }
  return questions;
}
