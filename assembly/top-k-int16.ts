// First pass of many queries in 16-bit whole numbers, twice the multiply-adds per instruction of top-k-batch where there is no fused
// multiply-add: a tile of queries passes over blocks of 32 items that are rounded on the way (nothing more is kept in memory).
// Register blocks of 4 queries × 8 items; i32x4.dot_i16x8_s takes two dimensions. What may reach a query's threshold becomes a
// candidate and gets its exact score (top-k-candidates). Reference: src/kernels/reference/top-k.ts. Called by src/kernels/top-k.ts.
import { addCandidate, clearCandidates, rankCandidates } from "./top-k-candidates";
import { clearHeap, isExcluded, replaceRoot } from "./top-k-heap";
import { multiplyAdd } from "./simd";

/** Blocks [begin, end) of 32 items → largest |value| and largest ‖item‖ (rounded up), 8 bytes per block. */
export function measureBlocks(begin: i32, end: i32, scratch: usize, items: usize, dimensions: usize, measures: usize): void {
  for (let block = <usize>begin; block < <usize>end; block++) {
    let largest = f32x4.splat(0), longest = largest;
    for (let column: usize = 0; column < 8; column++) {
      let squares = f32x4.splat(0), p = items + block * (dimensions << 7) + (column << 4);
      for (const last = p + (dimensions << 7); p < last; p += 128) {
        const v = v128.load(p);
        largest = f32x4.max(largest, f32x4.abs(v));
        squares = multiplyAdd(v, v, squares);
      }
      longest = f32x4.max(longest, squares);
    }
    store<f32>(measures + (block << 3), largestLane(largest));
    store<f32>(measures + (block << 3), sqrt<f32>(largestLane(longest)) * (1 + 1e-5 + 1.5e-7 * <f32>dimensions), 4);
  }
}

@inline function largestLane(v: v128): f32 {
  return max<f32>(max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)), max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}

/**
 * Units [begin, end); unit = tile · partitions + partition, as in `topKBatch`. A prepared query holds f32 pairs: error per item step,
 * error per ‖item‖, in its own steps; then codes of two dimensions each (`pairs` × 4 bytes). Items are rounded to −levels … levels.
 * `smallest`: scale of a block of zeros. overflows[query] becomes 1 when its candidates did not fit; its lists are then void.
 * scratch: 128 bytes, 16 bytes per query of the tile, pairs × 128, tileQueries × pairs × 4, tileQueries × (capacity + 1) × 8.
 */
export function topKInt16(
  begin: i32, end: i32, scratch: usize, items: usize, numItems: u32, dimensions: usize, queries: usize, numQueries: u32, tileQueries: u32,
  partitions: u32, lists: usize, size: usize, excludedOffsets: usize, excluded: usize,
  measures: usize, prepared: usize, levels: f32, smallest: f32, overflows: usize, capacity: i32,
): void {
  const numBlocks = (numItems + 31) >> 5, share = (numBlocks + partitions - 1) / partitions, pairs = (dimensions + 1) >> 1;
  const states = scratch + 128, codes = states + (<usize>tileQueries << 4), packed = codes + (pairs << 7), candidates = packed + <usize>tileQueries * (pairs << 2);
  const listStride = <usize>partitions * (size << 3), candidateStride = (<usize>capacity + 1) << 3, record = (pairs << 2) + 8;
  for (let unit = <u32>begin; unit < <u32>end; unit++) {
    const tile = unit / partitions, partition = unit % partitions;
    const firstQuery = tile * tileQueries, count = min<u32>(tileQueries, numQueries - firstQuery), filled = (count + 3) & ~3;
    const firstBlock = min<u32>(partition * share, numBlocks), lastBlock = min<u32>(firstBlock + share, numBlocks);
    const tileLists = lists + <usize>firstQuery * listStride + <usize>partition * (size << 3);
    packQueries(prepared + <usize>firstQuery * record, count, pairs, packed, states);
    for (let q: usize = 0; q < count; q++) {
      clearHeap(tileLists + q * listStride, size);
      clearCandidates(candidates + q * candidateStride);
    }
    for (let block = firstBlock; block < lastBlock; block++) {
      const measure = measures + (<usize>block << 3);
      const scale = max<f32>(load<f32>(measure) / levels, smallest), inverse: f32 = 1 / scale, length = load<f32>(measure, 4) * inverse;
      roundBlock(items + <usize>block * (dimensions << 7), dimensions, inverse, codes);
      for (let group: usize = 0; group < filled; group += 4) {
        const reach = limits(states + (group << 4), length, inverse, scratch);
        for (let column: usize = 0; column < 32; column += 8) {
          if (!scoreGroup(codes + (column << 2), packed + group * (pairs << 2), pairs, reach, scratch)) continue;
          const firstItem = (block << 5) + <u32>column, width = firstItem < numItems ? min<u32>(8, numItems - firstItem) : 0;
          for (let q = group, last = min<usize>(group + 4, count); q < last; q++) {
            const offsets = excludedOffsets + ((<usize>firstQuery + q) << 2);
            offer(scratch + ((q - group) << 5), scale, length, firstItem, width, states + (q << 4), tileLists + q * listStride, size,
              excluded + (<usize>load<i32>(offsets) << 2), excluded + (<usize>load<i32>(offsets, 4) << 2), candidates + q * candidateStride, capacity);
          }
        }
      }
    }
    for (let q: usize = 0; q < count; q++) {
      const threshold = load<f32>(states + (q << 4)), query = queries + (<usize>firstQuery + q) * (dimensions << 2);
      if (threshold == Infinity) store<i32>(overflows + ((<usize>firstQuery + q) << 2), 1);
      else rankCandidates(candidates + q * candidateStride, threshold, items, dimensions, query, tileLists + q * listStride, size);
    }
  }
}

/** Items of one block → [pair of dimensions][32 items] of two i16, rounded to nearest by adding 1.5 · 2^23. */
function roundBlock(items: usize, dimensions: usize, inverse: f32, codes: usize): void {
  const by = f32x4.splat(inverse), magic = f32x4.splat(12582912), low = i32x4.splat(0xffff);
  const end = items + ((dimensions & ~1) << 7);
  for (; items < end; items += 256) {
    for (let column: usize = 0; column < 128; column += 32) {
      const p = items + column, t = codes + column;
      const a0 = multiplyAdd(v128.load(p), by, magic), a1 = multiplyAdd(v128.load(p, 16), by, magic);
      const b0 = multiplyAdd(v128.load(p, 128), by, magic), b1 = multiplyAdd(v128.load(p, 144), by, magic);
      v128.store(t, v128.or(v128.and(a0, low), i32x4.shl(b0, 16)));
      v128.store(t, v128.or(v128.and(a1, low), i32x4.shl(b1, 16)), 16);
    }
    codes += 128;
  }
  if (dimensions & 1) {
    for (let column: usize = 0; column < 128; column += 16) v128.store(codes + column, v128.and(multiplyAdd(v128.load(items + column), by, magic), low));
  }
}

/** The whole number that a sum must reach to matter, for four queries: threshold/scale − error. */
@inline function limits(states: usize, length: f32, inverse: f32, buffer: usize): v128 {
  for (let q: usize = 0; q < 4; q++) {
    const state = states + (q << 4);
    store<f32>(buffer + (q << 2), load<f32>(state) * inverse - (load<f32>(state, 4) + load<f32>(state, 8) * length));
  }
  return i32x4.trunc_sat_f32x4_s(v128.load(buffer));
}

/** Sums of 4 queries × 8 items; stored to `out` and true when any reaches its query's limit. */
@inline function scoreGroup(items: usize, queries: usize, pairs: usize, reach: v128, out: usize): bool {
  let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (const end = queries + (pairs << 4); queries < end; queries += 16) {
    const i0 = v128.load(items), i1 = v128.load(items, 16);
    let t = v128.load32_splat(queries); c00 = i32x4.add(c00, i32x4.dot_i16x8_s(i0, t)); c01 = i32x4.add(c01, i32x4.dot_i16x8_s(i1, t));
    t = v128.load32_splat(queries, 4); c10 = i32x4.add(c10, i32x4.dot_i16x8_s(i0, t)); c11 = i32x4.add(c11, i32x4.dot_i16x8_s(i1, t));
    t = v128.load32_splat(queries, 8); c20 = i32x4.add(c20, i32x4.dot_i16x8_s(i0, t)); c21 = i32x4.add(c21, i32x4.dot_i16x8_s(i1, t));
    t = v128.load32_splat(queries, 12); c30 = i32x4.add(c30, i32x4.dot_i16x8_s(i0, t)); c31 = i32x4.add(c31, i32x4.dot_i16x8_s(i1, t));
    items += 128;
  }
  const r0 = v128.shuffle<i32>(reach, reach, 0, 0, 0, 0), r1 = v128.shuffle<i32>(reach, reach, 1, 1, 1, 1);
  const r2 = v128.shuffle<i32>(reach, reach, 2, 2, 2, 2), r3 = v128.shuffle<i32>(reach, reach, 3, 3, 3, 3);
  const below = v128.and(
    v128.and(i32x4.gt_s(r0, i32x4.max_s(c00, c01)), i32x4.gt_s(r1, i32x4.max_s(c10, c11))),
    v128.and(i32x4.gt_s(r2, i32x4.max_s(c20, c21)), i32x4.gt_s(r3, i32x4.max_s(c30, c31))),
  );
  if (i32x4.all_true(below)) return false;
  v128.store(out, c00); v128.store(out, c01, 16); v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80); v128.store(out, c30, 96); v128.store(out, c31, 112);
  return true;
}

/** Offers 8 sums of consecutive items to one query; its threshold becomes Infinity when the candidates no longer fit. */
function offer(
  sums: usize, scale: f32, length: f32, firstItem: u32, width: u32, state: usize, heap: usize, size: usize,
  excludedBegin: usize, excludedEnd: usize, candidates: usize, capacity: i32,
): void {
  let threshold = load<f32>(state);
  const error = load<f32>(state, 4) + load<f32>(state, 8) * length;
  for (let lane: u32 = 0; lane < width; lane++) {
    const sum = <f32>load<i32>(sums + (<usize>lane << 2)), upper = scale * (sum + error), index = <i32>(firstItem + lane);
    if (!(upper >= threshold) || isExcluded(index, excludedBegin, excludedEnd)) continue;
    if (!addCandidate(candidates, capacity, upper, index, threshold)) { threshold = Infinity; break; }
    const lower = scale * (sum - error);
    if (lower > threshold) threshold = replaceRoot(heap, size, lower, index);
  }
  store<f32>(state, threshold);
}

/** Prepared queries → states (threshold, the two errors, nothing) and groups of 4, [group][pair][4]; missing queries let nothing pass. */
function packQueries(prepared: usize, count: u32, pairs: usize, packed: usize, states: usize): void {
  for (let q: usize = 0; q < ((count + 3) & ~3); q++) {
    const state = states + (q << 4), present = q < count;
    let source = prepared + q * ((pairs << 2) + 8), target = packed + (q & ~3) * (pairs << 2) + ((q & 3) << 2);
    store<f32>(state, present ? -Infinity : Infinity);
    store<f32>(state, present ? load<f32>(source) : 0, 4);
    store<f32>(state, present ? load<f32>(source, 4) : 0, 8);
    source += 8;
    for (let pair: usize = 0; pair < pairs; pair++) {
      store<i32>(target, present ? load<i32>(source) : 0);
      target += 16; source += 4;
    }
  }
}
