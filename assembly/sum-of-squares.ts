// Σ value² in four float64 sums, as the plain twin adds them up, so that pieces of an array may come one after the other.
// Reference: src/kernels/reference/sum-of-squares.ts. Called by src/kernels/optimizer.ts.

/** Values [begin, end), both multiples of 4, add to the four sums (f64). */
export function sumOfSquares(begin: i32, end: i32, scratch: usize, values: usize, sums: usize): void {
  let ab = v128.load(sums), cd = v128.load(sums, 16);
  for (let p = values + (<usize>begin << 2), last = values + (<usize>end << 2); p < last; p += 16) {
    const low = f64x2.promote_low_f32x4(v128.load64_zero(p)), high = f64x2.promote_low_f32x4(v128.load64_zero(p, 8));
    ab = f64x2.add(ab, f64x2.mul(low, low));
    cd = f64x2.add(cd, f64x2.mul(high, high));
  }
  v128.store(sums, ab);
  v128.store(sums, cd, 16);
}
