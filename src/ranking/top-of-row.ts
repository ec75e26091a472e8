/**
 * The best `topK` of one row of scores, best first, equal scores by ascending index: a bounded min-heap built in the places of the
 * answer, O(n + hits·log topK), no full sort and no allocation. The plain counterpart of the fused kernel, for models that score whole rows.
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
  let size = 0;
  let i = 0;
  for (; i < scores.length && size < topK; i++) if (scores[i] > -Infinity) siftUp(itemIndex, score, at, size++, scores[i], i);
  if (size === topK) {
    // an equal score with a higher index never enters a full heap
    for (i = nextAbove(scores, i, score[at]); i < scores.length; i = nextAbove(scores, i + 1, score[at]))
      siftDown(itemIndex, score, at, size, scores[i], i);
  }
  for (let last = size - 1; last > 0; last--) {
    const movedScore = score[at + last];
    const movedIndex = itemIndex[at + last];
    score[at + last] = score[at];
    itemIndex[at + last] = itemIndex[at];
    siftDown(itemIndex, score, at, last, movedScore, movedIndex);
  }
  itemIndex.fill(-1, at + size, at + topK);
  score.fill(-Infinity, at + size, at + topK);
  return size;
}

/** First place from `from` on whose score is above the threshold; four at a time, since almost none is. */
function nextAbove(scores: Float32Array, from: number, threshold: number): number {
  let i = from;
  for (const end = scores.length - 3; i < end; i += 4)
    if (scores[i] > threshold || scores[i + 1] > threshold || scores[i + 2] > threshold || scores[i + 3] > threshold) break;
  while (i < scores.length && !(scores[i] > threshold)) i++;
  return i;
}

/** Puts a score at the end of the heap and lets it rise; the root is the worst: lowest score, of equal ones the highest index. */
function siftUp(itemIndex: Int32Array, score: Float32Array, at: number, child: number, value: number, index: number): void {
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (score[at + parent] < value || (score[at + parent] === value && itemIndex[at + parent] > index)) break;
    score[at + child] = score[at + parent];
    itemIndex[at + child] = itemIndex[at + parent];
    child = parent;
  }
  score[at + child] = value;
  itemIndex[at + child] = index;
}

/** Puts a score in the root's place and lets it sink. */
function siftDown(itemIndex: Int32Array, score: Float32Array, at: number, size: number, value: number, index: number): void {
  let parent = 0;
  for (;;) {
    let child = 2 * parent + 1;
    if (child >= size) break;
    const left = at + child;
    if (child + 1 < size && (score[left + 1] < score[left] || (score[left + 1] === score[left] && itemIndex[left + 1] > itemIndex[left])))
      child++;
    const place = at + child;
    if (!(score[place] < value || (score[place] === value && itemIndex[place] > index))) break;
    score[at + parent] = score[place];
    itemIndex[at + parent] = itemIndex[place];
    parent = child;
  }
  score[at + parent] = value;
  itemIndex[at + parent] = index;
}
