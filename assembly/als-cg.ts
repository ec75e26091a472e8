// ALS half-sweep by conjugate gradients (Takács, Pilászy, Tikk 2011), a few steps from the present factors, per row u:
//   (w₀YᵀY + Σ_i e_ui y_i y_iᵀ + λ_u I) x_u = Σ_i (w₀ + e_ui) a_ui y_i + λ_u m_u,   e_ui = α·value_ui, i over the row's entries.
// The row's y_i are gathered once into panels; panels beyond `cachedPanels` are gathered again in every step, so scratch is bounded.
// Reference: src/kernels/reference/als.ts. Called by src/kernels/als.ts.
import { axpy, dot, multiplyAdd, multiplySubtract, sumOfLanes } from "./simd";
import { gatherPanel, panelAxpy, panelDot, symmetricProduct } from "./panel";

/**
 * Rows [begin, end). `gram` = w₀YᵀY as panels, `ridge` = λ by row, `factors` a multiple of 16.
 * `goals` = a by entry, `goalBytes` apart (0: 32 bytes that serve all entries); `priors` = m by row, 0 for none.
 * scratch: 3 rows, 64 bytes, (cachedPanels + 1) panels.
 */
export function alsCg(
  begin: i32, end: i32, scratch: usize, offsets: usize, indices: usize, values: usize, goals: usize, goalBytes: usize, targets: usize,
  sources: usize, ridge: usize, priors: usize, unobservedWeight: f32, alpha: f32, factors: usize, gram: usize, steps: i32, cachedPanels: usize,
): void {
  const rowBytes = factors << 2, panelBytes = rowBytes << 3;
  const direction = scratch, residual = direction + rowBytes, product = residual + rowBytes, scales = product + rowBytes, panels = scales + 64;
  const alphas = f32x4.splat(alpha), unobserved = f32x4.splat(unobservedWeight);
  for (let row = begin; row < end; row++) {
    const x = targets + <usize>row * rowBytes;
    const first = <usize>load<i32>(offsets + (<usize>row << 2)), count = <usize>load<i32>(offsets + (<usize>row << 2), 4) - first;
    if (count == 0) { memory.fill(x, 0, rowBytes); continue; }
    const rowIndices = indices + (first << 2), rowValues = values + (first << 2), rowGoals = goals + first * goalBytes, numPanels = (count + 7) >> 3;
    const lambda = load<f32>(ridge + (<usize>row << 2));

    // r = Σ ((w₀ + e) a − e·yᵀx) y − w₀YᵀY x − λ(x − m)
    symmetricProduct(gram, x, residual, rowBytes);
    axpy(lambda, x, residual, rowBytes);
    if (priors) axpy(-lambda, priors + <usize>row * rowBytes, residual, rowBytes);
    for (let q = residual; q < product; q += 16) v128.store(q, f32x4.neg(v128.load(q)));
    for (let k: usize = 0; k < numPanels; k++) {
      const panel = panels + min(k, cachedPanels) * panelBytes, at = k << 5;
      gatherPanel(panel, rowIndices + at, min<usize>(8, count - (k << 3)), sources, rowBytes);
      panelDot(panel, x, rowBytes, scales);
      const extra0 = f32x4.mul(alphas, v128.load(rowValues + at)), extra1 = f32x4.mul(alphas, v128.load(rowValues + at, 16));
      const goal = rowGoals + (k << 3) * goalBytes;
      v128.store(scales, multiplySubtract(extra0, v128.load(scales), f32x4.mul(f32x4.add(unobserved, extra0), v128.load(goal))));
      v128.store(scales, multiplySubtract(extra1, v128.load(scales, 16), f32x4.mul(f32x4.add(unobserved, extra1), v128.load(goal, 16))), 16);
      panelAxpy(panel, residual, rowBytes, scales);
    }
    memory.copy(direction, residual, rowBytes);
    let squared = dot(residual, residual, rowBytes);
    if (!(squared > 1e-20)) continue;

    for (let step = 1; ; step++) {
      // Ap = w₀YᵀY p + λp + Σ e (yᵀp) y; the last step needs only pᵀAp = pᵀ(w₀YᵀY p + λp) + Σ e (yᵀp)²
      const isLast = step >= steps;
      symmetricProduct(gram, direction, product, rowBytes);
      axpy(lambda, direction, product, rowBytes);
      let squares = f32x4.splat(0);
      for (let k: usize = 0; k < numPanels; k++) {
        const panel = panels + min(k, cachedPanels) * panelBytes, at = k << 5;
        if (k >= cachedPanels) gatherPanel(panel, rowIndices + at, min<usize>(8, count - (k << 3)), sources, rowBytes);
        panelDot(panel, direction, rowBytes, scales);
        const dots0 = v128.load(scales), dots1 = v128.load(scales, 16);
        const scaled0 = f32x4.mul(f32x4.mul(alphas, v128.load(rowValues + at)), dots0);
        const scaled1 = f32x4.mul(f32x4.mul(alphas, v128.load(rowValues + at, 16)), dots1);
        if (isLast) {
          squares = multiplyAdd(scaled0, dots0, squares);
          squares = multiplyAdd(scaled1, dots1, squares);
          continue;
        }
        v128.store(scales, scaled0);
        v128.store(scales, scaled1, 16);
        panelAxpy(panel, product, rowBytes, scales);
      }
      // x += a·p, r −= a·Ap with a = rᵀr / pᵀAp; pᵀAp is 0 only where nothing is left to fit
      const curvature = dot(direction, product, rowBytes) + sumOfLanes(squares);
      if (!(curvature > 0)) break;
      const stepLength = squared / curvature;
      axpy(stepLength, direction, x, rowBytes);
      if (isLast) break;
      axpy(-stepLength, product, residual, rowBytes);
      // p = r + (r'ᵀr' / rᵀr) p
      const nextSquared = dot(residual, residual, rowBytes);
      if (!(nextSquared > 1e-20)) break;
      const ratio = f32x4.splat(nextSquared / squared);
      for (let q: usize = 0; q < rowBytes; q += 16)
        v128.store(direction + q, multiplyAdd(ratio, v128.load(direction + q), v128.load(residual + q)));
      squared = nextSquared;
    }
  }
}
