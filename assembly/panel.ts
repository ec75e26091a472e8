// Panels: 8 factor rows interleaved so that chunk j holds floats 4j…4j+3 of row 0, of row 1, … of row 7 (128 bytes).
// Every load of a dot or an axpy over 8 rows is then one base pointer plus an immediate.
// A symmetric matrix kept as panels is multiplied by the same axpy. Used by als-cg and als-loss.
import { multiplyAdd, sumOfEach } from "./simd";

/** Copies up to 8 rows (`count`, by their indices) of `rows` into one panel; missing rows become zero. */
@inline export function gatherPanel(panel: usize, indices: usize, count: usize, rows: usize, rowBytes: usize): void {
  for (let lane: usize = 0; lane < count; lane++) {
    let source = rows + <usize>load<i32>(indices + (lane << 2)) * rowBytes, target = panel + (lane << 4);
    const end = source + rowBytes;
    while (source < end) {
      v128.store(target, v128.load(source));
      v128.store(target, v128.load(source, 16), 128);
      v128.store(target, v128.load(source, 32), 256);
      v128.store(target, v128.load(source, 48), 384);
      source += 64; target += 512;
    }
  }
  for (let lane = count; lane < 8; lane++) {
    let target = panel + (lane << 4);
    const zero = f32x4.splat(0), end = target + (rowBytes << 3);
    while (target < end) { v128.store(target, zero); target += 128; }
  }
}

/** out[k] = row_kᵀ·vector for the 8 rows of a panel. */
@inline export function panelDot(panel: usize, vector: usize, rowBytes: usize, out: usize): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const end = vector + rowBytes;
  while (vector < end) {
    const v = v128.load(vector);
    s0 = multiplyAdd(v128.load(panel, 0), v, s0); s1 = multiplyAdd(v128.load(panel, 16), v, s1);
    s2 = multiplyAdd(v128.load(panel, 32), v, s2); s3 = multiplyAdd(v128.load(panel, 48), v, s3);
    s4 = multiplyAdd(v128.load(panel, 64), v, s4); s5 = multiplyAdd(v128.load(panel, 80), v, s5);
    s6 = multiplyAdd(v128.load(panel, 96), v, s6); s7 = multiplyAdd(v128.load(panel, 112), v, s7);
    vector += 16; panel += 128;
  }
  v128.store(out, sumOfEach(s0, s1, s2, s3));
  v128.store(out, sumOfEach(s4, s5, s6, s7), 16);
}

/** vector += Σ_k scales[k] · row_k over the 8 rows of a panel. */
@inline export function panelAxpy(panel: usize, vector: usize, rowBytes: usize, scales: usize): void {
  const t0 = v128.load32_splat(scales, 0), t1 = v128.load32_splat(scales, 4), t2 = v128.load32_splat(scales, 8), t3 = v128.load32_splat(scales, 12);
  const t4 = v128.load32_splat(scales, 16), t5 = v128.load32_splat(scales, 20), t6 = v128.load32_splat(scales, 24), t7 = v128.load32_splat(scales, 28);
  const end = vector + rowBytes;
  while (vector < end) {
    let a = multiplyAdd(t0, v128.load(panel, 0), v128.load(vector)), b = f32x4.mul(t1, v128.load(panel, 16));
    a = multiplyAdd(t2, v128.load(panel, 32), a); b = multiplyAdd(t3, v128.load(panel, 48), b);
    a = multiplyAdd(t4, v128.load(panel, 64), a); b = multiplyAdd(t5, v128.load(panel, 80), b);
    a = multiplyAdd(t6, v128.load(panel, 96), a); b = multiplyAdd(t7, v128.load(panel, 112), b);
    v128.store(vector, f32x4.add(a, b));
    vector += 16; panel += 128;
  }
}

/** out = matrix · vector, the symmetric matrix (factors × factors) given as panels. */
@inline export function symmetricProduct(matrix: usize, vector: usize, out: usize, rowBytes: usize): void {
  memory.fill(out, 0, rowBytes);
  const end = vector + rowBytes;
  while (vector < end) { // 8 columns = 8 rows per panel
    panelAxpy(matrix, out, rowBytes, vector);
    matrix += rowBytes << 3; vector += 32;
  }
}
