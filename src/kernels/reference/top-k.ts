/**
 * Plain twin of assembly/top-k.ts and top-k-batch.ts: float64 scores, sorted best first, equal scores by ascending item index.
 * Called by tests only.
 */

export interface ReferenceTopK {
  numItems: number;
  dimensions: number;
  topK: number;
  excluded?: { offsets: Int32Array; indices: Int32Array };
}

/** Row-major, n × topK; places that no item fills hold −1 and −Infinity. */
export function referenceTopK(itemVectors: Float32Array, queries: Float32Array, { numItems, dimensions, topK, excluded }: ReferenceTopK) {
  const numQueries = queries.length / dimensions;
  const itemIndex = new Int32Array(numQueries * topK).fill(-1);
  const score = new Float64Array(numQueries * topK).fill(-Infinity);
  for (let q = 0; q < numQueries; q++) {
    const left = new Set(excluded?.indices.subarray(excluded.offsets[q], excluded.offsets[q + 1]));
    const scored: { item: number; score: number }[] = [];
    for (let item = 0; item < numItems; item++) {
      if (left.has(item)) continue;
      let sum = 0;
      for (let d = 0; d < dimensions; d++) sum += queries[q * dimensions + d] * itemVectors[item * dimensions + d];
      scored.push({ item, score: sum });
    }
    scored.sort((a, b) => b.score - a.score || a.item - b.item);
    for (const [place, entry] of scored.slice(0, topK).entries()) {
      itemIndex[q * topK + place] = entry.item;
      score[q * topK + place] = entry.score;
    }
  }
  return { itemIndex, score };
}
