/**
 * The best `topK` of one row of scores, best first, equal scores by ascending index: a bounded min-heap,
 * O(n + hits·log topK), no full sort. The plain counterpart of the fused kernel, for models that score whole rows.
 */

export interface ListPlace {
  itemIndex: Int32Array;
  score: Float32Array;
  /** First place written. */
  at: number;
  topK: number;
}

/**
 * Writes `topK` indexes and scores; unused places get −1 and −Infinity. Returns how many items were found.
 * Scores of −Infinity never enter (excluded items); NaN must not occur.
 */
export function topOfRow(scores: Float32Array, { itemIndex, score, at, topK }: ListPlace): number {
  const heap = new Int32Array(topK);
  let size = 0;
  // `worse(a, b)`: a stands behind b in the answer
  const worse = (a: number, b: number) => scores[a] < scores[b] || (scores[a] === scores[b] && a > b);
  const siftDown = (start: number) => {
    let parent = start;
    const moving = heap[parent];
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= size) break;
      if (child + 1 < size && worse(heap[child + 1], heap[child])) child++;
      if (!worse(heap[child], moving)) break;
      heap[parent] = heap[child];
      parent = child;
    }
    heap[parent] = moving;
  };
  let threshold = -Infinity;
  for (let i = 0; i < scores.length; i++) {
    if (!(scores[i] > threshold)) continue; // an equal score with a higher index never enters a full heap
    if (size < topK) {
      let child = size++;
      while (child > 0) {
        const parent = (child - 1) >> 1;
        if (!worse(i, heap[parent])) break;
        heap[child] = heap[parent];
        child = parent;
      }
      heap[child] = i;
    } else {
      heap[0] = i;
      siftDown(0);
    }
    if (size === topK) threshold = scores[heap[0]];
  }
  const found = size;
  for (let place = found - 1; place >= 0; place--) {
    const worst = heap[0];
    itemIndex[at + place] = worst;
    score[at + place] = scores[worst];
    heap[0] = heap[--size];
    if (size > 0) siftDown(0);
  }
  itemIndex.fill(-1, at + found, at + topK);
  score.fill(-Infinity, at + found, at + topK);
  return found;
}
