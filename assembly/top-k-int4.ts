// First pass over item vectors kept as 4-bit codes, an eighth of their bytes: item = along · axis + scale · (code − 7.5) + residual.
// |score − approximation| ≤ ‖query‖·‖residual‖ + …, so an item that cannot reach the threshold is left out for certain. The axis is a
// direction that most items share (none where there is no such): kept as a number, it does not waste the steps of the codes.
// Where the leading dimensions hold most of the lengths, a group is left after these when ‖query's rest‖·‖item's rest‖ cannot mend it.
// Layout: the leading words of all groups, then the other words of all groups; groups of 16 items, [8 dimensions][16 items] u32; the low half holds dimensions 0…3, the high half 4…7 (the fourth
// nibble of a half is signed, code − 8). One i32x4.dot_i16x8_s takes a nibble of both halves: 8 products.
// Reference: src/kernels/reference/top-k-int4.ts. Called by src/kernels/top-k.ts and top-k-int4.ts.
import { addCandidate, clearCandidates, exactScore, rankCandidates } from "./top-k-candidates";
import { multiplyAdd } from "./simd";
import { clearHeap, isExcluded, replaceRoot } from "./top-k-heap";

/** Smallest scale: keeps 1/scale and every product in the range of normal numbers. */
const minScale: f32 = 8.881784197001252e-16; // 2^−50

/**
 * Blocks [begin, end) of 32 items → codes, scales (f32 per item) and, per group of 16, the largest ‖residual‖/scale, ‖code − 7.5‖ and, with
 * an axis (0 = none, else dimensions × f32 of length 1), ‖item‖/scale; then `along` gets item · axis (f32 per item). Fourth, the largest
 * length/scale of what is coded behind the first `leading` words of 8 dimensions.
 * scratch: 16 bytes, dimensions × 128.
 */
export function packInt4(
  begin: i32, end: i32, scratch: usize, items: usize, numItems: u32, dimensions: usize, codes: usize, scales: usize, bounds: usize,
  axis: usize, along: usize, leading: usize,
): void {
  const words = (dimensions + 7) >> 3, rests = scratch + 16, others = codes + <usize>((numItems + 31) >> 5) * (leading << 7);
  for (let block = <usize>begin; block < <usize>end; block++) {
    for (let half: usize = 0; half < 2; half++) {
      const group = (block << 1) + half;
      let residual: f32 = 0, length: f32 = 0, whole: f32 = 0, rest: f32 = 0;
      for (let column: usize = 0; column < 4; column++) {
        const first = (group << 6) + (column << 4), offset = (half << 6) + (column << 4), source = items + block * (dimensions << 7) + offset;
        const present = <i32>numItems - <i32>((group << 4) + (column << 2)); // lanes from here on hold no item
        let largest = f32x4.splat(0);
        if (axis) largest = takeAxisOut(source, dimensions, axis, along + first, rests + offset);
        packFour(
          axis ? rests + offset : source, dimensions, codes + group * (leading << 6) + (column << 4),
          others + group * ((words - leading) << 6) + (column << 4), scales + first, present, leading << 3, scratch,
        );
        residual = max<f32>(residual, load<f32>(scratch));
        length = max<f32>(length, load<f32>(scratch, 4));
        rest = max<f32>(rest, load<f32>(scratch, 8));
        whole = max<f32>(whole, largestLane(f32x4.div(largest, f32x4.max(v128.load(scales + first), f32x4.splat(minScale)))));
      }
      store<f32>(bounds + (group << 4), residual);
      store<f32>(bounds + (group << 4), length, 4);
      store<f32>(bounds + (group << 4), whole * sqrt<f32>(<f32>dimensions) * 1.001, 8);
      store<f32>(bounds + (group << 4), rest, 12);
    }
  }
}

/** Four items less their part along the axis; the part goes to `along`, the largest |value| of each item is returned. */
function takeAxisOut(source: usize, dimensions: usize, axis: usize, along: usize, rests: usize): v128 {
  let sum = f32x4.splat(0), largest = sum;
  for (let d: usize = 0; d < dimensions; d++) {
    const value = v128.load(source + (d << 7));
    sum = multiplyAdd(value, v128.load32_splat(axis + (d << 2)), sum);
    largest = f32x4.max(largest, f32x4.abs(value));
  }
  v128.store(along, sum);
  for (let d: usize = 0; d < dimensions; d++)
    v128.store(rests + (d << 7), f32x4.sub(v128.load(source + (d << 7)), f32x4.mul(sum, v128.load32_splat(axis + (d << 2)))));
  return largest;
}

/** Four items side by side; out: largest ‖residual‖/scale, ‖code − 7.5‖ and length/scale from dimension `leading` on of the four, rounded up. */
function packFour(
  source: usize, dimensions: usize, target: usize, others: usize, scales: usize, present: i32, leading: usize, out: usize,
): void {
  let largest = f32x4.splat(0);
  for (let p = source, end = source + (dimensions << 7); p < end; p += 128) largest = f32x4.max(largest, f32x4.abs(v128.load(p)));
  const scale = f32x4.max(f32x4.div(largest, f32x4.splat(7.5)), f32x4.splat(minScale)), inverse = f32x4.div(f32x4.splat(1), scale);
  const half = f32x4.splat(7.5);
  let residuals = f32x4.splat(0), lengths = residuals, rests = residuals, source4 = source;
  for (let word: usize = 0; word < dimensions; word += 8) {
    let packed = i32x4.splat(0);
    if (word == leading) target = others;
    for (let d: usize = 0, count = min<usize>(8, dimensions - word); d < count; d++) {
      const exact = f32x4.mul(v128.load(source4), inverse);
      const code = f32x4.max(f32x4.splat(0), f32x4.min(f32x4.splat(15), f32x4.nearest(f32x4.add(exact, half))));
      const coded = f32x4.sub(code, half), residual = f32x4.sub(exact, coded);
      residuals = f32x4.add(residuals, f32x4.mul(residual, residual));
      lengths = f32x4.add(lengths, f32x4.mul(coded, coded));
      if (word >= leading) rests = f32x4.add(rests, f32x4.mul(exact, exact));
      let bits = i32x4.trunc_sat_f32x4_s(code);
      if ((d & 3) == 3) bits = v128.xor(bits, i32x4.splat(8));
      packed = v128.or(packed, i32x4.shl(bits, <i32>d << 2));
      source4 += 128;
    }
    v128.store(target, packed);
    target += 64;
  }
  // x·(1/scale) is off by at most 1e-6 per dimension, the sums by dimensions · 2^−24 of themselves
  const inflate: f32 = 1 + 1e-5 + 1.5e-7 * <f32>dimensions, slack: f32 = 2e-6 * sqrt<f32>(<f32>dimensions);
  store<f32>(out, sqrt<f32>(largestLane(residuals)) * inflate + slack);
  store<f32>(out, sqrt<f32>(largestLane(lengths)) * inflate, 4);
  store<f32>(out, sqrt<f32>(largestLane(rests)) * inflate + slack, 8);
  v128.store(scales, scale);
  for (let lane = max<i32>(present, 0); lane < 4; lane++) store<f32>(scales + (<usize>lane << 2), 0);
}

@inline function largestLane(v: v128): f32 {
  return max<f32>(max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)), max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}

/**
 * Units [begin, end); unit = query · partitions + partition, as in `topKScan`. A prepared query (`stride` bytes each) is the weights of
 * low and high sums, offset, error per ‖residual‖, error per ‖code‖, constant error (f32, in score per scale), axis · query, error per
 * ‖item‖, offset of the leading words, ‖query‖ behind them, 8 bytes of nothing, and 16 bytes of coefficients (i16 pairs) per 8 dimensions. Items that look good are scored exactly at once, so that the threshold is the
 * size-th best exact score so far. thresholds[query]: the best one of any unit, shared between threads; a lost update only lets more
 * candidates pass. overflows[query] becomes 1 when the candidates of a unit did not fit; its lists are then void.
 * scratch: 256 bytes, then 8 · (capacity + 1) for candidates.
 */
export function topKInt4(
  begin: i32, end: i32, scratch: usize, items: usize, numItems: u32, dimensions: usize, queries: usize, partitions: u32,
  lists: usize, size: usize, excludedOffsets: usize, excluded: usize,
  codes: usize, scales: usize, bounds: usize, along: usize, leading: usize, prepared: usize, stride: usize, thresholds: usize, overflows: usize, capacity: i32,
): void {
  const numBlocks = (numItems + 31) >> 5, share = (numBlocks + partitions - 1) / partitions, words = (dimensions + 7) >> 3;
  const candidates = scratch + 256;
  for (let unit = <u32>begin; unit < <u32>end; unit++) {
    const query = <usize>(unit / partitions), firstBlock = min<u32>((unit % partitions) * share, numBlocks), lastBlock = min<u32>(firstBlock + share, numBlocks);
    const offsets = excludedOffsets + (query << 2), threshold = thresholds + (query << 2), vector = queries + query * (dimensions << 2);
    const list = lists + <usize>unit * (size << 3);
    clearHeap(list, size);
    clearCandidates(candidates);
    const complete = scan(
      scratch, codes, scales, bounds, along, words, leading, prepared + query * stride, firstBlock << 1, lastBlock << 1, numItems, list, size,
      excluded + (<usize>load<i32>(offsets) << 2), excluded + (<usize>load<i32>(offsets, 4) << 2), threshold, candidates, capacity, items, dimensions, vector,
    );
    if (complete) rankCandidates(candidates, load<f32>(threshold), items, dimensions, vector, list, size);
    else store<i32>(overflows + (query << 2), 1);
  }
}

function scan(
  buffer: usize, codes: usize, scales: usize, bounds: usize, along: usize, words: usize, leading: usize, prepared: usize, firstGroup: u32, lastGroup: u32, numItems: u32,
  heap: usize, size: usize, excludedBegin: usize, excludedEnd: usize, threshold: usize, candidates: usize, capacity: i32,
  items: usize, dimensions: usize, query: usize,
): bool {
  const nibble0 = i16x8.splat(0x000f), nibble1 = i16x8.splat(0x00f0), nibble2 = i16x8.splat(0x0f00);
  const perResidual = load<f32>(prepared, 12), perLength = load<f32>(prepared, 16), constant = load<f32>(prepared, 20), perWhole = load<f32>(prepared, 28);
  const coefficients = prepared + 48, end = coefficients + (words << 4), leadingEnd = coefficients + (leading << 4);
  const low = v128.load32_splat(prepared), high = v128.load32_splat(prepared, 4), axisProduct = v128.load32_splat(prepared, 24);
  const offset = load<f32>(prepared, 8), leadingOffset = load<f32>(prepared, 32), perRest = load<f32>(prepared, 36);
  let reach = f32x4.splat(load<f32>(threshold));
  const others = codes + <usize>((numItems + 31) >> 5) * (leading << 7), otherBytes = (words - leading) << 6;
  let p = codes + <usize>firstGroup * (leading << 6);
  for (let group = <usize>firstGroup; group < <usize>lastGroup; group++) {
    const bound = bounds + (group << 4), s = scales + (group << 6), a = along + (group << 6);
    const error = load<f32>(bound) * perResidual + load<f32>(bound, 4) * perLength + load<f32>(bound, 8) * perWhole + constant;
    let l0 = i32x4.splat(0), l1 = l0, l2 = l0, l3 = l0, h0 = l0, h1 = l0, h2 = l0, h3 = l0;
    let u0 = l0, u1 = l0, u2 = l0, u3 = l0, reached = false;
    for (let c = coefficients, until = leadingEnd; ; until = end) {
      for (; c < until; c += 16) {
        const c0 = v128.load32_splat(c), c1 = v128.load32_splat(c, 4), c2 = v128.load32_splat(c, 8), c3 = v128.load32_splat(c, 12);
        let v = v128.load(p);
        l0 = i32x4.add(l0, i32x4.add(i32x4.dot_i16x8_s(v128.and(v, nibble0), c0), i32x4.dot_i16x8_s(v128.and(v, nibble1), c1)));
        h0 = i32x4.add(h0, i32x4.add(i32x4.dot_i16x8_s(v128.and(v, nibble2), c2), i32x4.dot_i16x8_s(v, c3)));
        v = v128.load(p, 16);
        l1 = i32x4.add(l1, i32x4.add(i32x4.dot_i16x8_s(v128.and(v, nibble0), c0), i32x4.dot_i16x8_s(v128.and(v, nibble1), c1)));
        h1 = i32x4.add(h1, i32x4.add(i32x4.dot_i16x8_s(v128.and(v, nibble2), c2), i32x4.dot_i16x8_s(v, c3)));
        v = v128.load(p, 32);
        l2 = i32x4.add(l2, i32x4.add(i32x4.dot_i16x8_s(v128.and(v, nibble0), c0), i32x4.dot_i16x8_s(v128.and(v, nibble1), c1)));
        h2 = i32x4.add(h2, i32x4.add(i32x4.dot_i16x8_s(v128.and(v, nibble2), c2), i32x4.dot_i16x8_s(v, c3)));
        v = v128.load(p, 48);
        l3 = i32x4.add(l3, i32x4.add(i32x4.dot_i16x8_s(v128.and(v, nibble0), c0), i32x4.dot_i16x8_s(v128.and(v, nibble1), c1)));
        h3 = i32x4.add(h3, i32x4.add(i32x4.dot_i16x8_s(v128.and(v, nibble2), c2), i32x4.dot_i16x8_s(v, c3)));
        p += 64;
      }
      const constantPart = f32x4.splat(until == end ? error - offset : error + load<f32>(bound, 12) * perRest - leadingOffset);
      u0 = upperBound(l0, h0, low, high, constantPart, v128.load(s)); u1 = upperBound(l1, h1, low, high, constantPart, v128.load(s, 16));
      u2 = upperBound(l2, h2, low, high, constantPart, v128.load(s, 32)); u3 = upperBound(l3, h3, low, high, constantPart, v128.load(s, 48));
      if (along) {
        u0 = f32x4.add(u0, f32x4.mul(v128.load(a), axisProduct)); u1 = f32x4.add(u1, f32x4.mul(v128.load(a, 16), axisProduct));
        u2 = f32x4.add(u2, f32x4.mul(v128.load(a, 32), axisProduct)); u3 = f32x4.add(u3, f32x4.mul(v128.load(a, 48), axisProduct));
      }
      reached = v128.any_true(v128.or(v128.or(f32x4.ge(u0, reach), f32x4.ge(u1, reach)), v128.or(f32x4.ge(u2, reach), f32x4.ge(u3, reach))));
      if (!reached || until == end) break;
      p = others + group * otherBytes;
    }
    p = codes + (group + 1) * (leading << 6);
    if (!reached) continue;
    v128.store(buffer, u0); v128.store(buffer, u1, 16); v128.store(buffer, u2, 32); v128.store(buffer, u3, 48);
    const count = (<u32>group << 4) < numItems ? min<u32>(16, numItems - (<u32>group << 4)) : 0;
    let worst = load<f32>(heap), least = load<f32>(threshold);
    for (let lane: usize = 0; lane < <usize>count; lane++) {
      const upper = load<f32>(buffer + (lane << 2)), index = <i32>((group << 4) + lane);
      if (!(upper >= least) || isExcluded(index, excludedBegin, excludedEnd)) continue;
      if (!addCandidate(candidates, capacity, upper, index, least)) return false;
      if (upper - load<f32>(s + (lane << 2)) * error < least) continue; // likely no better than what is there
      const score = exactScore(items, index, dimensions, query);
      if (score > worst) worst = replaceRoot(heap, size, score, index);
      if (worst > least) least = worst;
    }
    if (least > load<f32>(threshold)) store<f32>(threshold, least);
    reach = f32x4.splat(least);
  }
  return true;
}

/** scale · (low·sum + high·sum + constant) */
@inline function upperBound(lowSum: v128, highSum: v128, low: v128, high: v128, constant: v128, scale: v128): v128 {
  const sum = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(lowSum), low), f32x4.mul(f32x4.convert_i32x4_s(highSum), high));
  return f32x4.mul(scale, f32x4.add(sum, constant));
}
