/**
 * Lists by an approximate index of the item vectors, for catalogues whose exact scan takes too long: it is asked for more items than
 * are wanted, those that may not appear are dropped, and the others are ordered by their exact scores. Where too few are left, for given
 * candidates (`include`) and for batches the exact ranker answers. Scores are always right, an item may be missing: see its recall.
 */
import { throwIfCancelled } from "../core/errors.js";
import type { FittedModel } from "../core/model.js";
import { checkQueryVectors } from "./check-scores.js";
import { isExcluded } from "./excluded-lists.js";
import { emptyLists, type Ranker } from "./ranker.js";

/** Finds items whose vectors have large products with a query's, in any order, mostly the largest. */
export interface ApproximateIndex {
  /** At most `count` item indexes. */
  search(query: Float32Array, count: number): Int32Array;
  /** Items asked for per item wanted. */
  readonly overfetch: number;
}

/** More queries at once are answered exactly: a batch reads the items once for all of them. */
const mostQueries = 8;

/** `exact`: the ranker of the same model, which must have vectors. */
export function approximateRanker(model: FittedModel, exact: Ranker, index: ApproximateIndex): Ranker {
  const { dimensions, itemVectors, encode } = model.vectors!;
  return {
    blockSize: exact.blockSize,
    dispose: () => exact.dispose(),
    async rank(queries, options) {
      const { topK, excluded, include, signal } = options;
      if (include || queries.length > mostQueries) return exact.rank(queries, options);
      const vectors = new Float32Array(queries.length * dimensions);
      await encode(queries, vectors);
      checkQueryVectors(vectors, queries, model);
      const lists = emptyLists(queries.length, topK);
      for (let q = 0; q < queries.length; q++) {
        throwIfCancelled(signal);
        const query = vectors.subarray(q * dimensions, (q + 1) * dimensions);
        const numExcluded = excluded.offsets[q + 1] - excluded.offsets[q];
        const wanted = Math.min(model.numItems, Math.ceil(topK * index.overfetch) + numExcluded);
        const found = index.search(query, wanted).filter((item) => !isExcluded(excluded, q, item));
        if (found.length < Math.min(topK, model.numItems - numExcluded)) return exact.rank(queries, options);
        const scores = Float32Array.from(found, (item) => dot(itemVectors, item * dimensions, query));
        const order = Int32Array.from(found.keys()).sort((a, b) => scores[b] - scores[a] || found[a] - found[b]);
        for (let place = 0; place < Math.min(topK, found.length); place++) {
          lists.itemIndex[q * topK + place] = found[order[place]];
          lists.score[q * topK + place] = scores[order[place]];
        }
      }
      return lists;
    },
  };
}

/** In the order and precision of the exact scan. */
function dot(items: Float32Array, at: number, query: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < query.length; d++) sum = Math.fround(sum + Math.fround(items[at + d] * query[d]));
  return sum;
}
