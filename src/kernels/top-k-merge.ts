/**
 * Merges the per-partition lists of the top-k kernels into one list per query, best first, equal scores by ascending item index.
 * Called by top-k.ts.
 */

/** Lists as the kernels leave them: (score, index) pairs of 8 bytes, seen once as floats and once as integers. */
export interface PartitionLists {
  /** Score of pair p at [2p]. */
  scores: Float32Array;
  /** Item index of pair p at [2p + 1]; −1 = empty place. */
  indexes: Int32Array;
  /** Lists per query. */
  partitions: number;
  /** Pairs per list. */
  size: number;
}

/** Writes the first `size` of each query begin … end − 1 into its row of topK places; lists start at query `begin`. */
export function mergeLists(
  { scores, indexes, partitions, size }: PartitionLists,
  { begin, end, topK }: { begin: number; end: number; topK: number },
  out: { itemIndex: Int32Array; score: Float32Array },
): void {
  const heads = new Int32Array(partitions);
  for (let query = begin; query < end; query++) {
    const lists = (query - begin) * partitions * size;
    heads.fill(0);
    for (let place = 0; place < size; place++) {
      let best = -1;
      let bestPair = -1;
      for (let p = 0; p < partitions; p++) {
        const pair = lists + p * size + heads[p];
        if (heads[p] === size || indexes[2 * pair + 1] < 0) continue;
        // Partitions ascend by item, so the earlier one keeps a tie.
        if (best < 0 || scores[2 * pair] > scores[2 * bestPair]) {
          best = p;
          bestPair = pair;
        }
      }
      if (best < 0) break;
      heads[best]++;
      out.itemIndex[query * topK + place] = indexes[2 * bestPair + 1];
      out.score[query * topK + place] = scores[2 * bestPair];
    }
  }
}
