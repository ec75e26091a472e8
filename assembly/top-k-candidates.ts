// Candidates of a quantised scan: items whose upper bound reaches the query's threshold, the `size`-th best lower bound so far.
// At the end those that still reach it get their exact float32 score, added up in the order of top-k.ts, so lists are the same bits.
// A list is (count, 0) and then (upper bound f32, item index i32) pairs of 8 bytes, indexes ascending.
// Reference: src/kernels/reference/top-k.ts. Used by top-k-int4 and top-k-int16.
import { multiplyAdd } from "./simd";
import { clearHeap, replaceRoot, sortHeap } from "./top-k-heap";

@inline export function clearCandidates(list: usize): void {
  store<i64>(list, 0);
}

/**
 * Appends one candidate. A full list first drops those below `threshold`; false when that leaves it more than three quarters full:
 * the bounds are then too loose to be worth it.
 */
export function addCandidate(list: usize, capacity: i32, upper: f32, index: i32, threshold: f32): bool {
  let count = load<i32>(list);
  if (count == capacity) {
    count = dropBelow(list, threshold);
    if (count > capacity - (capacity >> 2)) return false;
  }
  const place = list + 8 + (<usize>count << 3);
  store<f32>(place, upper);
  store<i32>(place, index, 4);
  store<i32>(list, count + 1);
  return true;
}

function dropBelow(list: usize, threshold: f32): i32 {
  const first = list + 8;
  let target = first;
  for (let place = first, end = first + (<usize>load<i32>(list) << 3); place < end; place += 8) {
    if (load<f32>(place) < threshold) continue;
    store<i64>(target, load<i64>(place));
    target += 8;
  }
  const count = <i32>((target - first) >> 3);
  store<i32>(list, count);
  return count;
}

/** Writes the best `size` of the candidates that reach `threshold` to `heap`, by exact score, best first. `items` and `query` are float32. */
export function rankCandidates(
  list: usize, threshold: f32, items: usize, dimensions: usize, query: usize, heap: usize, size: usize,
): void {
  const count = dropBelow(list, threshold);
  clearHeap(heap, size);
  let worst: f32 = -Infinity;
  for (let c = 0; c < count; c += 4) {
    const place = list + 8 + (<usize>c << 3), rest = count - c; // a missing one repeats the first: no branch in the loop
    const i0 = load<i32>(place, 4), i1 = rest > 1 ? load<i32>(place, 12) : i0, i2 = rest > 2 ? load<i32>(place, 20) : i0, i3 = rest > 3 ? load<i32>(place, 28) : i0;
    let p0 = vectorOf(items, i0, dimensions), p1 = vectorOf(items, i1, dimensions), p2 = vectorOf(items, i2, dimensions), p3 = vectorOf(items, i3, dimensions);
    let scores = f32x4.splat(0), q = query;
    for (let d: usize = 0; d < dimensions; d++) {
      let values = v128.load32_zero(p0);
      values = v128.load_lane<f32>(p1, values, 1);
      values = v128.load_lane<f32>(p2, values, 2);
      values = v128.load_lane<f32>(p3, values, 3);
      scores = multiplyAdd(values, v128.load32_splat(q), scores);
      p0 += 128; p1 += 128; p2 += 128; p3 += 128; q += 4;
    }
    worst = keep(heap, size, f32x4.extract_lane(scores, 0), i0, worst);
    if (rest > 1) worst = keep(heap, size, f32x4.extract_lane(scores, 1), i1, worst);
    if (rest > 2) worst = keep(heap, size, f32x4.extract_lane(scores, 2), i2, worst);
    if (rest > 3) worst = keep(heap, size, f32x4.extract_lane(scores, 3), i3, worst);
  }
  sortHeap(heap, size);
}

/** The float32 score of one item. */
export function exactScore(items: usize, index: i32, dimensions: usize, query: usize): f32 {
  let p = vectorOf(items, index, dimensions), score = f32x4.splat(0);
  for (const end = query + (dimensions << 2); query < end; query += 4) {
    score = multiplyAdd(v128.load32_zero(p), v128.load32_zero(query), score);
    p += 128;
  }
  return f32x4.extract_lane(score, 0);
}

@inline function vectorOf(items: usize, index: i32, dimensions: usize): usize {
  return items + <usize>(<u32>index >> 5) * (dimensions << 7) + (<usize>(index & 31) << 2);
}

@inline function keep(heap: usize, size: usize, score: f32, index: i32, worst: f32): f32 {
  return score > worst ? replaceRoot(heap, size, score, index) : worst;
}
