// Reads memory as fast as a loop can: the ceiling that benchmarks print beside memory-bound kernels. Called by bench/.

/** Sums blocks [begin, end) of `blockBytes` (a multiple of 64) starting at `data` into sums[begin]. */
export function readBandwidth(begin: i32, end: i32, scratch: usize, data: usize, blockBytes: usize, sums: usize): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, p = data + <usize>begin * blockBytes;
  for (const last = data + <usize>end * blockBytes; p < last; p += 64) {
    s0 = f32x4.add(s0, v128.load(p)); s1 = f32x4.add(s1, v128.load(p, 16));
    s2 = f32x4.add(s2, v128.load(p, 32)); s3 = f32x4.add(s3, v128.load(p, 48));
  }
  store<f32>(sums + (<usize>begin << 2), f32x4.extract_lane(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), 0));
}
