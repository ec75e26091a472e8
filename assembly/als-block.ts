// ALS half-sweep by block coordinate descent, iALS++ (Rendle, Krichene, Zhang & Koren 2021): each row's blocks π of unknowns in turn,
//   (w₀G_ππ + Σ_i e_ui y_iπ y_iπᵀ + λ_u I) Δ = Σ_i g_ui y_iπ − w₀(G x_u)_π − λ_u (x_u − m_u)_π,   x_uπ += Δ,   G = YᵀY,
//   g_ui = (w₀ + e_ui) a_ui − e_ui x_uᵀy_i kept up to date by g_ui −= e_ui y_iπᵀΔ,   e_ui = α·value_ui.
// G is read once per row, where every step of conjugate gradients reads it again: that is the gain at many factors.
// Reference: src/kernels/reference/als.ts. Called by src/kernels/als.ts.
import { addRidge, factorize, solve } from "./als-cholesky";
import { addOuterProducts } from "./gram";
import { multiplyAdd, multiplySubtract, sumOfEach } from "./simd";

/** The diagonal grows by 1e-4: without any λ rounding would otherwise build up where blocks are singular. The minimum stays where it is. */
const DAMPING: f32 = 1.0001;

/**
 * Rows [begin, end). `gram` = w₀YᵀY row-major, `ridge` = λ by row, `factors` a multiple of 16 of which `used` count.
 * `goals` = a by entry, `goalBytes` apart (0: one serves all); `priors` = m by row, 0 for none. `blockFactors`: a multiple of 8.
 * scratch: blockFactors block rows (A), 4 block rows, 64 block rows (scaled y_iπ), then e and g of the longest row, each rounded up to 4 entries.
 */
export function alsBlock(
  begin: i32, end: i32, scratch: usize, offsets: usize, indices: usize, values: usize, goals: usize, goalBytes: usize, targets: usize,
  sources: usize, ridge: usize, priors: usize, unobservedWeight: f32, alpha: f32, factors: usize, gram: usize, used: usize,
  blockFactors: usize, longest: usize,
): void {
  const rowBytes = factors << 2, mostBytes = blockFactors << 2;
  const matrix = scratch, rightSide = matrix + blockFactors * mostBytes, inverses = rightSide + mostBytes, limits = inverses + mostBytes;
  const delta = limits + mostBytes, scaled = delta + mostBytes, extras = scaled + (mostBytes << 6), slopes = extras + (((longest + 3) & ~3) << 2);
  for (let row = begin; row < end; row++) {
    const x = targets + <usize>row * rowBytes, prior = priors ? priors + <usize>row * rowBytes : 0;
    const first = <usize>load<i32>(offsets + (<usize>row << 2)), count = <usize>load<i32>(offsets + (<usize>row << 2), 4) - first;
    if (count == 0) { memory.fill(x, 0, rowBytes); continue; }
    const rowIndices = indices + (first << 2), lambda = load<f32>(ridge + (<usize>row << 2));
    startSlopes(rowIndices, values + (first << 2), goals + first * goalBytes, goalBytes, count, x, sources, rowBytes, unobservedWeight, alpha, extras, slopes);
    let previousBytes: usize = 0;
    for (let start: usize = 0; start < factors; start += blockFactors) {
      const width = min(blockFactors, factors - start), blockBytes = width << 2, at = start << 2;
      startBlock(gram + start * rowBytes, at, width, x, prior, lambda, rowBytes, matrix, rightSide);
      for (let entry: usize = 0; entry < count; entry += 64) {
        const some = min<usize>(64, count - entry), here = entry << 2;
        gatherBlock(rowIndices + here, (some + 3) >> 2, sources + at, rowBytes, blockBytes, previousBytes, delta, extras + here, slopes + here, scaled, rightSide);
        addOuterProducts(scaled, some, width, matrix);
      }
      addRidge(matrix, width, used > start ? used - start : 0, lambda, DAMPING, limits);
      factorize(matrix, width, inverses, limits);
      solve(matrix, rightSide, delta, width, inverses);
      for (let q: usize = 0; q < blockBytes; q += 16) v128.store(x + at + q, f32x4.add(v128.load(x + at + q), v128.load(delta + q)));
      previousBytes = blockBytes;
    }
  }
}

/** e and g of every entry; what rounds the count up to 4 becomes 0. */
function startSlopes(
  indices: usize, values: usize, goals: usize, goalBytes: usize, count: usize, x: usize, sources: usize, rowBytes: usize,
  unobservedWeight: f32, alpha: f32, extras: usize, slopes: usize,
): void {
  for (let entry: usize = 0; entry < count; entry += 4) {
    const at = entry << 2;
    v128.store(slopes + at, dotOfRows(indices + at, sources, rowBytes, x, rowBytes));
  }
  for (let entry: usize = 0; entry < count; entry++) {
    const at = entry << 2, extra = alpha * load<f32>(values + at);
    store<f32>(extras + at, extra);
    store<f32>(slopes + at, (unobservedWeight + extra) * load<f32>(goals + entry * goalBytes) - extra * load<f32>(slopes + at));
  }
  for (let entry = count; entry & 3; entry++) {
    store<f32>(extras + (entry << 2), 0);
    store<f32>(slopes + (entry << 2), 0);
  }
}

/** matrix = w₀G_ππ, rightSide = −(w₀G x)_π − λ(x − m)_π; `gram` points to the first row of π. */
@inline function startBlock(gram: usize, at: usize, width: usize, x: usize, prior: usize, lambda: f32, rowBytes: usize, matrix: usize, rightSide: usize): void {
  const blockBytes = width << 2, ridge = f32x4.splat(lambda);
  for (let k: usize = 0; k < width; k += 4) {
    const g0 = gram + k * rowBytes, g1 = g0 + rowBytes, g2 = g1 + rowBytes, g3 = g2 + rowBytes;
    let target = matrix + k * blockBytes;
    memory.copy(target, g0 + at, blockBytes); target += blockBytes;
    memory.copy(target, g1 + at, blockBytes); target += blockBytes;
    memory.copy(target, g2 + at, blockBytes); target += blockBytes;
    memory.copy(target, g3 + at, blockBytes);
    let distance = v128.load(x + at + (k << 2));
    if (prior) distance = f32x4.sub(distance, v128.load(prior + at + (k << 2)));
    v128.store(rightSide + (k << 2), f32x4.neg(multiplyAdd(ridge, distance, dotOfFour(g0, g1, g2, g3, x, rowBytes))));
  }
}

/**
 * For groups of 4 entries: g −= e · yᵀΔ over the block before (`previousBytes` before this one), rightSide += g · y_π, scaled rows = √e · y_π.
 * `sources` points to π in row 0.
 */
function gatherBlock(
  indices: usize, groups: usize, sources: usize, rowBytes: usize, blockBytes: usize, previousBytes: usize, delta: usize,
  extras: usize, slopes: usize, scaled: usize, rightSide: usize,
): void {
  for (let group: usize = 0; group < groups; group++) {
    const extra = v128.load(extras), root = f32x4.sqrt(extra);
    let slope = v128.load(slopes);
    if (previousBytes) {
      slope = multiplySubtract(extra, dotOfRows(indices, sources - previousBytes, rowBytes, delta, previousBytes), slope);
      v128.store(slopes, slope);
    }
    const y0 = sources + <usize>load<i32>(indices) * rowBytes, y1 = sources + <usize>load<i32>(indices, 4) * rowBytes;
    const y2 = sources + <usize>load<i32>(indices, 8) * rowBytes, y3 = sources + <usize>load<i32>(indices, 12) * rowBytes;
    const s0 = v128.shuffle<f32>(slope, slope, 0, 0, 0, 0), s1 = v128.shuffle<f32>(slope, slope, 1, 1, 1, 1);
    const s2 = v128.shuffle<f32>(slope, slope, 2, 2, 2, 2), s3 = v128.shuffle<f32>(slope, slope, 3, 3, 3, 3);
    const r0 = v128.shuffle<f32>(root, root, 0, 0, 0, 0), r1 = v128.shuffle<f32>(root, root, 1, 1, 1, 1);
    const r2 = v128.shuffle<f32>(root, root, 2, 2, 2, 2), r3 = v128.shuffle<f32>(root, root, 3, 3, 3, 3);
    for (let q: usize = 0; q < blockBytes; q += 16) {
      const a = v128.load(y0 + q), b = v128.load(y1 + q), c = v128.load(y2 + q), d = v128.load(y3 + q);
      let target = scaled + q;
      v128.store(target, f32x4.mul(a, r0)); target += blockBytes;
      v128.store(target, f32x4.mul(b, r1)); target += blockBytes;
      v128.store(target, f32x4.mul(c, r2)); target += blockBytes;
      v128.store(target, f32x4.mul(d, r3));
      const even = multiplyAdd(s2, c, multiplyAdd(s0, a, v128.load(rightSide + q))), odd = multiplyAdd(s3, d, f32x4.mul(s1, b));
      v128.store(rightSide + q, f32x4.add(even, odd));
    }
    indices += 16; extras += 16; slopes += 16; scaled += blockBytes << 2;
  }
}

/** Lane k = vectorᵀ · row indices[k], over `bytes`. */
@inline function dotOfRows(indices: usize, rows: usize, rowBytes: usize, vector: usize, bytes: usize): v128 {
  const r0 = rows + <usize>load<i32>(indices) * rowBytes, r1 = rows + <usize>load<i32>(indices, 4) * rowBytes;
  const r2 = rows + <usize>load<i32>(indices, 8) * rowBytes, r3 = rows + <usize>load<i32>(indices, 12) * rowBytes;
  return dotOfFour(r0, r1, r2, r3, vector, bytes);
}

@inline function dotOfFour(r0: usize, r1: usize, r2: usize, r3: usize, vector: usize, bytes: usize): v128 {
  let d0 = f32x4.splat(0), d1 = d0, d2 = d0, d3 = d0;
  for (let q: usize = 0; q < bytes; q += 16) {
    const v = v128.load(vector + q);
    d0 = multiplyAdd(v128.load(r0 + q), v, d0); d1 = multiplyAdd(v128.load(r1 + q), v, d1);
    d2 = multiplyAdd(v128.load(r2 + q), v, d2); d3 = multiplyAdd(v128.load(r3 + q), v, d3);
  }
  return sumOfEach(d0, d1, d2, d3);
}
