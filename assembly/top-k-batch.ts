// Exact top-k of many queries over the item blocks of top-k.ts: tiles of queries pass over the items together, in register
// blocks of 4 queries × 8 items, so that an item block is read from memory once per tile.
// Scores are the same bits as those of top-k.ts (the same order of additions).
// Reference: src/kernels/reference/top-k.ts. Called by src/kernels/top-k.ts.
import { multiplyAdd } from "./simd";
import { clearHeap, isExcluded, replaceRoot, sortHeap } from "./top-k-heap";

/**
 * Units [begin, end); unit = tile · partitions + partition, tile t holds queries t·tileQueries … (tileQueries a multiple of 4).
 * Query q's list of partition p goes to lists[q · partitions + p]. Other arguments as in `topKScan`.
 * scratch: 128 bytes, tileQueries thresholds, tileQueries × dimensions floats.
 */
export function topKBatch(
  begin: i32, end: i32, scratch: usize, items: usize, numItems: u32, dimensions: usize, queries: usize, numQueries: u32, tileQueries: u32,
  partitions: u32, lists: usize, size: usize, excludedOffsets: usize, excluded: usize,
): void {
  const numBlocks = (numItems + 31) >> 5, share = (numBlocks + partitions - 1) / partitions;
  const thresholds = scratch + 128, packed = thresholds + (<usize>tileQueries << 2), listStride = <usize>partitions * (size << 3);
  for (let unit = <u32>begin; unit < <u32>end; unit++) {
    const tile = unit / partitions, partition = unit % partitions;
    const firstQuery = tile * tileQueries, count = min<u32>(tileQueries, numQueries - firstQuery);
    const firstBlock = min<u32>(partition * share, numBlocks), lastBlock = min<u32>(firstBlock + share, numBlocks);
    const tileLists = lists + <usize>firstQuery * listStride + <usize>partition * (size << 3);
    packQueries(queries + <usize>firstQuery * (dimensions << 2), count, dimensions, packed);
    for (let q: usize = 0; q < ((count + 3) & ~3); q++) { // queries that only fill up a group let nothing pass
      if (q < count) clearHeap(tileLists + q * listStride, size);
      store<f32>(thresholds + (q << 2), q < count ? -Infinity : Infinity);
    }
    for (let block = firstBlock; block < lastBlock; block++) {
      const blockItems = items + <usize>block * (dimensions << 7);
      for (let group: usize = 0; group < count; group += 4) {
        for (let column: usize = 0; column < 32; column += 8) {
          if (!scoreGroup(blockItems + (column << 2), packed + group * (dimensions << 2), dimensions, thresholds + (group << 2), scratch)) continue;
          const firstItem = (block << 5) + <u32>column, width = firstItem < numItems ? min<u32>(8, numItems - firstItem) : 0;
          for (let q = group; q < min<usize>(group + 4, count); q++) {
            const offsets = excludedOffsets + ((<usize>firstQuery + q) << 2), heap = tileLists + q * listStride;
            offer(scratch + ((q - group) << 5), firstItem, width, thresholds + (q << 2), heap, size,
              excluded + (<usize>load<i32>(offsets) << 2), excluded + (<usize>load<i32>(offsets, 4) << 2));
          }
        }
      }
    }
    for (let q: usize = 0; q < count; q++) sortHeap(tileLists + q * listStride, size);
  }
}

/** Scores of 4 queries × 8 items; stored to `out` and true when any beats its query's threshold. */
@inline function scoreGroup(items: usize, queries: usize, dimensions: usize, thresholds: usize, out: usize): bool {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (const end = queries + (dimensions << 4); queries < end; queries += 16) {
    const i0 = v128.load(items), i1 = v128.load(items, 16);
    let t = v128.load32_splat(queries); c00 = multiplyAdd(i0, t, c00); c01 = multiplyAdd(i1, t, c01);
    t = v128.load32_splat(queries, 4); c10 = multiplyAdd(i0, t, c10); c11 = multiplyAdd(i1, t, c11);
    t = v128.load32_splat(queries, 8); c20 = multiplyAdd(i0, t, c20); c21 = multiplyAdd(i1, t, c21);
    t = v128.load32_splat(queries, 12); c30 = multiplyAdd(i0, t, c30); c31 = multiplyAdd(i1, t, c31);
    items += 128;
  }
  const t0 = v128.load32_splat(thresholds), t1 = v128.load32_splat(thresholds, 4), t2 = v128.load32_splat(thresholds, 8), t3 = v128.load32_splat(thresholds, 12);
  // compared one by one: the larger of a number and NaN may be NaN
  const low = v128.or(v128.or(f32x4.gt(c00, t0), f32x4.gt(c10, t1)), v128.or(f32x4.gt(c20, t2), f32x4.gt(c30, t3)));
  const high = v128.or(v128.or(f32x4.gt(c01, t0), f32x4.gt(c11, t1)), v128.or(f32x4.gt(c21, t2), f32x4.gt(c31, t3)));
  if (!v128.any_true(v128.or(low, high))) return false;
  v128.store(out, c00); v128.store(out, c01, 16); v128.store(out, c10, 32); v128.store(out, c11, 48);
  v128.store(out, c20, 64); v128.store(out, c21, 80); v128.store(out, c30, 96); v128.store(out, c31, 112);
  return true;
}

/** Offers 8 scores of consecutive items to one query's heap. */
function offer(scores: usize, firstItem: u32, width: u32, threshold: usize, heap: usize, size: usize, excludedBegin: usize, excludedEnd: usize): void {
  let worst = load<f32>(threshold);
  for (let lane: u32 = 0; lane < width; lane++) {
    const score = load<f32>(scores + (<usize>lane << 2)), index = <i32>(firstItem + lane);
    if (score > worst && !isExcluded(index, excludedBegin, excludedEnd)) worst = replaceRoot(heap, size, score, index);
  }
  store<f32>(threshold, worst);
}

/** Row-major queries → groups of 4, [group][dimension][4]; missing queries become zero. */
function packQueries(queries: usize, count: u32, dimensions: usize, packed: usize): void {
  for (let q: usize = 0; q < ((count + 3) & ~3); q++) {
    let target = packed + (q & ~3) * (dimensions << 2) + ((q & 3) << 2), source = queries + q * (dimensions << 2);
    for (let d: usize = 0; d < dimensions; d++) {
      store<f32>(target, q < count ? load<f32>(source) : 0);
      target += 16; source += 4;
    }
  }
}
