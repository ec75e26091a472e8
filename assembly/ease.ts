// Item weights of EASE (Steck 2019) out of the swept tiles S = −(XᵀX + λI)⁻¹ (symmetric-inverse.ts): B_ji = S_ji / −S_ii for j ≠ i, B_jj = 0.
// Reference: src/kernels/reference/ease.ts. Called by src/kernels/ease.ts.
import { tileAt } from "./tile";

/** scales[i] = −1 / S_ii for rows i in [begin, end). */
export function easeScales(begin: i32, end: i32, scratch: usize, tiles: usize, size: usize, scales: usize): void {
  for (let i = <usize>begin; i < <usize>end; i++) {
    const block = i / size, row = i - block * size;
    store<f32>(scales + (i << 2), -1 / load<f32>(tileAt(tiles, block, block, size) + row * ((size + 1) << 2)));
  }
}

/**
 * Units [begin, end) of 16 rows of block `block`: row r of the block goes to out[r], length `blocks` · size.
 * `byRow` 0: B_r· (S_rj scaled by column: what item r adds to others); 1: B_·r (scaled by row: what others add to item r).
 */
export function easeRows(begin: i32, end: i32, scratch: usize, tiles: usize, size: usize, blocks: usize, block: usize, scales: usize, byRow: i32, out: usize): void {
  const rowBytes = size << 2, outBytes = blocks * rowBytes;
  for (let unit = <usize>begin; unit < <usize>end; unit++) {
    const first = unit << 4;
    for (let j: usize = 0; j < blocks; j++) {
      if (j < block) {
        const tile = tileAt(tiles, block, j, size);
        for (let r = first; r < first + 16; r++) memory.copy(out + r * outBytes + j * rowBytes, tile + r * rowBytes, rowBytes);
      } else {
        const tile = tileAt(tiles, j, block, size);
        for (let c: usize = 0; c < size; c++) {
          const isDiagonal = j == block;
          for (let r = first; r < first + 16; r++) {
            const cell = isDiagonal && c < r ? tile + r * rowBytes + (c << 2) : tile + c * rowBytes + (r << 2);
            store<f32>(out + r * outBytes + j * rowBytes + (c << 2), load<f32>(cell));
          }
        }
      }
    }
    for (let r = first; r < first + 16; r++) {
      const rowScale = v128.load32_splat(scales + block * rowBytes + (r << 2));
      let cell = out + r * outBytes, scale = scales;
      for (const last = cell + outBytes; cell < last; cell += 16, scale += 16)
        v128.store(cell, f32x4.mul(v128.load(cell), byRow ? rowScale : v128.load(scale)));
      store<f32>(out + r * outBytes + block * rowBytes + (r << 2), 0);
    }
  }
}
