// In-place inverse of a symmetric positive definite matrix A by block sweeps (Beaton 1964; the symmetric form of Gauss–Jordan):
// for every pivot block k, with D = A_kk⁻¹ and U_i = A_ik D for i ≠ k,
//   A_ij −= U_i A_jkᵀ,   A_ik = U_i,   A_kk = −D;   after the last block A holds −A⁻¹.
// n³ flops as for Cholesky and its inverse together, but one phase of n²/2 equal tile updates per pivot block.
// A: lower triangle of tiles (tile.ts). Reference: src/kernels/reference/symmetric-inverse.ts. Called by src/kernels/symmetric-inverse.ts.
import { multiplySubtract } from "./simd";
import { multiplyTile, packStrips, tileAt, transposeTile } from "./tile";

/**
 * Sweeps the one tile (pivot, pivot), column by column, and packs D as 8-column strips. `limits`: by row, the least pivot taken;
 * at a smaller one (or NaN) `status` = 1 + its row, and the tile is left unfinished. scratch: one row.
 */
export function sweepPivot(begin: i32, end: i32, scratch: usize, tiles: usize, pivot: usize, size: usize, limits: usize, packed: usize, status: usize): void {
  const rowBytes = size << 2, tile = tileAt(tiles, pivot, pivot, size), rowLimits = limits + pivot * rowBytes;
  for (let p: usize = 0; p < size; p++) {
    const at = p << 2, pivotRow = tile + p * rowBytes;
    memory.copy(scratch, pivotRow, at);
    for (let j = p; j < size; j++) store<f32>(scratch + (j << 2), load<f32>(tile + j * rowBytes + at));
    const value = load<f32>(scratch + at);
    if (!(value > load<f32>(rowLimits + at))) { store<i32>(status, <i32>(pivot * size + p + 1)); return; }
    const inverse: f32 = 1 / value;
    store<f32>(scratch + at, 0);
    for (let i: usize = 0; i < size; i++) {
      if (i == p) continue;
      const row = tile + i * rowBytes, factor = load<f32>(scratch + (i << 2)) * inverse, t = f32x4.splat(factor), last = row + (i << 2);
      for (let cell = row, v = scratch; cell <= last; cell += 16, v += 16) v128.store(cell, multiplySubtract(t, v128.load(v), v128.load(cell)));
      if (i < p) store<f32>(pivotRow + (i << 2), factor);
      else store<f32>(row + at, factor);
    }
    store<f32>(pivotRow + at, -inverse);
  }
  for (let i: usize = 0; i < size; i++) {
    for (let j: usize = 0; j < size; j++) {
      const cell = i > j ? tile + i * rowBytes + (j << 2) : tile + j * rowBytes + (i << 2);
      store<f32>(packed + (j & ~7) * rowBytes + (i << 5) + ((j & 7) << 2), -load<f32>(cell));
    }
  }
}

/**
 * Blocks i in [begin, end) but the pivot: A_ik becomes U_i; `left` keeps U_i as 4-row strips, `right` the old A_ik as 8-row strips,
 * size² floats per block. scratch: two tiles.
 */
export function sweepPanel(begin: i32, end: i32, scratch: usize, tiles: usize, pivot: usize, size: usize, packed: usize, left: usize, right: usize): void {
  const tileBytes = (size * size) << 2, strips = scratch, product = scratch + tileBytes;
  for (let i = <usize>begin; i < <usize>end; i++) {
    if (i == pivot) continue;
    const isBelow = i > pivot, tile = isBelow ? tileAt(tiles, i, pivot, size) : tileAt(tiles, pivot, i, size);
    if (!isBelow) transposeTile(tile, product, size);
    const source = isBelow ? tile : product;
    packStrips(source, strips, size, 4);
    packStrips(source, right + i * tileBytes, size, 8);
    const target = isBelow ? tile : product;
    multiplyTile(strips, packed, target, size, false, false);
    packStrips(target, left + i * tileBytes, size, 4);
    if (!isBelow) transposeTile(product, tile, size);
  }
}

/** Units [begin, end) of the tiles outside row and column `pivot`, numbered by rows: A_ij −= U_i A_jkᵀ. */
export function sweepUpdate(begin: i32, end: i32, scratch: usize, tiles: usize, pivot: usize, size: usize, left: usize, right: usize): void {
  const tileBytes = (size * size) << 2;
  for (let unit = <usize>begin; unit < <usize>end; unit++) {
    let i = <usize>((sqrt<f64>(8 * <f64>unit + 1) - 1) / 2);
    while (((i * (i + 1)) >> 1) > unit) i--;
    while ((((i + 1) * (i + 2)) >> 1) <= unit) i++;
    let j = unit - ((i * (i + 1)) >> 1);
    if (i >= pivot) i++;
    if (j >= pivot) j++;
    multiplyTile(left + i * tileBytes, right + j * tileBytes, tileAt(tiles, i, j, size), size, true, i == j);
  }
}
