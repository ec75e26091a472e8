// Gram matrix G = Σ_r y_r y_rᵀ of factor rows, in fixed partitions so that the sum does not depend on the thread count.
// `gramPartials` sums each partition, `gramFinish` adds them up and writes the row-major and the panel layout (panel.ts).
// Reference: src/kernels/reference/gram.ts. Called by src/kernels/gram.ts before every ALS half-sweep.
import { multiplyAdd } from "./simd";

/** Partitions [begin, end): partials[p] = Σ y yᵀ over rows p·size … (p + 1)·size − 1; only blocks at or above the diagonal are right. */
export function gramPartials(begin: i32, end: i32, scratch: usize, rows: usize, numRows: usize, partitionSize: usize, factors: usize, partials: usize): void {
  const rowBytes = factors << 2, matrixBytes = factors * rowBytes;
  for (let partition = <usize>begin; partition < <usize>end; partition++) {
    const matrix = partials + partition * matrixBytes;
    const last = min<usize>((partition + 1) * partitionSize, numRows);
    memory.fill(matrix, 0, matrixBytes);
    for (let row = partition * partitionSize; row < last; row += 128) // 128 rows stay in the first-level cache
      addOuterProducts(rows + row * rowBytes, min<usize>(128, last - row), factors, matrix);
  }
}

/** matrix (row-major, 4 × 8 blocks at or above the diagonal) += SᵀS for `count` contiguous rows S. */
export function addOuterProducts(rows: usize, count: usize, factors: usize, matrix: usize): void {
  const rowBytes = factors << 2, bytes = count * rowBytes;
  for (let i: usize = 0; i < factors; i += 4) {
    for (let j: usize = i & ~7; j < factors; j += 8) {
      let cell = matrix + i * rowBytes + (j << 2);
      let c00 = v128.load(cell), c01 = v128.load(cell, 16); cell += rowBytes;
      let c10 = v128.load(cell), c11 = v128.load(cell, 16); cell += rowBytes;
      let c20 = v128.load(cell), c21 = v128.load(cell, 16); cell += rowBytes;
      let c30 = v128.load(cell), c31 = v128.load(cell, 16);
      let a = rows + (i << 2), b = rows + (j << 2);
      const end = a + bytes;
      while (a < end) {
        const b0 = v128.load(b), b1 = v128.load(b, 16);
        let t = v128.load32_splat(a, 0); c00 = multiplyAdd(t, b0, c00); c01 = multiplyAdd(t, b1, c01);
        t = v128.load32_splat(a, 4); c10 = multiplyAdd(t, b0, c10); c11 = multiplyAdd(t, b1, c11);
        t = v128.load32_splat(a, 8); c20 = multiplyAdd(t, b0, c20); c21 = multiplyAdd(t, b1, c21);
        t = v128.load32_splat(a, 12); c30 = multiplyAdd(t, b0, c30); c31 = multiplyAdd(t, b1, c31);
        a += rowBytes; b += rowBytes;
      }
      v128.store(cell, c30); v128.store(cell, c31, 16); cell -= rowBytes;
      v128.store(cell, c20); v128.store(cell, c21, 16); cell -= rowBytes;
      v128.store(cell, c10); v128.store(cell, c11, 16); cell -= rowBytes;
      v128.store(cell, c00); v128.store(cell, c01, 16);
    }
  }
}

/** Rows [begin, end) of scale · Σ_p partials[p], summed in float64, mirrored, written row-major and as panels. */
export function gramFinish(begin: i32, end: i32, scratch: usize, partials: usize, partitions: usize, factors: usize, scale: f32, rowMajor: usize, panels: usize): void {
  const rowBytes = factors << 2, matrixBytes = factors * rowBytes;
  for (let i = <usize>begin; i < <usize>end; i++) {
    for (let j = i; j < factors; j++) {
      let sum: f64 = 0;
      const cell = partials + i * rowBytes + (j << 2);
      for (let p: usize = 0; p < partitions; p++) sum += <f64>load<f32>(cell + p * matrixBytes);
      const value = <f32>(sum * <f64>scale);
      store<f32>(rowMajor + i * rowBytes + (j << 2), value);
      store<f32>(rowMajor + j * rowBytes + (i << 2), value);
      store<f32>(panelCell(panels, i, j, rowBytes), value);
      store<f32>(panelCell(panels, j, i, rowBytes), value);
    }
  }
}

@inline function panelCell(panels: usize, row: usize, column: usize, rowBytes: usize): usize {
  return panels + (row & ~7) * rowBytes + ((column >> 2) << 7) + ((row & 7) << 4) + ((column & 3) << 2);
}
