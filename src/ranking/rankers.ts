/**
 * From a model's scoring route to lists. Three ways, chosen by `createRanker`:
 * the fused top-k kernel over item vectors (no score row per query), whole score rows, or two models in a row (staged.ts).
 */
import { throwIfCancelled } from "../core/errors.js";
import type { FittedModel } from "../core/model.js";
import { createPacer } from "../core/pacer.js";
import { createTopKIndex, type TopKIndex } from "../kernels/top-k.js";
import { checkItemVectors, checkQueryVectors, checkScores } from "./check-scores.js";
import { isExcluded } from "./excluded-lists.js";
import { emptyLists, type RankedLists, type Ranker, type RankOptions } from "./ranker.js";
import { stagedRanker } from "./staged.js";
import { topOfRow } from "./top-of-row.js";

/** Score rows of one call: small enough for a cache, and for the event loop to get its turn between calls. */
const SCORE_BLOCK_BYTES = 4 * 2 ** 20;
const MAX_SCORE_ROWS = 256;

/** The cheapest way to rank with this model: its stages or its vectors when it has them, else score rows. */
export function createRanker(model: FittedModel, threads: number): Ranker {
  if (model.stages) return stagedRanker(model, model.stages, createRanker(model.stages.retriever, threads));
  return model.vectors ? vectorRanker(model, threads) : scoreRanker(model);
}

/** Whether lists come from a product with item vectors. */
export function hasItemVectors({ stages, vectors }: FittedModel): boolean {
  return stages === undefined && vectors !== undefined;
}

function vectorRanker(model: FittedModel, threads: number): Ranker {
  const { dimensions, itemVectors, encode } = model.vectors!;
  const pace = batchPacer();
  let index: Promise<TopKIndex> | undefined;
  let checked = false;
  return {
    blockSize: 1024,
    async rank(queries, { topK, excluded, include, signal }) {
      await pace(queries.length, signal);
      const vectors = new Float32Array(queries.length * dimensions);
      await encode(queries, vectors);
      checkQueryVectors(vectors, queries, model);
      if (!checked) checkItemVectors(itemVectors, dimensions, model);
      checked = true;
      if (include) {
        const dots = (q: number, scores: Float32Array) => {
          for (let c = 0; c < include.length; c++) {
            let sum = 0;
            for (let d = 0; d < dimensions; d++) sum += vectors[q * dimensions + d] * itemVectors[include[c] * dimensions + d];
            scores[c] = sum;
          }
        };
        return rankCandidates(queries.length, dots, { topK, excluded, include, signal, pace });
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
  const pace = batchPacer();
  return {
    // by the catalogue alone: what a model answers may depend in the last bits on the queries it is asked together
    blockSize: Math.max(1, Math.min(MAX_SCORE_ROWS, Math.floor(SCORE_BLOCK_BYTES / 4 / Math.max(1, numItems)))),
    async rank(queries, { topK, excluded, include, signal }) {
      await pace(queries.length, signal);
      const scores = new Float32Array(queries.length * numItems);
      await model.scoreAll!(queries, scores);
      throwIfCancelled(signal);
      checkScores(scores, queries, model);
      if (include) {
        const pick = (q: number, row: Float32Array) => {
          for (let c = 0; c < include.length; c++) row[c] = scores[q * numItems + include[c]];
        };
        return rankCandidates(queries.length, pick, { topK, excluded, include, signal, pace });
      }
      const lists = emptyLists(queries.length, topK);
      for (let q = 0; q < queries.length; q++) {
        await pace(queries.length, signal);
        const row = scores.subarray(q * numItems, (q + 1) * numItems);
        for (let e = excluded.offsets[q]; e < excluded.offsets[q + 1]; e++) row[excluded.indices[e]] = -Infinity;
        topOfRow(row, { ...lists, at: q * topK, topK });
      }
      return lists;
    },
    dispose() {},
  };
}

type BatchPacer = (numQueries: number, signal: AbortSignal | undefined) => Promise<void>;

/** Gives way between the queries of a batch and from block to block; a single question never waits. */
function batchPacer(): BatchPacer {
  const pace = createPacer(undefined);
  return async (numQueries, signal) => {
    if (numQueries > 1) await pace();
    throwIfCancelled(signal);
  };
}

/** Ranks only the items of `include`, whose scores `fill` writes; ascending candidates keep the tie rule. */
async function rankCandidates(
  numQueries: number,
  fill: (query: number, scores: Float32Array) => void,
  { topK, excluded, include, signal, pace }: RankOptions & { include: Int32Array; pace: BatchPacer },
): Promise<RankedLists> {
  const lists = emptyLists(numQueries, topK);
  const scores = new Float32Array(include.length);
  for (let q = 0; q < numQueries; q++) {
    await pace(numQueries, signal);
    fill(q, scores);
    for (let c = 0; c < include.length; c++) if (isExcluded(excluded, q, include[c])) scores[c] = -Infinity;
    const found = topOfRow(scores, { ...lists, at: q * topK, topK });
    for (let place = q * topK; place < q * topK + found; place++) lists.itemIndex[place] = include[lists.itemIndex[place]];
  }
  return lists;
}
