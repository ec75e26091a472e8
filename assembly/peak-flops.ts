// Multiply-adds as fast as registers allow: the ceiling that benchmarks print beside compute-bound kernels. Called by bench/.
import { multiplyAdd, sumOfLanes } from "./simd";

/** Units [begin, end) of 2^18 steps, each 12 multiply-adds of 4 lanes (96 flops); their sum goes to sums[begin]. */
export function peakFlops(begin: i32, end: i32, scratch: usize, sums: usize): void {
  let a = f32x4.splat(1), b = f32x4.splat(2), c = f32x4.splat(3), d = f32x4.splat(4), e = f32x4.splat(5), f = f32x4.splat(6);
  let g = f32x4.splat(7), h = f32x4.splat(8), i = f32x4.splat(9), j = f32x4.splat(10), k = f32x4.splat(11), l = f32x4.splat(12);
  const half = f32x4.splat(0.5), one = f32x4.splat(1);
  for (let step = (end - begin) << 18; step > 0; step--) {
    a = multiplyAdd(a, half, one); b = multiplyAdd(b, half, one); c = multiplyAdd(c, half, one); d = multiplyAdd(d, half, one);
    e = multiplyAdd(e, half, one); f = multiplyAdd(f, half, one); g = multiplyAdd(g, half, one); h = multiplyAdd(h, half, one);
    i = multiplyAdd(i, half, one); j = multiplyAdd(j, half, one); k = multiplyAdd(k, half, one); l = multiplyAdd(l, half, one);
  }
  const first = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(e, f));
  const last = f32x4.add(f32x4.add(f32x4.add(g, h), f32x4.add(i, j)), f32x4.add(k, l));
  store<f32>(sums + (<usize>begin << 2), sumOfLanes(f32x4.add(first, last)));
}
