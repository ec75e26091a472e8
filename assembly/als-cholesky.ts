// ALS half-sweep solved exactly (Hu, Koren, Volinsky 2008), per row u:
//   A = w₀YᵀY + Σ_i e_ui y_i y_iᵀ + λ_u I = UᵀU,   A x_u = Σ_i (w₀ + e_ui) a_ui y_i + λ_u m_u,   e_ui = α·value_ui.
// Pivots lost to rounding are dropped (their unknown becomes 0), padded unknowns get the pivot 1 and stay exactly 0.
// Reference: src/kernels/reference/als.ts. Called by src/kernels/als.ts, also for fold-in; the small solver also by als-block.
import { addOuterProducts } from "./gram";
import { axpy, multiplyAdd, multiplySubtract, sumOfLanes } from "./simd";

/**
 * Rows [begin, end). `gram` = w₀YᵀY row-major, `ridge` = λ by row, `factors` a multiple of 16 of which `used` count.
 * `goals` = a by entry, `goalBytes` apart (0: one serves all); `priors` = m by row, 0 for none.
 * scratch: factors rows (A), 3 rows (b, pivot inverses, pivot limits), 64 rows (scaled y_i).
 */
export function alsCholesky(
  begin: i32, end: i32, scratch: usize, offsets: usize, indices: usize, values: usize, goals: usize, goalBytes: usize, targets: usize,
  sources: usize, ridge: usize, priors: usize, unobservedWeight: f32, alpha: f32, factors: usize, gram: usize, used: usize,
): void {
  const rowBytes = factors << 2, matrixBytes = factors * rowBytes;
  const matrix = scratch, rightSide = matrix + matrixBytes, inverses = rightSide + rowBytes, limits = inverses + rowBytes, scaled = limits + rowBytes;
  for (let row = begin; row < end; row++) {
    const x = targets + <usize>row * rowBytes;
    const first = <usize>load<i32>(offsets + (<usize>row << 2)), last = <usize>load<i32>(offsets + (<usize>row << 2), 4);
    if (first == last) { memory.fill(x, 0, rowBytes); continue; }
    memory.copy(matrix, gram, matrixBytes);
    memory.fill(rightSide, 0, rowBytes);
    for (let entry = first; entry < last; entry += 64) {
      const count = min<usize>(64, last - entry);
      let target = scaled;
      for (let k: usize = 0; k < count; k++) {
        // scaled row = √e · y;  b += (w₀ + e) a · y
        const extra = alpha * load<f32>(values + ((entry + k) << 2));
        const root = f32x4.splat(sqrt<f32>(extra)), weight = f32x4.splat((unobservedWeight + extra) * load<f32>(goals + (entry + k) * goalBytes));
        let source = sources + <usize>load<i32>(indices + ((entry + k) << 2)) * rowBytes, b = rightSide;
        const end = source + rowBytes;
        while (source < end) {
          const y0 = v128.load(source), y1 = v128.load(source, 16);
          v128.store(target, f32x4.mul(y0, root)); v128.store(target, f32x4.mul(y1, root), 16);
          v128.store(b, multiplyAdd(y0, weight, v128.load(b))); v128.store(b, multiplyAdd(y1, weight, v128.load(b, 16)), 16);
          source += 32; target += 32; b += 32;
        }
      }
      addOuterProducts(scaled, count, factors, matrix);
    }
    const lambda = load<f32>(ridge + (<usize>row << 2));
    if (priors) axpy(lambda, priors + <usize>row * rowBytes, rightSide, rowBytes);
    addRidge(matrix, factors, used, lambda, 1, limits);
    factorize(matrix, factors, inverses, limits);
    solve(matrix, rightSide, x, factors, inverses);
  }
}

/** A += λI, then diagonal · damping, for the first `used` unknowns; pivot 1 for the padded ones; limits[k] = the least pivot that rounding leaves. */
@inline export function addRidge(matrix: usize, factors: usize, used: usize, lambda: f32, damping: f32, limits: usize): void {
  for (let k: usize = 0; k < factors; k++) {
    const cell = matrix + k * ((factors << 2) + 4), pivot: f32 = k < used ? (load<f32>(cell) + lambda) * damping : 1;
    store<f32>(cell, pivot);
    store<f32>(limits + (k << 2), pivot * 1e-7);
  }
}

/** In place A → U with A = UᵀU, four pivots at a time; inverses[k] = 1/U_kk, or 0 where the pivot vanished. */
export function factorize(matrix: usize, factors: usize, inverses: usize, limits: usize): void {
  const rowBytes = factors << 2;
  for (let k: usize = 0; k < factors; k += 4) {
    for (let a: usize = 0; a < 4; a++) {
      const pivotRow = matrix + (k + a) * rowBytes, at = (k + a) << 2;
      const pivot = load<f32>(pivotRow + at);
      const inverse: f32 = pivot > load<f32>(limits + at) ? 1 / sqrt<f32>(pivot) : 0;
      store<f32>(inverses + at, inverse);
      const factor = f32x4.splat(inverse);
      for (let j: usize = k; j < factors; j += 4) v128.store(pivotRow + (j << 2), f32x4.mul(factor, v128.load(pivotRow + (j << 2))));
      for (let c = a + 1; c < 4; c++) {
        const other = matrix + (k + c) * rowBytes, t = v128.load32_splat(pivotRow + ((k + c) << 2));
        for (let j: usize = k; j < factors; j += 4)
          v128.store(other + (j << 2), multiplySubtract(t, v128.load(pivotRow + (j << 2)), v128.load(other + (j << 2))));
      }
    }
    // A_ij −= Σ_{a<4} U_ai U_aj for the rows below, two at a time
    const r0 = matrix + k * rowBytes;
    for (let i = k + 4; i < factors; i += 2) {
      const p0 = r0 + (i << 2), p1 = p0 + rowBytes, p2 = p1 + rowBytes, p3 = p2 + rowBytes;
      const t00 = v128.load32_splat(p0), t01 = v128.load32_splat(p1), t02 = v128.load32_splat(p2), t03 = v128.load32_splat(p3);
      const t10 = v128.load32_splat(p0, 4), t11 = v128.load32_splat(p1, 4), t12 = v128.load32_splat(p2, 4), t13 = v128.load32_splat(p3, 4);
      const column = (i & ~3) << 2;
      let q0 = r0 + column, q1 = q0 + rowBytes, q2 = q1 + rowBytes, q3 = q2 + rowBytes, target = matrix + i * rowBytes + column;
      const end = matrix + i * rowBytes + rowBytes;
      while (target < end) {
        const u0 = v128.load(q0), u1 = v128.load(q1), u2 = v128.load(q2), u3 = v128.load(q3);
        const below = target + rowBytes;
        v128.store(target, multiplySubtract(t03, u3, multiplySubtract(t02, u2, multiplySubtract(t01, u1, multiplySubtract(t00, u0, v128.load(target))))));
        v128.store(below, multiplySubtract(t13, u3, multiplySubtract(t12, u2, multiplySubtract(t11, u1, multiplySubtract(t10, u0, v128.load(below))))));
        q0 += 16; q1 += 16; q2 += 16; q3 += 16; target += 16;
      }
    }
  }
}

/** Uᵀz = b along rows, then Ux = z by dots. Destroys b. */
export function solve(matrix: usize, b: usize, x: usize, factors: usize, inverses: usize): void {
  const rowBytes = factors << 2;
  for (let k: usize = 0; k < factors; k++) {
    const pivotRow = matrix + k * rowBytes, z = load<f32>(b + (k << 2)) * load<f32>(inverses + (k << 2)), t = f32x4.splat(z);
    for (let j = k & ~3; j < factors; j += 4) v128.store(b + (j << 2), multiplySubtract(t, v128.load(pivotRow + (j << 2)), v128.load(b + (j << 2))));
    store<f32>(x + (k << 2), z);
  }
  for (let k = <isize>factors - 1; k >= 0; k--) {
    const pivotRow = matrix + <usize>k * rowBytes;
    let sums = f32x4.splat(0), rest = load<f32>(x + (<usize>k << 2)), j = (<usize>k + 4) & ~3;
    for (let q = <usize>k + 1; q < j; q++) rest -= load<f32>(pivotRow + (q << 2)) * load<f32>(x + (q << 2));
    for (; j < factors; j += 4) sums = multiplyAdd(v128.load(pivotRow + (j << 2)), v128.load(x + (j << 2)), sums);
    store<f32>(x + (<usize>k << 2), (rest - sumOfLanes(sums)) * load<f32>(inverses + (<usize>k << 2)));
  }
}
