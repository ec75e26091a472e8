/**
 * Scores of `markov`, as sums of a few sparse rows: the terms of one query, and the routes that read them. Every route adds the
 * same terms in the same order in float32, so that whole rows, candidates and explanations agree bit for bit.
 */
import type { Csr } from "../../core/interactions.js";
import type { Explanation, FittedModel, Query, ScoredRows } from "../../core/model.js";
import { contextOf, eitherWay, type OwnSequence, ownOfHistory, ownSteps } from "./markov-context.js";
import { type TransitionRows, transitionValue } from "./transitions.js";
import { historyRow } from "./user-history.js";

export interface MarkovWeights {
  window: number;
  historyDecay: number;
  acrossBaskets: number;
  reverse: number;
  ownItems: number;
  ownSteps: number;
  exponent: number;
  smoothing: number;
}

export interface MarkovParts {
  forward: TransitionRows;
  reverse: TransitionRows;
  /** Score of each item before any history: popularity, far below every transition. */
  base: Float32Array;
  ownOf(userIndex: number): OwnSequence;
  seen: Csr;
}

/** A weighted table row, or a single item's share, owed to the item `source` of the asker's. */
type Term = { source: number; weight: number; rows: TransitionRows } | { source: number; itemIndex: number; value: number };

const LEAST_WEIGHT = 0.01; // items further back do not count

export function createMarkovScorer(
  weights: MarkovWeights,
  parts: MarkovParts,
): Required<Pick<FittedModel, "scoreAll" | "scoreCandidates" | "explain" | "similarItems">> {
  const { forward, base } = parts;
  const numItems = base.length;
  const candidates = (query: Query, items: Int32Array, out: Float32Array) => {
    items.forEach((item, c) => {
      out[c] = base[item];
    });
    for (const term of termsOf(query, weights, parts)) {
      for (let c = 0; c < items.length; c++) out[c] += shareOf(term, items[c]);
    }
  };
  return {
    async scoreAll(queries, out) {
      queries.forEach((query, q) => {
        const row = out.subarray(q * numItems, (q + 1) * numItems);
        row.set(base);
        for (const term of termsOf(query, weights, parts)) {
          if ("rows" in term) addRow(row, term.rows, term);
          else row[term.itemIndex] += term.value;
        }
      });
    },

    async scoreCandidates(queries, itemIndexes, out) {
      const width = itemIndexes.length;
      queries.forEach((query, q) => {
        candidates(query, itemIndexes, out.subarray(q * width, (q + 1) * width));
      });
    },

    async explain(query, itemIndex): Promise<Explanation> {
      const shares = new Map<number, number>();
      for (const term of termsOf(query, weights, parts)) {
        const share = shareOf(term, itemIndex);
        if (share !== 0) shares.set(term.source, (shares.get(term.source) ?? 0) + share);
      }
      const sorted = [...shares].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      const score = new Float32Array(1);
      candidates(query, Int32Array.of(itemIndex), score);
      return {
        score: score[0],
        base: base[itemIndex],
        itemIndex: Int32Array.from(sorted, ([source]) => source),
        contribution: Float32Array.from(sorted, ([, share]) => share),
      };
    },

    async similarItems(itemIndex, count): Promise<ScoredRows> {
      const [from, to] = [forward.offsets[itemIndex], forward.offsets[itemIndex + 1]];
      const order = Array.from({ length: to - from }, (_, e) => from + e);
      order.sort((a, b) => forward.values[b] - forward.values[a] || a - b).length = Math.min(count, order.length);
      return { index: Int32Array.from(order, (e) => forward.indices[e]), score: Float32Array.from(order, (e) => forward.values[e]) };
    },
  };
}

function shareOf(term: Term, itemIndex: number): number {
  if ("rows" in term) return term.weight * transitionValue(term.rows, term.source, itemIndex);
  return term.itemIndex === itemIndex ? term.value : 0;
}

function addRow(
  scores: Float32Array,
  { offsets, indices, values }: TransitionRows,
  { source, weight }: { source: number; weight: number },
) {
  for (let e = offsets[source]; e < offsets[source + 1]; e++) scores[indices[e]] += weight * values[e];
}

function termsOf(query: Query, weights: MarkovWeights, { forward, reverse, ownOf, seen }: MarkovParts): Term[] {
  const { exponent, smoothing } = weights;
  const own = query.history?.length ? ownOfHistory(query.history) : ownOf(query.userIndex ?? -1);
  const context = contextOf(query, own, weights);
  const back = weights.reverse > 0 ? weights.reverse * eitherWay(context, forward, reverse) : 0;
  const near = context.filter(({ weight }) => weight >= LEAST_WEIGHT);
  const terms: Term[] = [];
  for (const { itemIndex: source, weight } of near) {
    terms.push({ source, weight, rows: forward });
    if (back > 0) terms.push({ source, weight: weight * back, rows: reverse });
  }
  if (weights.ownSteps > 0) {
    for (const { source, itemIndex, value } of ownSteps(near, own, weights))
      terms.push({ source, itemIndex, value: weights.ownSteps * value });
  }
  if (weights.ownItems > 0) {
    const { indices, weights: counts } = historyRow(query, seen);
    const most = counts.reduce((max, value) => Math.max(max, value), 0) + smoothing;
    indices.forEach((source, e) => {
      if (counts[e] > 0) terms.push({ source, itemIndex: source, value: weights.ownItems * (counts[e] / most) ** exponent });
    });
  }
  return terms;
}
