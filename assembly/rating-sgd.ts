// One stratum of an epoch of rating SGD (Koren 2008): r̂ = b_u + b_i + q_iᵀ(p_u + s_u), s_u = #u^(−½) Σ_j y_j over the items of u,
//   e = r − r̂,  b += η(e − λb),  p += η(e·q − λ_u p),  q += η(e·(p + s) − λ_i q),  y_j += η(#u^(−½) Σ e·q − λ_j y_j).
// A stratum pairs each block of users with one block of items, no two pairs share a row: any number of threads gives the same bits.
// Entries of (block of items, user) ascend by item; layout in src/kernels/rating-layout.ts.
// Reference: src/kernels/reference/rating-sgd.ts. Called by src/kernels/rating-sgd.ts.
import { axpy, dot, multiplyAdd } from "./simd";

/**
 * Blocks of users [begin, end), with the block of items `shift` further. `walks`: first user and stride of each block;
 * `decays` = λ by row; `errors`: Σ e² by block of users, before each step. `factors` a multiple of 16.
 */
export function ratingSgd(
  begin: i32, end: i32, scratch: usize, bounds: usize, walks: usize, offsets: usize, items: usize, values: usize,
  userFactors: usize, itemFactors: usize, userBias: usize, itemBias: usize, userDecays: usize, itemDecays: usize, errors: usize,
  factors: usize, numUsers: usize, numBlocks: usize, shift: usize, rate: f32,
): void {
  const rowBytes = factors << 2;
  for (let block = <usize>begin; block < <usize>end; block++) {
    const firstUser = <usize>load<i32>(bounds + (block << 2)), count = <usize>load<i32>(bounds + (block << 2), 4) - firstUser;
    const starts = offsets + ((block + shift) % numBlocks * (numUsers + 1) << 2), stride = <usize>load<i32>(walks + (block << 3), 4);
    let squares: f64 = 0, place = <usize>load<i32>(walks + (block << 3));
    for (let k: usize = 0; k < count; k++) {
      const at = (firstUser + place) << 2, p = userFactors + (firstUser + place) * rowBytes;
      place = (place + stride) % count;
      const keep = f32x4.splat(<f32>1 - rate * load<f32>(userDecays + at)), keepBias = f32x4.extract_lane(keep, 0);
      let bias = load<f32>(userBias + at);
      const last = <usize>load<i32>(starts + at, 4);
      for (let entry = <usize>load<i32>(starts + at); entry < last; entry++) {
        const item = <usize>load<i32>(items + (entry << 2)), itemAt = item << 2, q = itemFactors + item * rowBytes;
        const itemKeep: f32 = <f32>1 - rate * load<f32>(itemDecays + itemAt), other = load<f32>(itemBias + itemAt);
        const error = load<f32>(values + (entry << 2)) - (bias + other + dot(p, q, rowBytes));
        squares += <f64>error * <f64>error;
        const move = rate * error, moves = f32x4.splat(move), itemKeeps = f32x4.splat(itemKeep);
        bias = keepBias * bias + move;
        store<f32>(itemBias + itemAt, itemKeep * other + move);
        for (let d: usize = 0; d < rowBytes; d += 16) {
          const a = v128.load(p + d), b = v128.load(q + d);
          v128.store(p + d, multiplyAdd(moves, b, f32x4.mul(keep, a)));
          v128.store(q + d, multiplyAdd(moves, a, f32x4.mul(itemKeeps, b)));
        }
      }
      store<f32>(userBias + at, bias);
    }
    store<f64>(errors + (block << 3), squares);
  }
}

/**
 * The same with implicit factors. `sums` = s_u, true to `starts0`, the implicit factors at the start of the epoch, except for what this
 * epoch has visited. The entries of a user in one block stand for all of them: their Σ e·q is multiplied by #u / #entries.
 * `counts` = #u, `scales` = #u^(−½) (distinct items). scratch: 2 rows.
 */
export function ratingSgdImplicit(
  begin: i32, end: i32, scratch: usize, bounds: usize, walks: usize, offsets: usize, items: usize, values: usize,
  userFactors: usize, itemFactors: usize, userBias: usize, itemBias: usize, userDecays: usize, itemDecays: usize, errors: usize,
  factors: usize, numUsers: usize, numBlocks: usize, shift: usize, rate: f32,
  implicit: usize, implicitStart: usize, sums: usize, implicitDecays: usize, counts: usize, scales: usize,
): void {
  const rowBytes = factors << 2, whole = scratch, gradient = scratch + rowBytes;
  for (let block = <usize>begin; block < <usize>end; block++) {
    const firstUser = <usize>load<i32>(bounds + (block << 2)), count = <usize>load<i32>(bounds + (block << 2), 4) - firstUser;
    const starts = offsets + ((block + shift) % numBlocks * (numUsers + 1) << 2), stride = <usize>load<i32>(walks + (block << 3), 4);
    let squares: f64 = 0, place = <usize>load<i32>(walks + (block << 3));
    for (let k: usize = 0; k < count; k++) {
      const user = firstUser + place, at = user << 2, p = userFactors + user * rowBytes, s = sums + user * rowBytes;
      place = (place + stride) % count;
      const first = <usize>load<i32>(starts + at), last = <usize>load<i32>(starts + at, 4);
      if (first == last) continue;
      const scale = load<f32>(scales + at), decay = rate * load<f32>(userDecays + at);
      addImplicit(scale, first, last, items, implicit, implicitStart, s, rowBytes);
      for (let d: usize = 0; d < rowBytes; d += 16) v128.store(whole + d, f32x4.add(v128.load(p + d), v128.load(s + d)));
      memory.fill(gradient, 0, rowBytes);

      const keep = f32x4.splat(<f32>1 - decay), decays = f32x4.splat(decay);
      let bias = load<f32>(userBias + at);
      for (let entry = first; entry < last; entry++) {
        const item = <usize>load<i32>(items + (entry << 2)), itemAt = item << 2, q = itemFactors + item * rowBytes;
        const itemKeep: f32 = <f32>1 - rate * load<f32>(itemDecays + itemAt), other = load<f32>(itemBias + itemAt);
        const error = load<f32>(values + (entry << 2)) - (bias + other + dot(whole, q, rowBytes));
        squares += <f64>error * <f64>error;
        const move = rate * error, moves = f32x4.splat(move), itemKeeps = f32x4.splat(itemKeep), errors4 = f32x4.splat(error);
        bias = (<f32>1 - decay) * bias + move;
        store<f32>(itemBias + itemAt, itemKeep * other + move);
        for (let d: usize = 0; d < rowBytes; d += 16) {
          const a = v128.load(whole + d), b = v128.load(q + d);
          v128.store(gradient + d, multiplyAdd(errors4, b, v128.load(gradient + d)));
          v128.store(whole + d, multiplyAdd(moves, b, multiplyAdd(decays, v128.load(s + d), f32x4.mul(keep, a)))); // p decays, s does not
          v128.store(q + d, multiplyAdd(moves, a, f32x4.mul(itemKeeps, b)));
        }
      }
      store<f32>(userBias + at, bias);
      for (let d: usize = 0; d < rowBytes; d += 16) v128.store(p + d, f32x4.sub(v128.load(whole + d), v128.load(s + d)));

      // y += η(scale · #u / #entries · gradient − λ_j y), s follows
      const strength = f32x4.splat(rate * scale * load<f32>(counts + at) / <f32>(last - first)), scale4 = f32x4.splat(scale);
      let previous: usize = ~0;
      for (let entry = first; entry < last; entry++) {
        const item = <usize>load<i32>(items + (entry << 2));
        if (item == previous) continue;
        previous = item;
        const y = implicit + item * rowBytes, decayed = f32x4.splat(-rate * load<f32>(implicitDecays + (item << 2)));
        for (let d: usize = 0; d < rowBytes; d += 16) {
          const now = v128.load(y + d), step = multiplyAdd(strength, v128.load(gradient + d), f32x4.mul(decayed, now));
          v128.store(y + d, f32x4.add(now, step));
          v128.store(s + d, multiplyAdd(scale4, step, v128.load(s + d)));
        }
      }
    }
    store<f64>(errors + (block << 3), squares);
  }
}

/** s += scale · Σ_j (y_j − y_j at the start) over the distinct items of the entries. */
function addImplicit(scale: f32, first: usize, last: usize, items: usize, implicit: usize, implicitStart: usize, s: usize, rowBytes: usize): void {
  const factor = f32x4.splat(scale);
  let previous: usize = ~0;
  for (let entry = first; entry < last; entry++) {
    const item = <usize>load<i32>(items + (entry << 2));
    if (item == previous) continue;
    previous = item;
    const now = implicit + item * rowBytes, before = implicitStart + item * rowBytes;
    for (let d: usize = 0; d < rowBytes; d += 16)
      v128.store(s + d, multiplyAdd(factor, f32x4.sub(v128.load(now + d), v128.load(before + d)), v128.load(s + d)));
  }
}

/** Users [begin, end): sums[u] = scale_u · Σ_j y_j over the distinct items of u. */
export function ratingImplicitSums(
  begin: i32, end: i32, scratch: usize, offsets: usize, items: usize, implicit: usize, sums: usize, scales: usize,
  factors: usize, numUsers: usize, numBlocks: usize,
): void {
  const rowBytes = factors << 2;
  for (let user = <usize>begin; user < <usize>end; user++) {
    const s = sums + user * rowBytes, scale = load<f32>(scales + (user << 2));
    memory.fill(s, 0, rowBytes);
    for (let block: usize = 0; block < numBlocks; block++) {
      const at = offsets + ((block * (numUsers + 1) + user) << 2), last = <usize>load<i32>(at, 4);
      let previous: usize = ~0;
      for (let entry = <usize>load<i32>(at); entry < last; entry++) {
        const item = <usize>load<i32>(items + (entry << 2));
        if (item != previous) axpy(scale, implicit + item * rowBytes, s, rowBytes);
        previous = item;
      }
    }
  }
}
