// A min-heap of (score f32, item index i32) pairs, 8 bytes each, whose root is the worst kept candidate:
// lower score, or the same score with the larger index, so that ties keep the smaller index at the boundary too.
// Also the test of a candidate against a query's excluded items. Used by both top-k scans.

@inline function isWorse(score: f32, index: i32, otherScore: f32, otherIndex: i32): bool {
  return score < otherScore || (score == otherScore && index > otherIndex);
}

/** Fills a heap with empty places: score −Infinity, index −1. */
export function clearHeap(heap: usize, size: usize): void {
  for (let end = heap + (size << 3); heap < end; heap += 8) {
    store<f32>(heap, -Infinity);
    store<i32>(heap, -1, 4);
  }
}

/** Replaces the root and sifts down; the new worst score is returned. */
export function replaceRoot(heap: usize, size: usize, score: f32, index: i32): f32 {
  let at: usize = 0;
  while (true) {
    let child: usize = (at << 1) + 1;
    if (child >= size) break;
    let place = heap + (child << 3);
    let childScore = load<f32>(place), childIndex = load<i32>(place, 4);
    if (child + 1 < size) {
      const otherScore = load<f32>(place, 8), otherIndex = load<i32>(place, 12);
      if (isWorse(otherScore, otherIndex, childScore, childIndex)) { child++; childScore = otherScore; childIndex = otherIndex; }
    }
    if (!isWorse(childScore, childIndex, score, index)) break;
    store<f32>(heap + (at << 3), childScore);
    store<i32>(heap + (at << 3), childIndex, 4);
    at = child;
  }
  store<f32>(heap + (at << 3), score);
  store<i32>(heap + (at << 3), index, 4);
  return load<f32>(heap);
}

/** Heap → list, best first (heapsort: the worst goes last). */
export function sortHeap(heap: usize, size: usize): void {
  for (let last = size; last > 1; ) {
    last--;
    const score = load<f32>(heap + (last << 3)), index = load<i32>(heap + (last << 3), 4);
    store<i64>(heap + (last << 3), load<i64>(heap));
    replaceRoot(heap, last, score, index);
  }
}

/** Whether `index` stands in the ascending list at [list, end). */
export function isExcluded(index: i32, list: usize, end: usize): bool {
  let low: usize = 0, high = (end - list) >> 2;
  while (low < high) {
    const middle = (low + high) >> 1, value = load<i32>(list + (middle << 2));
    if (value == index) return true;
    if (value < index) low = middle + 1;
    else high = middle;
  }
  return false;
}
