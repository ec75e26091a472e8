// SLIM (Ning & Karypis 2011), one column of weights at a time, by coordinate descent on the Gram matrix G = XᵀX:
//   min_w ½ wᵀG w − g_iᵀw + ½ λ₂ ‖w‖² + λ₁ ‖w‖₁,  w_i = 0, w ≥ 0 where asked for
//   w_j = S(ρ_j, λ₁) / (G_jj + λ₂),  ρ_j = q_j + G_jj w_j,  q = g_i − G w kept up to date (covariance updates, Friedman et al. 2010)
// over the candidates that correlate most with item i (their fsSLIM); columns of G are gathered once, when their weight first moves.
// Reference: src/kernels/reference/slim.ts. Called by src/kernels/slim.ts.
import { axpy } from "./simd";
import { clearHeap, replaceRoot, sortHeap } from "./top-k-heap";

/**
 * Items firstItem + [begin, end). G as CSR with its `diagonal`; `candidates` and `size` ≥ 1. The `size` largest |w| of item i go to
 * lists[i] as (w, item) pairs, largest first, −1 for no item. Sweeps go on until no weight moves by `tolerance` or `sweeps` are done.
 * scratch: numItems int32 (zero before and after), 5 rows of candidates (padded to 16), heap of max(candidates, size) pairs,
 * then candidates padded rows.
 */
export function slimItems(
  begin: i32, end: i32, scratch: usize, firstItem: usize, offsets: usize, indices: usize, values: usize, diagonal: usize, numItems: usize,
  candidates: usize, lambda1: f32, lambda2: f32, nonNegative: i32, tolerance: f32, sweeps: i32, lists: usize, size: usize,
): void {
  const places = scratch, rowBytes = ((candidates + 15) & ~15) << 2;
  const rest = places + (((numItems + 15) & ~15) << 2), squares = rest + rowBytes, weights = squares + rowBytes, items = weights + rowBytes, columns = items + rowBytes;
  const heap = columns + rowBytes, gathered = heap + (max(candidates, size) << 3);
  for (let item = firstItem + <usize>begin; item < firstItem + <usize>end; item++) {
    const first = <usize>load<i32>(offsets + (item << 2)) << 2, last = <usize>load<i32>(offsets + (item << 2), 4) << 2;
    const count = chooseCandidates(<i32>item, first, last, indices, values, diagonal, candidates, nonNegative ? lambda1 : 0, heap, places);
    memory.fill(rest, 0, rowBytes);
    memory.fill(weights, 0, rowBytes);
    memory.fill(columns, 0, rowBytes);
    let at: usize = 0;
    for (let e = first; e < last; e += 4) { // chosen ones are marked; they get their places in ascending order
      const j = load<i32>(indices + e), place = places + (<usize>j << 2);
      if (load<i32>(place) == 0 || load<f32>(values + e) == 0) continue;
      store<i32>(items + at, j);
      store<f32>(rest + at, load<f32>(values + e));
      store<f32>(squares + at, load<f32>(diagonal + (<usize>j << 2)));
      at += 4;
      store<i32>(place, <i32>(at >> 2));
    }
    const stop = count << 2;
    let slots: usize = 0, onlyActive = false;
    for (let sweep = 0; sweep < sweeps; sweep++) {
      let largest: f32 = 0;
      for (let c: usize = 0; c < stop; c += 4) {
        const old = load<f32>(weights + c);
        if (onlyActive && old == 0) continue;
        const square = load<f32>(squares + c), rho = load<f32>(rest + c) + old * square;
        const excess: f32 = nonNegative ? max<f32>(0, rho - lambda1) : rho > lambda1 ? rho - lambda1 : rho < -lambda1 ? rho + lambda1 : 0;
        const weight = excess / (square + lambda2), step = weight - old;
        if (step == 0) continue;
        let slot = <usize>load<i32>(columns + c);
        if (slot == 0) {
          slot = ++slots;
          store<i32>(columns + c, <i32>slot);
          gatherColumn(gathered + (slot - 1) * rowBytes, rowBytes, <usize>load<i32>(items + c), offsets, indices, values, places);
        }
        store<f32>(weights + c, weight);
        axpy(-step, gathered + (slot - 1) * rowBytes, rest, rowBytes);
        largest = max<f32>(largest, abs<f32>(step));
      }
      if (largest <= tolerance) {
        if (!onlyActive) break; // a sweep over all candidates moved nothing
        onlyActive = false;
      } else onlyActive = true;
    }
    writeList(lists + item * (size << 3), size, heap, count, weights, items);
    for (let c: usize = 0; c < stop; c += 4) store<i32>(places + (<usize>load<i32>(items + c) << 2), 0);
  }
}

/**
 * Marks up to `most` items of the row by 1 in `places`: the largest G_ij² / G_jj with |G_ij| > least, equal ones by ascending index.
 * Returns their number.
 */
function chooseCandidates(
  item: i32, first: usize, last: usize, indices: usize, values: usize, diagonal: usize, most: usize, least: f32, heap: usize, places: usize,
): usize {
  clearHeap(heap, most);
  let worst: f32 = -Infinity, found: usize = 0;
  for (let e = first; e < last; e += 4) {
    const j = load<i32>(indices + e), value = load<f32>(values + e);
    if (j == item || !(value > least)) continue;
    found++;
    const score = value * value / load<f32>(diagonal + (<usize>j << 2));
    if (score > worst) worst = replaceRoot(heap, most, score, j);
  }
  for (let k: usize = 0; k < most; k++) {
    const j = load<i32>(heap + (k << 3), 4);
    if (j >= 0) store<i32>(places + (<usize>j << 2), 1);
  }
  return min(found, most);
}

/** target[c] = G_jc for all candidates c. */
function gatherColumn(target: usize, rowBytes: usize, j: usize, offsets: usize, indices: usize, values: usize, places: usize): void {
  memory.fill(target, 0, rowBytes);
  const last = <usize>load<i32>(offsets + (j << 2), 4) << 2;
  for (let e = <usize>load<i32>(offsets + (j << 2)) << 2; e < last; e += 4) {
    const place = <usize>load<i32>(places + (<usize>load<i32>(indices + e) << 2));
    if (place != 0) {
      const cell = target + (place << 2) - 4;
      store<f32>(cell, load<f32>(cell) + load<f32>(values + e));
    }
  }
}

/** The `size` largest |w| as (w, item), largest first, equal ones by ascending item. */
function writeList(list: usize, size: usize, heap: usize, count: usize, weights: usize, items: usize): void {
  clearHeap(heap, size);
  let worst: f32 = 0;
  for (let c: usize = 0; c < count; c++) {
    const absolute = abs<f32>(load<f32>(weights + (c << 2)));
    if (absolute > worst) worst = max<f32>(0, replaceRoot(heap, size, absolute, <i32>c));
  }
  sortHeap(heap, size);
  for (let k: usize = 0; k < size; k++) {
    const c = load<i32>(heap + (k << 3), 4);
    store<f32>(list + (k << 3), c < 0 ? 0 : load<f32>(weights + (<usize>c << 2)));
    store<i32>(list + (k << 3), c < 0 ? -1 : load<i32>(items + (<usize>c << 2)), 4);
  }
}
