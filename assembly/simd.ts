// Vector helpers shared by all kernels: fused multiply-add where the build has it, sums of lanes, dot, axpy.
// Lengths are bytes, multiples of 64 (16 factors); pointers are byte offsets into the one shared memory.
// The relaxed build rounds a·b + c once, the plain build twice: results differ in the last bits between builds only.

/** addend + a · b */
@inline export function multiplyAdd(a: v128, b: v128, addend: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, addend);
  else return f32x4.add(addend, f32x4.mul(a, b));
}

/** minuend − a · b */
@inline export function multiplySubtract(a: v128, b: v128, minuend: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, minuend);
  else return f32x4.sub(minuend, f32x4.mul(a, b));
}

/** Lane i of the result = sum of the lanes of argument i (a 4 × 4 transpose-add, no scalar reduction). */
@inline export function sumOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7)); // a02 b02 a13 b13
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Sum of the four lanes. */
@inline export function sumOfLanes(a: v128): f32 {
  const pairs = f32x4.add(a, v128.shuffle<f32>(a, a, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** aᵀb */
@inline export function dot(a: usize, b: usize, bytes: usize): f32 {
  let even = f32x4.splat(0), odd = even;
  const end = a + bytes;
  while (a < end) {
    even = multiplyAdd(v128.load(a), v128.load(b), even);
    odd = multiplyAdd(v128.load(a, 16), v128.load(b, 16), odd);
    a += 32; b += 32;
  }
  return sumOfLanes(f32x4.add(even, odd));
}

/** y += scale · x */
@inline export function axpy(scale: f32, x: usize, y: usize, bytes: usize): void {
  const factor = f32x4.splat(scale), end = x + bytes;
  while (x < end) {
    v128.store(y, multiplyAdd(factor, v128.load(x), v128.load(y)));
    v128.store(y, multiplyAdd(factor, v128.load(x, 16), v128.load(y, 16)), 16);
    x += 32; y += 32;
  }
}
