/**
 * Exact top-k by dot product: binding of assembly/top-k.ts (one query), top-k-batch.ts (tiles of queries) and the quantised first passes
 * top-k-int4.ts and top-k-int16.ts. Their error bound proves what they leave out; a list they cannot prove is scanned in float32.
 *   score(q, i) = Σ_d query_qd · item_id in float32, the same bits by every way; best first, equal scores by ascending item index.
 * Items are packed once; queries go through a workspace of fixed size, so memory is bounded for any number of them.
 * Called by ranking/ for models with a vector route.
 */
import { throwIfCancelled } from "../core/errors.js";
import { type ArenaOptions, createArena } from "./arena.js";
import { commonAxis, leadingWords } from "./top-k-axis.js";
import { mergeLists } from "./top-k-merge.js";
import { type Batch, int4Candidates, int16Candidates, type Pass, planBatch, planIndex, type Quantized } from "./top-k-plan.js";
import { int4FigureBytes, int4Stride, int16Levels, int16Stride, prepareInt4, prepareInt16, smallestScale } from "./top-k-quantized.js";
import { checkSearch, type ExcludedItems, inlineWork, misshapen, packItems, pickExcluded, writeExcluded } from "./top-k-workspace.js";

export interface TopKIndexOptions extends ArenaOptions {
  numItems: number;
  /** Length of a vector, 1 or more. */
  dimensions: number;
  /**
   * First passes over quantised vectors; answers are the same bits with and without them. `auto` (default): codes of 4 and then 8 bits, at
   * most 1.5 bytes per value and 33 bytes per item, from 2²¹ values on; 16-bit tiles of queries, no memory, in the plain build. `always` and `never` are for tests.
   */
  quantized?: Quantized;
}

export interface TopKSearchOptions {
  /** Places per query, 1 or more. */
  topK: number;
  /** Items that may not appear for query q: indices[offsets[q] … offsets[q + 1]), ascending. */
  excluded?: ExcludedItems;
  signal?: AbortSignal;
}

/** Row-major, numQueries × topK; places that no item fills hold −1 and −Infinity. */
export interface TopKResult {
  itemIndex: Int32Array;
  score: Float32Array;
}

/** Queries answered so far by each pass; `unproven` ones had too many candidates and were scanned in float32. */
export interface TopKCounts {
  float32: number;
  int4: number;
  int16: number;
  unproven: number;
}

export interface TopKIndex {
  /**
   * `queries`: n × dimensions, row-major. A small question is answered on the calling thread, others in threads.
   * Throws CancelledError on abort, KernelError on misshapen input.
   */
  search(queries: Float32Array, options: TopKSearchOptions): Promise<TopKResult>;
  readonly counts: Readonly<TopKCounts>;
  dispose(): void;
}

/** A pass that fails more often than this is not tried again. */
const maxUnprovenShare = 0.25;
const triesBeforeJudging = 16;

/** Packs the vectors (numItems × dimensions, row-major) into kernel memory. Throws KernelError when they need more than 4 GiB. */
export async function createTopKIndex(itemVectors: Float32Array, options: TopKIndexOptions): Promise<TopKIndex> {
  const { numItems, dimensions, quantized = "auto" } = options;
  if (!(Number.isInteger(dimensions) && dimensions >= 1) || itemVectors.length !== numItems * dimensions)
    throw misshapen(`itemVectors has ${itemVectors.length} values, not ${numItems} × ${dimensions}`);
  const axis = quantized === "never" ? undefined : commonAxis(itemVectors, dimensions);
  const leading = leadingWords(itemVectors, dimensions, axis);
  const plan = planIndex({ numItems, dimensions, quantized, hasAxis: axis !== undefined, leading });
  const arena = await createArena(plan.arena, options);
  const { capacity, stagedRows, int4 } = plan;
  const usable = (await packItems(arena, itemVectors, { numItems, dimensions, stagedRows, int4, axis, leading })) && quantized !== "never";
  const has = {
    int4: usable && int4,
    int16: usable && (quantized === "always" || arena.build === "plain"), // a fused multiply-add is as fast as 16 bits
  };
  const counts: TopKCounts = { float32: 0, int4: 0, int16: 0, unproven: 0 };
  const tries = { int4: { all: 0, unproven: 0 }, int16: { all: 0, unproven: 0 } };
  const { threads } = arena;
  const context = {
    ...{ numItems, dimensions, quantized, capacity, threads },
    allows: (pass: Pass) => {
      if (pass === "float32") return true;
      const { all, unproven } = tries[pass];
      return has[pass] && (quantized === "always" || all < triesBeforeJudging || unproven <= maxUnprovenShare * all);
    },
  };

  /** Answers the queries of a batch, `queries` being all of them, into their rows of `result`. */
  async function searchBatch(queries: Float32Array, batch: Batch, result: TopKResult, options: TopKSearchOptions): Promise<void> {
    const { begin, end, pass, partitions, size } = batch;
    const count = end - begin;
    arena.float32("queries", count * dimensions).set(queries.subarray(begin * dimensions, end * dimensions));
    writeExcluded(arena, options.excluded, begin, end);
    const work = kernelOf(batch);
    if (count * numItems * dimensions <= inlineWork) arena.runHere(work.kernel, work);
    else await arena.parallel(work.kernel, { ...work, chunk: 1 }, options.signal);
    const pairs = count * partitions * size;
    const lists = { scores: arena.float32("lists", pairs * 2), indexes: arena.int32("lists", pairs * 2), partitions, size };
    mergeLists(lists, { begin, end, topK: options.topK }, result);
    if (pass === "float32") {
      counts.float32 += count;
      return;
    }
    const unproven: number[] = [];
    for (const [q, overflow] of arena.int32("overflows", count).entries()) if (overflow) unproven.push(begin + q);
    tries[pass].all += count;
    tries[pass].unproven += unproven.length;
    counts[pass] += count - unproven.length;
    counts.unproven += unproven.length;
    if (unproven.length > 0) await searchInFull(unproven, queries, result, options);
  }

  /** The kernel of a batch with its arguments; what it reads besides items, queries and excluded lists is written here. */
  function kernelOf({ begin, end, pass, partitions, size, tile }: Batch): { kernel: string; count: number; args: number[] } {
    const count = end - begin;
    const at = arena.pointers;
    const units = Math.ceil(count / tile) * partitions;
    const head = [at.items, numItems, dimensions, at.queries];
    const tail = [partitions, at.lists, size, at.excludedOffsets, at.excluded];
    if (pass === "float32") {
      return tile === 1
        ? { kernel: "topKScan", count: units, args: [...head, ...tail] }
        : { kernel: "topKBatch", count: units, args: [...head, count, tile, ...tail] };
    }
    arena.int32("overflows", count).fill(0);
    if (pass === "int4") {
      const stride = int4Stride(dimensions, leading);
      prepareEach(count, stride, (query, target) => prepareInt4(query, target, { axis, leading }));
      arena.float32("thresholds", count).fill(-Infinity);
      const own = [
        at.codes,
        at.figures,
        at.bounds,
        int4FigureBytes(axis !== undefined),
        leading,
        at.rows,
        at.prepared,
        stride,
        at.thresholds,
        at.overflows,
        int4Candidates,
      ];
      return { kernel: "topKInt4", count: units, args: [...head, ...tail, ...own] };
    }
    prepareEach(count, int16Stride(dimensions), prepareInt16);
    const own = [at.measures, at.prepared, int16Levels(dimensions), smallestScale, at.overflows, int16Candidates(size)];
    return { kernel: "topKInt16", count: units, args: [...head, count, tile, ...tail, ...own] };
  }

  function prepareEach(count: number, stride: number, prepare: (query: Float32Array, target: DataView) => void): void {
    const queries = arena.float32("queries", count * dimensions);
    const { buffer, byteOffset } = arena.int32("prepared", (count * stride) / 4);
    for (let q = 0; q < count; q++)
      prepare(queries.subarray(q * dimensions, (q + 1) * dimensions), new DataView(buffer, byteOffset + q * stride, stride));
  }

  /** Queries whose lists a quantised pass could not prove, once more in float32. */
  async function searchInFull(
    which: readonly number[],
    queries: Float32Array,
    result: TopKResult,
    options: TopKSearchOptions,
  ): Promise<void> {
    const { topK, signal } = options;
    const picked = new Float32Array(which.length * dimensions);
    for (const [p, q] of which.entries()) picked.set(queries.subarray(q * dimensions, (q + 1) * dimensions), p * dimensions);
    const excluded = options.excluded && pickExcluded(options.excluded, which);
    const again = emptyResult(which.length, topK);
    const request = { begin: 0, numQueries: which.length, size: Math.min(topK, numItems), excluded };
    for (; request.begin < which.length; ) {
      const batch = planBatch(request, { ...context, allows: (pass) => pass === "float32" });
      await searchBatch(picked, batch, again, { topK, excluded, signal });
      request.begin = batch.end;
    }
    for (const [p, q] of which.entries()) {
      result.itemIndex.set(again.itemIndex.subarray(p * topK, (p + 1) * topK), q * topK);
      result.score.set(again.score.subarray(p * topK, (p + 1) * topK), q * topK);
    }
  }

  return {
    counts,
    async search(queries, searchOptions) {
      const { topK, excluded, signal } = searchOptions;
      const numQueries = queries.length / dimensions;
      checkSearch(numQueries, topK, { dimensions, length: queries.length, excluded });
      throwIfCancelled(signal);
      const result = emptyResult(numQueries, topK);
      if (numItems === 0) return result;
      const size = Math.min(topK, numItems);
      for (let begin = 0; begin < numQueries; ) {
        const batch = planBatch({ begin, numQueries, size, excluded }, context);
        await arena.exclusive(() => searchBatch(queries, batch, result, searchOptions));
        begin = batch.end;
      }
      return result;
    },
    dispose: () => arena.dispose(),
  };
}

function emptyResult(numQueries: number, topK: number): TopKResult {
  return { itemIndex: new Int32Array(numQueries * topK).fill(-1), score: new Float32Array(numQueries * topK).fill(-Infinity) };
}
