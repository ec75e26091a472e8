// Nearest rows of a sparse non-negative matrix: for every pair of rows r ≠ s with dot = row_r · row_s > 0
//   value(r, s) = dot / (left_r · right_s + leftTerm_r + rightTerm_s + dotFactor · dot)
// and the `size` best s of every r by (value, smaller index). Each dot is computed once, for r before s, and offered to both
// lists, which halves the work; a list is a heap under a lock, and what it keeps does not depend on the order of offers.
// Dots are float64 sums in ascending column. Rows are numbered by rank (longest first), `names` says what each is called.
// Reference: src/kernels/reference/sparse-neighbours.ts. Called by src/kernels/sparse-neighbours.ts.
import { clearHeap, replaceRoot, sortHeap } from "./top-k-heap";

/** Share by which a pair may miss the worst kept value and still be looked at exactly: beyond rounding to float32. */
const slack: f64 = 1 - 1e-6;

/**
 * Rows firstRow + [begin, end). Entries of row r stand at [rowOffsets[r], rowOffsets[r + 1]); entry e is the value
 * `values[starts[e] - 1]` in a column whose later rows stand in `indices` and `values` at [starts[e], ends[e]).
 * `measure` holds (left, right, leftTerm, rightTerm) for each row, `worst` the least kept value of each full list, else 0.
 * scratch: numRows (made even) float64, zero before and after, and numRows int32.
 */
export function sparseNeighbours(
  begin: i32, end: i32, scratch: usize, firstRow: i32, numRows: i32, rowOffsets: usize, starts: usize, ends: usize,
  indices: usize, values: usize, measure: usize, dotFactor: f64, names: usize, worst: usize, locks: usize, lists: usize, size: usize,
): void {
  const touched = scratch + (<usize>(numRows + 1 & ~1) << 3);
  for (let row = firstRow + begin; row < firstRow + end; row++) {
    const first = <usize>load<i32>(rowOffsets + (<usize>row << 2)) << 2, last = <usize>load<i32>(rowOffsets + (<usize>row << 2), 4) << 2;
    let visits: i64 = 0;
    for (let e = first; e < last; e += 4) visits += load<i32>(ends + e) - load<i32>(starts + e);
    if (visits == 0) continue;
    if (visits < <i64>(numRows - row) >> 2) { // few of the rows are met: remember which
      let top = touched;
      for (let e = first; e < last; e += 4) {
        let p = <usize>load<i32>(starts + e) << 2;
        const stop = <usize>load<i32>(ends + e) << 2, value = <f64>load<f32>(values + p - 4);
        for (; p < stop; p += 4) {
          const other = load<i32>(indices + p), cell = scratch + (<usize>other << 3), sum = load<f64>(cell);
          if (sum == 0) { store<i32>(top, other); top += 4; }
          store<f64>(cell, sum + value * <f64>load<f32>(values + p));
        }
      }
      for (let q = touched; q < top; q += 4) {
        const other = load<i32>(q), cell = scratch + (<usize>other << 3), dot = load<f64>(cell);
        store<f64>(cell, 0);
        offerBoth(row, other, dot, measure, dotFactor, names, worst, locks, lists, size);
      }
      continue;
    }
    for (let e = first; e < last; e += 4) {
      let p = <usize>load<i32>(starts + e) << 2;
      const stop = <usize>load<i32>(ends + e) << 2, value = <f64>load<f32>(values + p - 4);
      for (; p + 8 <= stop; p += 8) {
        const cell = scratch + (<usize>load<i32>(indices + p) << 3), next = scratch + (<usize>load<i32>(indices + p, 4) << 3);
        store<f64>(cell, load<f64>(cell) + value * <f64>load<f32>(values + p));
        store<f64>(next, load<f64>(next) + value * <f64>load<f32>(values + p, 4));
      }
      if (p < stop) {
        const cell = scratch + (<usize>load<i32>(indices + p) << 3);
        store<f64>(cell, load<f64>(cell) + value * <f64>load<f32>(values + p));
      }
    }
    const zero = f64x2.splat(0);
    for (let other = (row + 1) & ~1; other < numRows; other += 2) { // a cell before row + 1 holds 0; one beyond the end too
      const cell = scratch + (<usize>other << 3), dots = v128.load(cell);
      if (!v128.any_true(f64x2.gt(dots, zero))) continue;
      v128.store(cell, zero);
      const dot0 = f64x2.extract_lane(dots, 0), dot1 = f64x2.extract_lane(dots, 1);
      if (dot0 > 0) offerBoth(row, other, dot0, measure, dotFactor, names, worst, locks, lists, size);
      if (dot1 > 0) offerBoth(row, other + 1, dot1, measure, dotFactor, names, worst, locks, lists, size);
    }
  }
}

@inline function offerBoth(
  row: i32, other: i32, dot: f64, measure: usize, dotFactor: f64, names: usize, worst: usize, locks: usize, lists: usize, size: usize,
): void {
  const a = measure + (<usize>row << 5), b = measure + (<usize>other << 5), common = dotFactor * dot;
  const forRow = load<f64>(a) * load<f64>(b, 8) + load<f64>(a, 16) + load<f64>(b, 24) + common;
  if (dot >= load<f64>(worst + (<usize>row << 3)) * forRow * slack) offer(row, other, <f32>(dot / forRow), names, worst, locks, lists, size);
  const forOther = load<f64>(b) * load<f64>(a, 8) + load<f64>(b, 16) + load<f64>(a, 24) + common;
  if (dot >= load<f64>(worst + (<usize>other << 3)) * forOther * slack) offer(other, row, <f32>(dot / forOther), names, worst, locks, lists, size);
}

function offer(row: i32, other: i32, value: f32, names: usize, worst: usize, locks: usize, lists: usize, size: usize): void {
  const heap = lists + <usize>row * (size << 3), name = load<i32>(names + (<usize>other << 2)), lock = locks + (<usize>row << 2);
  if (ASC_FEATURE_THREADS) while (atomic.cmpxchg<i32>(lock, 0, 1) != 0) {}
  const least = load<f32>(heap);
  if (value > least || (value == least && name < load<i32>(heap, 4))) store<f64>(worst + (<usize>row << 3), max<f64>(0, replaceRoot(heap, size, value, name)));
  if (ASC_FEATURE_THREADS) atomic.store<i32>(lock, 0);
}

/** Empties the lists [begin, end). */
export function clearNeighbours(begin: i32, end: i32, scratch: usize, lists: usize, size: usize): void {
  clearHeap(lists + <usize>begin * (size << 3), size * (end - begin));
}

/** Puts the lists [begin, end) in order, best first. */
export function sortNeighbours(begin: i32, end: i32, scratch: usize, lists: usize, size: usize): void {
  for (let row = begin; row < end; row++) sortHeap(lists + <usize>row * (size << 3), size);
}
