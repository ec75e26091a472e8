/**
 * Exact top-k by dot product: binding of assembly/top-k.ts (one query) and top-k-batch.ts (tiles of queries).
 *   score(q, i) = Σ_d query_qd · item_id; best first, equal scores by ascending item index.
 * Items are packed once; queries go through a workspace of fixed size, so memory is bounded for any number of them.
 * Called by ranking/ for models with a vector route.
 */
import { KernelError, throwIfCancelled } from "../core/errors.js";
import { type Arena, type ArenaOptions, createArena } from "./arena.js";
import { mergeLists } from "./top-k-merge.js";

export interface TopKIndexOptions extends ArenaOptions {
  numItems: number;
  /** Length of a vector, 1 or more. */
  dimensions: number;
}

export interface TopKSearchOptions {
  /** Places per query, 1 or more. */
  topK: number;
  /** Items that may not appear for query q: indices[offsets[q] … offsets[q + 1]), ascending. */
  excluded?: { offsets: Int32Array; indices: Int32Array };
  signal?: AbortSignal;
}

/** Row-major, numQueries × topK; places that no item fills hold −1 and −Infinity. */
export interface TopKResult {
  itemIndex: Int32Array;
  score: Float32Array;
}

export interface TopKIndex {
  /**
   * `queries`: n × dimensions, row-major. A small question is answered on the calling thread, others in threads.
   * Throws CancelledError on abort, KernelError on misshapen input.
   */
  search(queries: Float32Array, options: TopKSearchOptions): Promise<TopKResult>;
  dispose(): void;
}

type Block = "items" | "staging" | "queries" | "excludedOffsets" | "excluded" | "lists";

const stagingBytes = 4 * 2 ** 20;
const queryBytes = 4 * 2 ** 20;
const listBytes = 16 * 2 ** 20;
const maxQueries = 8192;
const excludedEntries = 2 ** 20;
/** Multiply-adds that one batch may take, so that a long search lets others in between and aborts soon. */
const workPerBatch = 4e9;
const inlineWork = 2e6;
/** Blocks of 32 items that are worth a partition of their own. */
const blocksPerPartition = 128;

/** Packs the vectors (numItems × dimensions, row-major) into kernel memory. Throws KernelError when they need more than 4 GiB. */
export async function createTopKIndex(itemVectors: Float32Array, options: TopKIndexOptions): Promise<TopKIndex> {
  const { numItems, dimensions } = options;
  if (!(Number.isInteger(dimensions) && dimensions >= 1) || itemVectors.length !== numItems * dimensions)
    throw misshapen(`itemVectors has ${itemVectors.length} values, not ${numItems} × ${dimensions}`);
  const tileQueries = dimensions <= 128 ? 64 : dimensions <= 512 ? 32 : 16;
  const rowBytes = dimensions * 4;
  const stagedRows = Math.max(1, Math.min(numItems, Math.floor(stagingBytes / rowBytes)));
  const capacity = {
    queries: Math.max(1, Math.min(maxQueries, Math.floor(queryBytes / rowBytes))),
    excluded: Math.max(excludedEntries, numItems),
    pairs: Math.max(listBytes / 8, numItems), // every item may be asked for
  };
  const arena = await createArena<Block>(
    {
      purpose: `A top-k index of ${numItems} items with ${dimensions} dimensions`,
      hint: "Use fewer dimensions or fewer items.",
      blocks: {
        items: Math.ceil(numItems / 32) * 32 * rowBytes,
        staging: stagedRows * rowBytes,
        queries: capacity.queries * rowBytes,
        excludedOffsets: (capacity.queries + 1) * 4,
        excluded: capacity.excluded * 4,
        lists: capacity.pairs * 8,
      },
      scratchBytes: 128 + tileQueries * 4 + tileQueries * rowBytes,
    },
    options,
  );
  await pack(arena, itemVectors, { numItems, dimensions, stagedRows });

  /** Answers queries [begin, end) into `result`. */
  async function searchBatch(queries: Float32Array, batch: Batch, result: TopKResult, { topK, excluded, signal }: TopKSearchOptions) {
    const { begin, end, size, partitions, tiled } = batch;
    const count = end - begin;
    arena.float32("queries", count * dimensions).set(queries.subarray(begin * dimensions, end * dimensions));
    writeExcluded(arena, excluded, begin, end);
    const { items, queries: queriesAt, lists, excludedOffsets, excluded: excludedAt } = arena.pointers;
    const kernel = tiled ? "topKBatch" : "topKScan";
    const head = [items, numItems, dimensions, queriesAt];
    const tail = [partitions, lists, size, excludedOffsets, excludedAt];
    const work = {
      count: (tiled ? Math.ceil(count / tileQueries) : count) * partitions,
      args: [...head, ...(tiled ? [count, tileQueries] : []), ...tail],
    };
    if (count * numItems * dimensions <= inlineWork) arena.runHere(kernel, work);
    else await arena.parallel(kernel, { ...work, chunk: 1 }, signal);
    const pairs = count * partitions * size;
    const scores = arena.float32("lists", pairs * 2);
    const indexes = arena.int32("lists", pairs * 2);
    mergeLists({ scores, indexes, partitions, size }, { begin, end, topK }, result);
  }

  return {
    async search(queries, searchOptions) {
      const { topK, excluded, signal } = searchOptions;
      const numQueries = queries.length / dimensions;
      checkSearch(numQueries, topK, dimensions, queries.length, excluded);
      throwIfCancelled(signal);
      const result = { itemIndex: new Int32Array(numQueries * topK).fill(-1), score: new Float32Array(numQueries * topK).fill(-Infinity) };
      if (numItems === 0) return result;
      const size = Math.min(topK, numItems);
      for (let begin = 0; begin < numQueries; ) {
        const batch = nextBatch({ begin, numQueries, size, excluded });
        await arena.exclusive(() => searchBatch(queries, batch, result, searchOptions));
        begin = batch.end;
      }
      return result;
    },
    dispose: () => arena.dispose(),
  };

  /** As many queries as the workspace holds; partitions of the items where there are too few queries to keep all threads busy. */
  function nextBatch(request: { begin: number; numQueries: number; size: number; excluded: TopKSearchOptions["excluded"] }): Batch {
    const { begin, numQueries, size, excluded } = request;
    const byWork = Math.ceil(workPerBatch / (numItems * dimensions));
    const most = Math.min(capacity.queries, Math.floor(capacity.pairs / size), Math.max(byWork, tileQueries * arena.threads));
    let end = Math.min(numQueries, begin + most);
    if (excluded) while (end > begin + 1 && excluded.offsets[end] - excluded.offsets[begin] > capacity.excluded) end--;
    const count = end - begin;
    const tiled = count >= 4;
    const tiles = tiled ? Math.ceil(count / tileQueries) : count;
    const useful = Math.ceil(numItems / 32 / blocksPerPartition);
    const wanted = tiles >= 4 * arena.threads ? 1 : Math.ceil((4 * arena.threads) / tiles);
    const partitions = Math.max(1, Math.min(wanted, useful, Math.floor(capacity.pairs / (count * size))));
    return { begin, end, size, partitions, tiled };
  }
}

interface Batch {
  begin: number;
  end: number;
  /** Pairs per list. */
  size: number;
  partitions: number;
  tiled: boolean;
}

async function pack(arena: Arena<Block>, itemVectors: Float32Array, shape: { numItems: number; dimensions: number; stagedRows: number }) {
  const { numItems, dimensions, stagedRows } = shape;
  for (let first = 0; first < numItems; first += stagedRows) {
    const count = Math.min(stagedRows, numItems - first);
    arena.float32("staging", count * dimensions).set(itemVectors.subarray(first * dimensions, (first + count) * dimensions));
    const args = [arena.pointers.staging, first, dimensions, arena.pointers.items];
    if (numItems * dimensions <= inlineWork) arena.runHere("packItems", { count, args });
    else await arena.parallel("packItems", { count, chunk: 256, args });
  }
}

/** Offsets start at 0 in the workspace. */
function writeExcluded(arena: Arena<Block>, excluded: TopKSearchOptions["excluded"], begin: number, end: number): void {
  const offsets = arena.int32("excludedOffsets", end - begin + 1);
  if (excluded === undefined) {
    offsets.fill(0);
    return;
  }
  const first = excluded.offsets[begin];
  for (let q = begin; q <= end; q++) offsets[q - begin] = excluded.offsets[q] - first;
  arena.int32("excluded", excluded.offsets[end] - first).set(excluded.indices.subarray(first, excluded.offsets[end]));
}

function checkSearch(numQueries: number, topK: number, dimensions: number, length: number, excluded: TopKSearchOptions["excluded"]): void {
  if (!Number.isInteger(numQueries)) throw misshapen(`queries has ${length} values, which is no multiple of ${dimensions} dimensions`);
  if (!(Number.isInteger(topK) && topK >= 1)) throw misshapen(`topK is ${topK}, not a whole number from 1 on`);
  if (excluded === undefined) return;
  const { offsets, indices } = excluded;
  if (offsets.length !== numQueries + 1) throw misshapen(`excluded.offsets has ${offsets.length} values for ${numQueries} queries`);
  for (let q = 0; q < numQueries; q++)
    for (let e = offsets[q] + 1; e < offsets[q + 1]; e++)
      if (!(indices[e] > indices[e - 1])) throw misshapen(`the excluded items of query ${q} do not ascend`);
}

function misshapen(what: string): KernelError {
  return new KernelError(`Top-k search: ${what}.`, { hint: "Pass row-major arrays whose lengths fit each other." });
}
