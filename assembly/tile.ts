// Square tiles of a symmetric matrix, lower triangle only: tile (i, j), i ≥ j, is row-major and stands at place i(i + 1)/2 + j.
// A product of tiles reads packed operands: strips of 4 rows (left) or 8 rows (right), each strip with the inner index outermost,
// and keeps a 4 × 8 block of the result in 8 registers (12 would spill without fused multiply-add).
import { multiplyAdd } from "./simd";

@inline export function tileAt(tiles: usize, i: usize, j: usize, size: usize): usize {
  return tiles + ((((i * (i + 1)) >> 1) + j) * size * size << 2);
}

/** target = sourceᵀ; `size` a multiple of 4. */
export function transposeTile(source: usize, target: usize, size: usize): void {
  const rowBytes = size << 2;
  for (let i: usize = 0; i < size; i += 4) {
    let from = source + i * rowBytes, to = target + (i << 2);
    for (const last = from + rowBytes; from < last; from += 16, to += rowBytes << 2) {
      const a = v128.load(from), b = v128.load(from + rowBytes), c = v128.load(from + (rowBytes << 1)), d = v128.load(from + rowBytes * 3);
      transposeStore(a, b, c, d, to, rowBytes);
    }
  }
}

/** Rows of a tile as strips of `height` (4 or 8) rows: strip[k] holds element k of each of its rows. */
export function packStrips(source: usize, target: usize, size: usize, height: usize): void {
  const rowBytes = size << 2, stripBytes = height * rowBytes, step = height << 2;
  for (let i: usize = 0; i < size; i += 4) {
    let from = source + i * rowBytes, to = target + (i / height) * stripBytes + ((i & (height - 1)) << 2);
    for (const last = from + rowBytes; from < last; from += 16, to += step << 2) {
      const a = v128.load(from), b = v128.load(from + rowBytes), c = v128.load(from + (rowBytes << 1)), d = v128.load(from + rowBytes * 3);
      transposeStore(a, b, c, d, to, step);
    }
  }
}

/** Four rows of four values, written as columns `step` bytes apart. */
@inline function transposeStore(a: v128, b: v128, c: v128, d: v128, to: usize, step: usize): void {
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
  v128.store(to + step, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7));
  v128.store(to + (step << 1), v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5));
  v128.store(to + step * 3, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7));
}

/**
 * target −= left · rightᵀ (`subtract`), or target = left · rightᵀ; `size` a multiple of 8.
 * `lowerOnly` leaves 4 × 8 blocks above the diagonal as they are.
 */
export function multiplyTile(left: usize, right: usize, target: usize, size: usize, subtract: bool, lowerOnly: bool): void {
  const rowBytes = size << 2, stripBytes = rowBytes << 2;
  for (let j: usize = 0; j < size; j += 8) {
    const strip = right + j * rowBytes;
    for (let i = lowerOnly ? j : 0; i < size; i += 4) {
      let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
      let a = left + i * rowBytes, b = strip;
      for (const end = a + stripBytes; a < end; a += 32, b += 64) {
        let b0 = v128.load(b), b1 = v128.load(b, 16), t = v128.load32_splat(a); c00 = multiplyAdd(t, b0, c00); c01 = multiplyAdd(t, b1, c01);
        t = v128.load32_splat(a, 4); c10 = multiplyAdd(t, b0, c10); c11 = multiplyAdd(t, b1, c11);
        t = v128.load32_splat(a, 8); c20 = multiplyAdd(t, b0, c20); c21 = multiplyAdd(t, b1, c21);
        t = v128.load32_splat(a, 12); c30 = multiplyAdd(t, b0, c30); c31 = multiplyAdd(t, b1, c31);
        b0 = v128.load(b, 32); b1 = v128.load(b, 48);
        t = v128.load32_splat(a, 16); c00 = multiplyAdd(t, b0, c00); c01 = multiplyAdd(t, b1, c01);
        t = v128.load32_splat(a, 20); c10 = multiplyAdd(t, b0, c10); c11 = multiplyAdd(t, b1, c11);
        t = v128.load32_splat(a, 24); c20 = multiplyAdd(t, b0, c20); c21 = multiplyAdd(t, b1, c21);
        t = v128.load32_splat(a, 28); c30 = multiplyAdd(t, b0, c30); c31 = multiplyAdd(t, b1, c31);
      }
      let cell = target + i * rowBytes + (j << 2);
      put(cell, c00, subtract); put(cell + 16, c01, subtract); cell += rowBytes;
      put(cell, c10, subtract); put(cell + 16, c11, subtract); cell += rowBytes;
      put(cell, c20, subtract); put(cell + 16, c21, subtract); cell += rowBytes;
      put(cell, c30, subtract); put(cell + 16, c31, subtract);
    }
  }
}

@inline function put(cell: usize, value: v128, subtract: bool): void {
  v128.store(cell, subtract ? f32x4.sub(v128.load(cell), value) : value);
}
