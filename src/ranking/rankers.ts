/**
 * From a model's scoring route to lists. Three ways, chosen by `chooseRanker`:
 * the fused top-k kernel over item vectors (no score row per query), whole score rows, or given candidates only.
 */
import { throwIfCancelled } from "../core/errors.js";
import type { FittedModel, Query } from "../core/model.js";
import { createTopKIndex, type TopKIndex } from "../kernels/top-k.js";
import { checkItemVectors, checkQueryVectors, checkScores } from "./check-scores.js";
import { type ExcludedLists, isExcluded } from "./excluded-lists.js";
import { topOfRow } from "./top-of-row.js";

export interface RankOptions {
  topK: number;
  excluded: ExcludedLists;
  /** Ascending distinct items: only these may appear. */
  include?: Int32Array;
  signal?: AbortSignal;
}

/** n × topK, row-major, padded with −1 / −Infinity. */
export interface RankedLists {
  itemIndex: Int32Array;
  score: Float32Array;
}

export interface Ranker {
  /** Queries answered in one call; larger batches are cut into such blocks, which bounds memory. */
  readonly blockSize: number;
  rank(queries: readonly Query[], options: RankOptions): Promise<RankedLists>;
  dispose(): void;
}

const SCORE_BLOCK_BYTES = 32 * 2 ** 20;

/** The cheapest way to rank with this model: its vectors when it has them, else score rows. */
export function createRanker(model: FittedModel, threads: number): Ranker {
  return model.vectors ? vectorRanker(model, threads) : scoreRanker(model);
}

function vectorRanker(model: FittedModel, threads: number): Ranker {
  const { dimensions, itemVectors, encode } = model.vectors!;
  let index: Promise<TopKIndex> | undefined;
  let checked = false;
  return {
    blockSize: 1024,
    async rank(queries, { topK, excluded, include, signal }) {
      const vectors = new Float32Array(queries.length * dimensions);
      await encode(queries, vectors);
      checkQueryVectors(vectors, queries, model);
      if (!checked) checkItemVectors(itemVectors, dimensions, model);
      checked = true;
      if (include) {
        const dot = (q: number, item: number) => {
          let sum = 0;
          for (let d = 0; d < dimensions; d++) sum += vectors[q * dimensions + d] * itemVectors[item * dimensions + d];
          return sum;
        };
        return rankCandidates(queries.length, dot, { topK, excluded, include });
      }
      index ??= createTopKIndex(itemVectors, { numItems: model.numItems, dimensions, threads });
      return (await index).search(vectors, { topK, excluded, signal });
    },
    dispose() {
      index?.then((built) => built.dispose());
      index = undefined;
    },
  };
}

function scoreRanker(model: FittedModel): Ranker {
  const { numItems } = model;
  return {
    blockSize: Math.max(1, Math.min(256, Math.floor(SCORE_BLOCK_BYTES / 4 / Math.max(1, numItems)))),
    async rank(queries, { topK, excluded, include, signal }) {
      const scores = new Float32Array(queries.length * numItems);
      await model.scoreAll!(queries, scores);
      throwIfCancelled(signal);
      checkScores(scores, queries, model);
      if (include) return rankCandidates(queries.length, (q, item) => scores[q * numItems + item], { topK, excluded, include });
      const lists = emptyLists(queries.length, topK);
      for (let q = 0; q < queries.length; q++) {
        const row = scores.subarray(q * numItems, (q + 1) * numItems);
        for (let e = excluded.offsets[q]; e < excluded.offsets[q + 1]; e++) row[excluded.indices[e]] = -Infinity;
        topOfRow(row, { ...lists, at: q * topK, topK });
      }
      return lists;
    },
    dispose() {},
  };
}

/** Ranks only the items of `include`; ascending candidates keep the tie rule. */
function rankCandidates(
  numQueries: number,
  scoreOf: (query: number, item: number) => number,
  { topK, excluded, include }: RankOptions & { include: Int32Array },
): RankedLists {
  const lists = emptyLists(numQueries, topK);
  const scores = new Float32Array(include.length);
  for (let q = 0; q < numQueries; q++) {
    for (let c = 0; c < include.length; c++) scores[c] = isExcluded(excluded, q, include[c]) ? -Infinity : scoreOf(q, include[c]);
    const found = topOfRow(scores, { ...lists, at: q * topK, topK });
    for (let place = q * topK; place < q * topK + found; place++) lists.itemIndex[place] = include[lists.itemIndex[place]];
  }
  return lists;
}

export function emptyLists(numQueries: number, topK: number): RankedLists {
  return { itemIndex: new Int32Array(numQueries * topK).fill(-1), score: new Float32Array(numQueries * topK).fill(-Infinity) };
}
