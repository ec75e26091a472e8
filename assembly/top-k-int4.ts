// First pass over item vectors kept as 4-bit codes of their leading dimensions: item = along · axis + scale · (code − 7.5) + residual + rest.
// |score − approximation| ≤ ‖query‖·‖residual‖ + ‖query's rest‖·‖item's rest‖ + …, so an item that cannot reach the threshold is left out
// for certain; what may reach it is looked at again in 8 bits (top-k-int8.ts). The axis is a direction that most items share (none where
// there is no such): kept as a number, it does not waste the steps of the codes. All dimensions lead where none hold most of the lengths.
// Layout: groups of 16 items, [8 dimensions][16 items] u32; the low half holds dimensions 0…3, the high half 4…7 (the fourth nibble of a
// half is signed, code − 8). One i32x4.dot_i16x8_s takes a nibble of both halves: 8 products.
// Reference: src/kernels/reference/top-k-int4.ts. Called by src/kernels/top-k.ts.
import { addCandidate, clearCandidates, exactScore, rankCandidates } from "./top-k-candidates";
import { multiplyAdd } from "./simd";
import { clearHeap, isExcluded, replaceRoot } from "./top-k-heap";
import { int8RowBytes, middleInt8, packInt8, rounding } from "./top-k-int8";

/** Smallest scale: keeps 1/scale and every product in the range of normal numbers. */
const minScale: f32 = 8.881784197001252e-16; // 2^−50

/**
 * Blocks [begin, end) of 32 items → codes of the first `leading` words of 8 dimensions; `figures`, per group of 16 items, 16 f32 each of
 * scale, ‖residual‖, ‖rest‖ and, with an axis (0 = none, else dimensions × f32 of length 1), item · axis; bounds, per group, the largest
 * ‖code − 7.5‖ and ‖item‖/scale; and `rows`, the items in 8 bits. scratch: dimensions × 128 bytes.
 */
export function packInt4(
  begin: i32, end: i32, scratch: usize, items: usize, numItems: u32, dimensions: usize, codes: usize, figures: usize, bounds: usize,
  axis: usize, leading: usize, rows: usize,
): void {
  const rowBytes = int8RowBytes(dimensions), figureBytes: usize = axis ? 256 : 192;
  for (let block = <usize>begin; block < <usize>end; block++) {
    for (let half: usize = 0; half < 2; half++) {
      const group = (block << 1) + half, bound = bounds + (group << 3);
      store<i64>(bound, 0);
      for (let column: usize = 0; column < 4; column++) {
        const offset = (half << 6) + (column << 4), figure = figures + group * figureBytes + (column << 4), item = (group << 4) + (column << 2);
        let source = items + block * (dimensions << 7) + offset, largest = f32x4.splat(0);
        if (axis) {
          largest = takeAxisOut(source, dimensions, axis, figure + 192, scratch + offset);
          source = scratch + offset;
        }
        packFour(source, dimensions, leading << 3, codes + group * (leading << 6) + (column << 4), figure, bound);
        packInt8(source, dimensions, axis ? figure + 192 : 0, rows + item * rowBytes);
        const whole = largestLane(f32x4.div(largest, v128.load(figure))) * sqrt<f32>(<f32>dimensions) * 1.001;
        store<f32>(bound, max<f32>(load<f32>(bound, 4), whole), 4);
      }
    }
  }
}

/** Four items less their part along the axis; the part goes to `along`, the largest |value| of each item is returned. */
function takeAxisOut(source: usize, dimensions: usize, axis: usize, along: usize, rests: usize): v128 {
  let sum = f32x4.splat(0), largest = sum;
  for (let d: usize = 0; d < dimensions; d++) {
    const value = v128.load(source + (d << 7));
    sum = multiplyAdd(value, v128.load32_splat(axis + (d << 2)), sum);
    largest = f32x4.pmax(largest, f32x4.abs(value));
  }
  v128.store(along, sum);
  for (let d: usize = 0; d < dimensions; d++)
    v128.store(rests + (d << 7), f32x4.sub(v128.load(source + (d << 7)), f32x4.mul(sum, v128.load32_splat(axis + (d << 2)))));
  return largest;
}

/** Four items side by side, of which dimensions [0, leading) are coded → codes, scale, ‖residual‖ and ‖rest‖ (rounded up) of each; the first of the bounds grows. */
function packFour(source: usize, dimensions: usize, leading: usize, target: usize, figure: usize, bound: usize): void {
  const coded = min<usize>(dimensions, leading), behind = source + (coded << 7);
  let largest = f32x4.splat(0);
  for (let p = source; p < behind; p += 128) largest = f32x4.pmax(largest, f32x4.abs(v128.load(p)));
  const scale = f32x4.pmax(f32x4.div(largest, f32x4.splat(7.5)), f32x4.splat(minScale)), inverse = f32x4.div(f32x4.splat(1), scale);
  const half = f32x4.splat(7.5);
  let residuals = f32x4.splat(0), lengths = residuals, rests = residuals, p = source;
  for (let word: usize = 0; word < coded; word += 8) {
    let packed = i32x4.splat(0);
    for (let d: usize = 0, count = min<usize>(8, coded - word); d < count; d++) {
      const exact = f32x4.mul(v128.load(p), inverse);
      const rounded = f32x4.add(f32x4.pmax(f32x4.splat(0), f32x4.pmin(f32x4.splat(15), f32x4.add(exact, half))), f32x4.splat(rounding));
      const kept = f32x4.sub(f32x4.sub(rounded, f32x4.splat(rounding)), half), residual = f32x4.sub(exact, kept);
      residuals = f32x4.add(residuals, f32x4.mul(residual, residual));
      lengths = f32x4.add(lengths, f32x4.mul(kept, kept));
      let bits = v128.and(rounded, i32x4.splat(15));
      if ((d & 3) == 3) bits = v128.xor(bits, i32x4.splat(8));
      packed = v128.or(packed, i32x4.shl(bits, <i32>d << 2));
      p += 128;
    }
    v128.store(target, packed);
    target += 64;
  }
  let most = f32x4.splat(minScale);
  for (let q = p, end = source + (dimensions << 7); q < end; q += 128) most = f32x4.pmax(most, f32x4.abs(v128.load(q)));
  const perMost = f32x4.div(f32x4.splat(1), most);
  for (const end = source + (dimensions << 7); p < end; p += 128) {
    const part = f32x4.mul(v128.load(p), perMost);
    rests = f32x4.add(rests, f32x4.mul(part, part));
  }
  // x·(1/scale) is off by at most 1e-6 per dimension, the sums by dimensions · 2^−24 of themselves
  const inflate = f32x4.splat(1 + 1e-5 + 1.5e-7 * <f32>dimensions), slack = f32x4.splat(2e-6 * sqrt<f32>(<f32>dimensions));
  v128.store(figure, scale);
  v128.store(figure, f32x4.mul(f32x4.mul(f32x4.add(f32x4.sqrt(residuals), slack), inflate), scale), 64);
  v128.store(figure, f32x4.mul(f32x4.mul(f32x4.sqrt(rests), inflate), most), 128);
  store<f32>(bound, max<f32>(load<f32>(bound), largestLane(f32x4.mul(f32x4.sqrt(lengths), inflate))));
}

@inline function largestLane(v: v128): f32 {
  return max<f32>(max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)), max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}

/**
 * Units [begin, end); unit = query · partitions + partition, as in `topKScan`. A prepared query (`stride` bytes each) is 16 f32, the weights
 * of low and high sums, offset, error per ‖residual‖, error per ‖code‖, constant error (in score per scale), axis · query, error per ‖item‖,
 * error per ‖rest‖, and for the second look the step of the query, error per residual, error per length, constant error, 12 bytes of
 * nothing; then 16 bytes of coefficients (i16 pairs) per leading word and i16 per dimension. Items that still look good are scored exactly
 * at once, so that the threshold is the size-th best exact score so far. thresholds[query]: the best one of any unit, shared between
 * threads; a lost update only lets more candidates pass. overflows[query] becomes 1 when the candidates of a unit did not fit; its lists
 * are then void. scratch: 8 · (capacity + 1) bytes for candidates.
 */
export function topKInt4(
  begin: i32, end: i32, scratch: usize, items: usize, numItems: u32, dimensions: usize, queries: usize, partitions: u32,
  lists: usize, size: usize, excludedOffsets: usize, excluded: usize,
  codes: usize, figures: usize, bounds: usize, figureBytes: usize, leading: usize, rows: usize, prepared: usize, stride: usize, thresholds: usize,
  overflows: usize, capacity: i32,
): void {
  const numBlocks = (numItems + 31) >> 5, share = (numBlocks + partitions - 1) / partitions;
  const candidates = scratch;
  for (let unit = <u32>begin; unit < <u32>end; unit++) {
    const query = <usize>(unit / partitions), firstBlock = min<u32>((unit % partitions) * share, numBlocks), lastBlock = min<u32>(firstBlock + share, numBlocks);
    const offsets = excludedOffsets + (query << 2), threshold = thresholds + (query << 2), vector = queries + query * (dimensions << 2);
    const list = lists + <usize>unit * (size << 3);
    clearHeap(list, size);
    clearCandidates(candidates);
    const complete = scan(
      codes, figures, bounds, figureBytes, leading, rows, prepared + query * stride, firstBlock << 1, lastBlock << 1, numItems, list, size,
      excluded + (<usize>load<i32>(offsets) << 2), excluded + (<usize>load<i32>(offsets, 4) << 2), threshold, candidates, capacity, items, dimensions, vector,
    );
    if (complete) rankCandidates(candidates, load<f32>(threshold), items, dimensions, vector, list, size);
    else store<i32>(overflows + (query << 2), 1);
  }
}

function scan(
  codes: usize, figures: usize, bounds: usize, figureBytes: usize, leading: usize, rows: usize, prepared: usize, firstGroup: u32, lastGroup: u32, numItems: u32,
  heap: usize, size: usize, excludedBegin: usize, excludedEnd: usize, threshold: usize, candidates: usize, capacity: i32,
  items: usize, dimensions: usize, query: usize,
): bool {
  const nibble0 = i16x8.splat(0x000f), nibble1 = i16x8.splat(0x00f0), nibble2 = i16x8.splat(0x0f00);
  const perLength = load<f32>(prepared, 16), constant = load<f32>(prepared, 20) - load<f32>(prepared, 8), perWhole = load<f32>(prepared, 28);
  const perResidual = v128.load32_splat(prepared, 12), perRest = v128.load32_splat(prepared, 32);
  const again = prepared + 36; // for the second look
  const residualAgain = load<f32>(again, 4), lengthAgain = load<f32>(again, 8), constantAgain = load<f32>(again, 12);
  const coefficients = prepared + 64, end = coefficients + (leading << 4), rowBytes = int8RowBytes(dimensions);
  const low = v128.load32_splat(prepared), high = v128.load32_splat(prepared, 4), axisProduct = v128.load32_splat(prepared, 24);
  let reach = f32x4.splat(load<f32>(threshold));
  let p = codes + <usize>firstGroup * (leading << 6);
  for (let group = <usize>firstGroup; group < <usize>lastGroup; group++) {
    const bound = bounds + (group << 3), f = figures + group * figureBytes;
    const perScale = f32x4.splat(load<f32>(bound) * perLength + load<f32>(bound, 4) * perWhole + constant);
    let l0 = i32x4.splat(0), l1 = l0, l2 = l0, l3 = l0, h0 = l0, h1 = l0, h2 = l0, h3 = l0;
    for (let c = coefficients; c < end; c += 16) {
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
    let u0 = upperBound(l0, h0, low, high, perScale, perResidual, perRest, f), u1 = upperBound(l1, h1, low, high, perScale, perResidual, perRest, f + 16);
    let u2 = upperBound(l2, h2, low, high, perScale, perResidual, perRest, f + 32), u3 = upperBound(l3, h3, low, high, perScale, perResidual, perRest, f + 48);
    if (figureBytes > 192) {
      u0 = f32x4.add(u0, f32x4.mul(v128.load(f, 192), axisProduct)); u1 = f32x4.add(u1, f32x4.mul(v128.load(f, 208), axisProduct));
      u2 = f32x4.add(u2, f32x4.mul(v128.load(f, 224), axisProduct)); u3 = f32x4.add(u3, f32x4.mul(v128.load(f, 240), axisProduct));
    }
    const r0 = f32x4.ge(u0, reach), r1 = f32x4.ge(u1, reach), r2 = f32x4.ge(u2, reach), r3 = f32x4.ge(u3, reach);
    if (!v128.any_true(v128.or(v128.or(r0, r1), v128.or(r2, r3)))) continue;
    let reached = i32x4.bitmask(r0) | (i32x4.bitmask(r1) << 4) | (i32x4.bitmask(r2) << 8) | (i32x4.bitmask(r3) << 12);
    const missing = ((<i32>group + 1) << 4) - <i32>numItems;
    if (missing > 0) reached &= missing < 16 ? 0xffff >> missing : 0;
    let worst = load<f32>(heap), least = load<f32>(threshold);
    for (; reached; reached &= reached - 1) {
      const index = (<i32>group << 4) + ctz<i32>(reached), row = rows + <usize>index * rowBytes;
      const middle = middleInt8(row, rowBytes, again, end);
      const upper = middle + load<f32>(row, 4) * residualAgain + load<f32>(row, 8) * lengthAgain + constantAgain;
      if (!(upper >= least) || isExcluded(index, excludedBegin, excludedEnd)) continue;
      if (!addCandidate(candidates, capacity, upper, index, least)) return false;
      if (middle < least) continue; // likely no better than what is there
      const score = exactScore(items, index, dimensions, query);
      if (score > worst) worst = replaceRoot(heap, size, score, index);
      if (worst > least) least = worst;
    }
    if (least > load<f32>(threshold)) store<f32>(threshold, least);
    reach = f32x4.splat(least);
  }
  return true;
}

/** scale · (low·sum + high·sum + perScale) + ‖residual‖ · perResidual + ‖rest‖ · perRest */
@inline function upperBound(lowSum: v128, highSum: v128, low: v128, high: v128, perScale: v128, perResidual: v128, perRest: v128, figure: usize): v128 {
  const sum = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(lowSum), low), f32x4.mul(f32x4.convert_i32x4_s(highSum), high));
  const error = f32x4.add(f32x4.mul(v128.load(figure, 64), perResidual), f32x4.mul(v128.load(figure, 128), perRest));
  return f32x4.add(f32x4.mul(v128.load(figure), f32x4.add(sum, perScale)), error);
}
