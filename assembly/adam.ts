// One step of Adam (Kingma & Ba 2015) with decoupled weight decay, in float64 between loads and stores: the bits of the plain twin.
// Reference: src/kernels/reference/adam.ts. Called by src/kernels/optimizer.ts, which copies long parameters here piece by piece.

// BETA1 = 0.9, BETA2 = 0.999; their complements as JavaScript subtracts them.
const MEAN_SHARE: f64 = 1.0 - 0.9, SQUARES_SHARE: f64 = 1.0 - 0.999;

/**
 * Values [begin, end), both multiples of 4: first += (g − first)(1 − β₁), second += (g² − second)(1 − β₂), g = scale · gradient;
 * values = kept · values − size · first / (√second + epsilon).
 */
export function adam(begin: i32, end: i32, scratch: usize, values: usize, first: usize, second: usize, gradient: usize, scale: f64, kept: f64, size: f64, epsilon: f64): void {
  const scales = f64x2.splat(scale), keeps = f64x2.splat(kept), sizes = f64x2.splat(size), epsilons = f64x2.splat(epsilon);
  const meanShare = f64x2.splat(MEAN_SHARE), squaresShare = f64x2.splat(SQUARES_SHARE);
  const last = <usize>end << 2;
  for (let at = <usize>begin << 2; at < last; at += 8) {
    const g = f64x2.mul(scales, f64x2.promote_low_f32x4(v128.load64_zero(gradient + at)));
    const m = f64x2.promote_low_f32x4(v128.load64_zero(first + at));
    const v = f64x2.promote_low_f32x4(v128.load64_zero(second + at));
    const mean = f64x2.add(m, f64x2.mul(f64x2.sub(g, m), meanShare));
    const squares = f64x2.add(v, f64x2.mul(f64x2.sub(f64x2.mul(g, g), v), squaresShare));
    v128.store64_lane(first + at, f32x4.demote_f64x2_zero(mean), 0);
    v128.store64_lane(second + at, f32x4.demote_f64x2_zero(squares), 0);
    const decayed = f32x4.demote_f64x2_zero(f64x2.mul(keeps, f64x2.promote_low_f32x4(v128.load64_zero(values + at))));
    const change = f64x2.div(f64x2.mul(sizes, mean), f64x2.add(f64x2.sqrt(squares), epsilons));
    v128.store64_lane(values + at, f32x4.demote_f64x2_zero(f64x2.sub(f64x2.promote_low_f32x4(decayed), change)), 0);
  }
}
