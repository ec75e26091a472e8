// Second look of top-k-int4.ts at items that its 4-bit codes cannot leave out: all dimensions in 8 bits, an item's codes side by side, so
// that it costs two or three lines of memory where the exact score costs one per dimension. item = along · axis + scale · code + residual.
// Row: scale, ‖residual‖ and a bound of ‖item‖ (rounded up), along (f32), then i8 codes, padded to 16 bytes.
// Reference: src/kernels/reference/top-k-int4.ts. Used by top-k-int4.

/** Smallest scale, as in top-k-int4.ts. */
const minScale: f32 = 8.881784197001252e-16; // 2^−50

/** A small number plus this is rounded to a whole one, which stands in its last bits. */
export const rounding: f32 = 12582912; // 1.5 · 2^23

@inline export function int8RowBytes(dimensions: usize): usize {
  return 16 + ((dimensions + 15) & ~15);
}

/** Four items side by side, [dimensions][32] f32 with these in the first lanes and without their part along the axis (0 or 4 × f32) → four rows. */
export function packInt8(source: usize, dimensions: usize, along: usize, rows: usize): void {
  const stride = int8RowBytes(dimensions), end = source + (dimensions << 7);
  let largest = f32x4.splat(0);
  for (let p = source; p < end; p += 128) largest = f32x4.pmax(largest, f32x4.abs(v128.load(p)));
  const scale = f32x4.pmax(f32x4.div(largest, f32x4.splat(127)), f32x4.splat(minScale)), inverse = f32x4.div(f32x4.splat(1), scale);
  let residuals = f32x4.splat(0), squares = residuals, target = rows + 16;
  for (let p = source; p < end; target += 4) {
    let packed = i32x4.splat(0);
    for (let shift = 0; shift < 32 && p < end; shift += 8, p += 128) {
      const exact = f32x4.mul(v128.load(p), inverse);
      const rounded = f32x4.add(f32x4.pmax(f32x4.splat(-127), f32x4.pmin(f32x4.splat(127), exact)), f32x4.splat(rounding));
      const residual = f32x4.sub(exact, f32x4.sub(rounded, f32x4.splat(rounding)));
      residuals = f32x4.add(residuals, f32x4.mul(residual, residual));
      squares = f32x4.add(squares, f32x4.mul(exact, exact));
      packed = v128.or(packed, i32x4.shl(v128.and(rounded, i32x4.splat(255)), shift));
    }
    v128.store_lane<i32>(target, packed, 0);
    v128.store_lane<i32>(target + stride, packed, 1);
    v128.store_lane<i32>(target + 2 * stride, packed, 2);
    v128.store_lane<i32>(target + 3 * stride, packed, 3);
  }
  // x·(1/scale) is off by at most 2e-5 per dimension, the sums by dimensions · 2^−24 of themselves
  const inflate = f32x4.splat(1 + 1e-5 + 1.5e-7 * <f32>dimensions), slack = f32x4.splat(2e-5 * sqrt<f32>(<f32>dimensions));
  const residual = f32x4.mul(f32x4.add(f32x4.mul(f32x4.sqrt(residuals), inflate), slack), scale);
  const part = along ? v128.load(along) : f32x4.splat(0);
  const length = f32x4.add(f32x4.mul(f32x4.mul(f32x4.sqrt(squares), inflate), scale), f32x4.abs(part));
  storeHeader(rows, stride, scale, residual, f32x4.mul(f32x4.add(length, residual), inflate), part);
}

/** Four columns → the first 16 bytes of four rows. */
@inline function storeHeader(rows: usize, stride: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab01 = v128.shuffle<f32>(a, b, 0, 4, 1, 5), ab23 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd01 = v128.shuffle<f32>(c, d, 0, 4, 1, 5), cd23 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(rows, v128.shuffle<i64>(ab01, cd01, 0, 2));
  v128.store(rows + stride, v128.shuffle<i64>(ab01, cd01, 1, 3));
  v128.store(rows + 2 * stride, v128.shuffle<i64>(ab23, cd23, 0, 2));
  v128.store(rows + 3 * stride, v128.shuffle<i64>(ab23, cd23, 1, 3));
}

/** Approximate score of one row; `query` holds the step at 0 and axis · query 12 bytes before, `coefficients` i16 per dimension. */
@inline export function middleInt8(row: usize, rowBytes: usize, query: usize, coefficients: usize): f32 {
  let even = i32x4.splat(0), odd = even, c = coefficients;
  for (let p = row + 16, end = row + rowBytes; p < end; p += 16) {
    const codes = v128.load(p);
    even = i32x4.add(even, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(codes), v128.load(c)));
    odd = i32x4.add(odd, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(codes), v128.load(c, 16)));
    c += 32;
  }
  const pairs = i32x4.add(even, odd), halves = i32x4.add(pairs, v128.shuffle<i32>(pairs, pairs, 2, 3, 0, 1));
  const sum = <f32>(i32x4.extract_lane(halves, 0) + i32x4.extract_lane(halves, 1));
  return sum * load<f32>(row) * load<f32>(query) + load<f32>(row, 12) * load<f32>(query - 12);
}
