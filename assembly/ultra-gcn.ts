// One stratum of an epoch of UltraGCN (Mao et al. 2021) by SGD with one Adagrad rate per row:
//   minimise Σ_{(u,i)} v_ui (w₁ + w₂β_ui) ℓ(s_ui) + Σ_{(u,i)} Σ_{j∈S(i)} ω_ij ℓ(s_uj) + Σ_{sampled j} (w₃ + w₄β_uj) ℓ(−s_uj),  β_ui = a_u c_i,
//   ℓ(s) = log(1 + e⁻ˢ), s_ui = e_uᵀ e_i; each term adds its weight · λ/2 (‖e_u‖² + ‖e_i‖²).
// Blocks and walks as in rating-sgd.ts: neighbours and negatives are taken from the stratum's block of items only, whose turns make up the
// whole catalogue in an epoch. Reference: src/kernels/reference/ultra-gcn.ts. Called by src/kernels/ultra-gcn.ts.
import { expOfMinus } from "./ranking-sgd-step";
import { multiplyAdd, sumOfLanes } from "./simd";

/**
 * Blocks of users [begin, end), with the block of items `shift` further. `walks`: first user, stride and random state of each block;
 * `links`, `linkItems`, `linkWeights`: S(i) and ω by (block of items, i); `userTerms` = a, `itemTerms` = c;
 * `userSquares`, `itemSquares`: Adagrad's sums by row. `negatives`: drawn for each pair. `factors` a multiple of 16.
 */
export function ultraGcn(
  begin: i32, end: i32, scratch: usize, bounds: usize, walks: usize, offsets: usize, items: usize, values: usize,
  links: usize, linkItems: usize, linkWeights: usize, itemBounds: usize, userTerms: usize, itemTerms: usize,
  userFactors: usize, itemFactors: usize, userSquares: usize, itemSquares: usize, losses: usize, factors: usize, used: f32,
  numUsers: usize, numItems: usize, numBlocks: usize, shift: usize, rate: f32, lambda: f32, negatives: f32, w1: f32, w2: f32, w3: f32, w4: f32,
): void {
  const rowBytes = factors << 2;
  for (let block = <usize>begin; block < <usize>end; block++) {
    const walk = walks + block * 12, firstUser = <usize>load<i32>(bounds + (block << 2)), count = <usize>load<i32>(bounds + (block << 2), 4) - firstUser;
    const itemBlock = (block + shift) % numBlocks, stride = <usize>load<i32>(walk, 4);
    const linksHere = links + (itemBlock * (numItems + 1) << 2);
    const firstItem = load<i32>(itemBounds + (itemBlock << 2)), size = <u64>(load<i32>(itemBounds + (itemBlock << 2), 4) - firstItem);
    const share = negatives * <f32>size / <f32>numItems;
    let state = load<u32>(walk, 8), place = <usize>load<i32>(walk), loss: f64 = 0;
    for (let k: usize = 0; k < count; k++) {
      const user = firstUser + place, row = userFactors + user * rowBytes, squares = userSquares + (user << 2);
      place = (place + stride) % count;
      const term = load<f32>(userTerms + (user << 2));

      for (let other: usize = 0; other < numBlocks; other++) {
        const from = offsets + ((other * (numUsers + 1) + user) << 2), to = <usize>load<i32>(from, 4);
        for (let entry = <usize>load<i32>(from); entry < to; entry++) {
          const own = <usize>load<i32>(items + (entry << 2));
          if (other == itemBlock) {
            const weight = load<f32>(values + (entry << 2)) * (w1 + w2 * term * load<f32>(itemTerms + (own << 2)));
            loss += <f64>step(row, itemFactors + own * rowBytes, squares, itemSquares + (own << 2), rowBytes, used, 1, weight, rate, lambda);
          }
          const list = linksHere + (own << 2), until = <usize>load<i32>(list, 4);
          for (let link = <usize>load<i32>(list); link < until; link++) {
            const item = <usize>load<i32>(linkItems + (link << 2)), weight = load<f32>(linkWeights + (link << 2));
            loss += <f64>step(row, itemFactors + item * rowBytes, squares, itemSquares + (item << 2), rowBytes, used, 1, weight, rate, lambda);
          }
          state = next(state);
          const draws = <i32>(share + <f32>(state >> 8) * <f32>5.9604645e-8); // a random rounding keeps the mean
          for (let draw = 0; draw < draws; draw++) {
            state = next(state);
            const item = <usize>(firstItem + <i32>((<u64>state * size) >> 32)), weight = w3 + w4 * term * load<f32>(itemTerms + (item << 2));
            loss += <f64>step(row, itemFactors + item * rowBytes, squares, itemSquares + (item << 2), rowBytes, used, -1, weight, rate, lambda);
          }
        }
      }
    }
    store<f64>(losses + (block << 3), loss);
  }
}

/** xorshift32 (Marsaglia 2003). */
@inline function next(state: u32): u32 {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^ (state << 5);
}

/** weight · ℓ(sign · aᵀb) before the step along its gradient. */
@inline function step(
  a: usize, b: usize, aSquares: usize, bSquares: usize, rowBytes: usize, used: f32, sign: f32, weight: f32, rate: f32, lambda: f32,
): f32 {
  let products = f32x4.splat(0), left = products, right = products;
  for (let d: usize = 0; d < rowBytes; d += 16) {
    const x = v128.load(a + d), y = v128.load(b + d);
    products = multiplyAdd(x, y, products);
    left = multiplyAdd(x, x, left);
    right = multiplyAdd(y, y, right);
  }
  const product = sumOfLanes(products), aa = sumOfLanes(left), bb = sumOfLanes(right);
  // ℓ'(s) = −σ(−s); ℓ(s) = max(−s, 0) + log(1 + e), log(1 + e) = 2 artanh(e / (2 + e)), absolute error below 3e-6 + 2e-7·|s|
  const signed = sign * product, e = expOfMinus(abs(signed)), w = e / (2 + e), w2 = w * w;
  const loss = max<f32>(-signed, 0) + 2 * w * (1 + w2 * (0.33333333 + w2 * (0.2 + w2 * (0.14285714 + w2 * 0.11111111))));
  const slope = weight * sign * select<f32>(e, 1, signed >= 0) / (1 + e), decay = weight * lambda;
  // squared lengths of slope·b − decay·a and slope·a − decay·b
  const cross: f32 = 2 * slope * decay * product;
  const aSum = load<f32>(aSquares) + max<f32>(0, slope * slope * bb - cross + decay * decay * aa) / used;
  const bSum = load<f32>(bSquares) + max<f32>(0, slope * slope * aa - cross + decay * decay * bb) / used;
  store<f32>(aSquares, aSum);
  store<f32>(bSquares, bSum);
  const aRate = rate / sqrt<f32>(aSum + 1e-10), bRate = rate / sqrt<f32>(bSum + 1e-10);
  const aKeep = f32x4.splat(<f32>1 - aRate * decay), bKeep = f32x4.splat(<f32>1 - bRate * decay);
  const aMove = f32x4.splat(aRate * slope), bMove = f32x4.splat(bRate * slope);
  for (let d: usize = 0; d < rowBytes; d += 16) {
    const x = v128.load(a + d), y = v128.load(b + d);
    v128.store(a + d, multiplyAdd(aMove, y, f32x4.mul(aKeep, x)));
    v128.store(b + d, multiplyAdd(bMove, x, f32x4.mul(bKeep, y)));
  }
  return weight * loss;
}
