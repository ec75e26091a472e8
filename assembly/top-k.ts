// Exact top-k of one query over item vectors kept as blocks of 32 items, [dimension][32] floats: one sequential stream,
// no padding of dimensions, no sums across lanes. score = Σ_d item_d · query_d, in ascending d for every form of the scan.
// The heap is touched only when a lane beats the worst kept score. `packItems` writes the blocks.
// Reference: src/kernels/reference/top-k.ts. Called by src/kernels/top-k.ts.
import { multiplyAdd } from "./simd";
import { clearHeap, isExcluded, replaceRoot, sortHeap } from "./top-k-heap";

/** Rows [begin, end) of the staged slab `rows` become items firstItem + row of the blocks. */
export function packItems(begin: i32, end: i32, scratch: usize, rows: usize, firstItem: u32, dimensions: usize, items: usize): void {
  for (let row = <usize>begin; row < <usize>end; row++) {
    const item = <usize>firstItem + row;
    let target = items + (item >> 5) * (dimensions << 7) + ((item & 31) << 2), source = rows + row * (dimensions << 2);
    for (const last = source + (dimensions << 2); source < last; source += 4) {
      store<f32>(target, load<f32>(source));
      target += 128;
    }
  }
}

/**
 * Units [begin, end); unit = query · partitions + partition. Each scans its share of the blocks into a list of its own at
 * lists[unit] (size pairs, best first). Excluded items of query q stand at excluded[excludedOffsets[q] … excludedOffsets[q + 1]).
 * scratch: 128 bytes.
 */
export function topKScan(
  begin: i32, end: i32, scratch: usize, items: usize, numItems: u32, dimensions: usize, queries: usize, partitions: u32,
  lists: usize, size: usize, excludedOffsets: usize, excluded: usize,
): void {
  const numBlocks = (numItems + 31) >> 5, share = (numBlocks + partitions - 1) / partitions;
  for (let unit = <u32>begin; unit < <u32>end; unit++) {
    const query = <usize>(unit / partitions), firstBlock = min<u32>((unit % partitions) * share, numBlocks), lastBlock = min<u32>(firstBlock + share, numBlocks);
    const offsets = excludedOffsets + (query << 2);
    const excludedBegin = excluded + (<usize>load<i32>(offsets) << 2), excludedEnd = excluded + (<usize>load<i32>(offsets, 4) << 2);
    const list = lists + <usize>unit * (size << 3);
    clearHeap(list, size);
    scan(scratch, items, numItems, dimensions, queries + query * (dimensions << 2), firstBlock, lastBlock, list, size, excludedBegin, excludedEnd);
    sortHeap(list, size);
  }
}

function scan(
  buffer: usize, items: usize, numItems: u32, dimensions: usize, query: usize, firstBlock: u32, lastBlock: u32,
  heap: usize, size: usize, excludedBegin: usize, excludedEnd: usize,
): void {
  let worst = load<f32>(heap), threshold = f32x4.splat(worst);
  const queryEnd = query + (dimensions << 2);
  let p = items + <usize>firstBlock * (dimensions << 7);
  for (let block = firstBlock; block < lastBlock; block++) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    for (let q = query; q < queryEnd; q += 4) {
      const v = v128.load32_splat(q);
      s0 = multiplyAdd(v128.load(p), v, s0); s1 = multiplyAdd(v128.load(p, 16), v, s1);
      s2 = multiplyAdd(v128.load(p, 32), v, s2); s3 = multiplyAdd(v128.load(p, 48), v, s3);
      s4 = multiplyAdd(v128.load(p, 64), v, s4); s5 = multiplyAdd(v128.load(p, 80), v, s5);
      s6 = multiplyAdd(v128.load(p, 96), v, s6); s7 = multiplyAdd(v128.load(p, 112), v, s7);
      p += 128;
    }
    // compared one by one: the larger of a number and NaN may be NaN
    const low = v128.or(v128.or(f32x4.gt(s0, threshold), f32x4.gt(s1, threshold)), v128.or(f32x4.gt(s2, threshold), f32x4.gt(s3, threshold)));
    const high = v128.or(v128.or(f32x4.gt(s4, threshold), f32x4.gt(s5, threshold)), v128.or(f32x4.gt(s6, threshold), f32x4.gt(s7, threshold)));
    if (v128.any_true(v128.or(low, high))) {
      v128.store(buffer, s0); v128.store(buffer, s1, 16); v128.store(buffer, s2, 32); v128.store(buffer, s3, 48);
      v128.store(buffer, s4, 64); v128.store(buffer, s5, 80); v128.store(buffer, s6, 96); v128.store(buffer, s7, 112);
      const count = min<u32>(32, numItems - (block << 5));
      for (let lane: u32 = 0; lane < count; lane++) {
        const score = load<f32>(buffer + (<usize>lane << 2)), index = <i32>((block << 5) + lane);
        if (score > worst && !isExcluded(index, excludedBegin, excludedEnd)) worst = replaceRoot(heap, size, score, index);
      }
      threshold = f32x4.splat(worst);
    }
  }
}
