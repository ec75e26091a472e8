/**
 * Sizes of a top-k index: what it keeps per item, the workspace that bounds its memory, which pass answers a batch of queries, and into
 * how many units of work the batch is cut. Pure arithmetic. Called by top-k.ts.
 */
import type { ArenaPlan } from "./arena.js";
import { int4FigureBytes, int4Stride, int8RowBytes, int16Stride } from "./top-k-quantized.js";

export type TopKBlock =
  | "items"
  | "staging"
  | "queries"
  | "excludedOffsets"
  | "excluded"
  | "lists"
  | "codes"
  | "figures"
  | "bounds"
  | "axis"
  | "rows"
  | "measures"
  | "prepared"
  | "thresholds"
  | "overflows";

/** `float32` scores everything; the others leave out what their error bound excludes. */
export type Pass = "float32" | "int4" | "int16";

export type Quantized = "auto" | "always" | "never";

export interface Batch {
  begin: number;
  end: number;
  /** Pairs per list. */
  size: number;
  pass: Pass;
  /** Queries that pass over the items together. */
  tile: number;
  /** Parts of the items, each with a list of its own. */
  partitions: number;
}

export interface BatchRequest {
  begin: number;
  numQueries: number;
  size: number;
  excluded?: { offsets: Int32Array };
}

export interface IndexShape {
  numItems: number;
  dimensions: number;
  quantized: Quantized;
  /** The 4-bit pass takes a direction out that the items share. Default false. */
  hasAxis?: boolean;
  /** Words of 8 dimensions that the 4-bit pass reads. Default all. */
  leading?: number;
}

/** Candidates that one query of the 4-bit pass may have at once. */
export const int4Candidates = 8192;

const stagingBytes = 4 * 2 ** 20;
const queryBytes = 4 * 2 ** 20;
const listBytes = 16 * 2 ** 20;
const maxQueries = 8192;
const excludedEntries = 2 ** 20;
const maxBytes = 4 * 2 ** 30;
/** Multiply-adds that one batch may take, so that a long search lets others in between and aborts soon. */
const workPerBatch = 4e9;
/** Blocks of 32 items that are worth a partition of their own. */
const blocksPerPartition = 128;
/** Multiply-adds of a partition in the 4-bit pass: about 10 ms. */
const workPerInt4Partition = 2e8;
/** Values from which 4-bit codes pay: the float32 vectors no longer fit a core's cache. */
const int4Values = 2 ** 21;
/** From here on queries are better off in tiles. */
const int4Queries = 12;
const int4Size = 1024;
const int16Size = 256;
const int16CandidateBytes = 2 ** 18;
const int16Items = 1024;

export function planIndex({ numItems, dimensions, quantized, hasAxis = false, leading = Math.ceil(dimensions / 8) }: IndexShape) {
  const rowBytes = dimensions * 4;
  const blocks = Math.ceil(numItems / 32);
  const itemBytes = blocks * 32 * rowBytes;
  const codeBytes = blocks * 128 * leading;
  const secondBytes = blocks * 32 * int8RowBytes(dimensions);
  const wanted = quantized === "always" || (quantized === "auto" && numItems * dimensions >= int4Values);
  const int4 = wanted && itemBytes + codeBytes + secondBytes + blocks * 528 + 2 ** 26 < maxBytes; // no room: float32 alone
  const stagedRows = Math.max(1, Math.min(numItems, Math.floor(stagingBytes / rowBytes)));
  const capacity = {
    queries: Math.max(1, Math.min(maxQueries, Math.floor(queryBytes / rowBytes))),
    excluded: Math.max(excludedEntries, numItems),
    pairs: Math.max(listBytes / 8, numItems), // every item may be asked for
  };
  const arena: ArenaPlan<TopKBlock> = {
    purpose: `A top-k index of ${numItems} items with ${dimensions} dimensions`,
    hint: "Use fewer dimensions or fewer items.",
    blocks: {
      items: itemBytes,
      staging: stagedRows * rowBytes,
      queries: capacity.queries * rowBytes,
      excludedOffsets: (capacity.queries + 1) * 4,
      excluded: capacity.excluded * 4,
      lists: capacity.pairs * 8,
      codes: int4 ? codeBytes : 0,
      figures: int4 ? 2 * blocks * int4FigureBytes(hasAxis) : 0,
      bounds: int4 ? blocks * 16 : 0,
      axis: hasAxis ? rowBytes : 0,
      rows: int4 ? secondBytes : 0,
      measures: blocks * 8,
      prepared: Math.max(capacity.queries * int16Stride(dimensions), int4Queries * int4Stride(dimensions)),
      thresholds: int4Queries * 4,
      overflows: capacity.queries * 4,
    },
    scratchBytes: Math.max(
      128 + floatTile(dimensions) * (4 + rowBytes),
      8 * (int4Candidates + 1),
      int4 && hasAxis ? dimensions * 128 : 0,
      128 + Math.ceil(dimensions / 2) * 128 + int16Tile(dimensions) * (16 + int16Stride(dimensions)) + int16CandidateBytes,
    ),
  };
  return { arena, capacity, stagedRows, int4 };
}

function floatTile(dimensions: number): number {
  return dimensions <= 128 ? 64 : dimensions <= 512 ? 32 : 16;
}

/** As many queries as fill half of a first-level cache, in groups of 4. */
function int16Tile(dimensions: number): number {
  return Math.max(16, Math.min(128, Math.floor(2 ** 12 / dimensions) * 4));
}

/** Candidates per query of a tile. */
export function int16Candidates(size: number): number {
  return 2 * size + 200;
}

export interface PlanContext extends IndexShape {
  capacity: { queries: number; excluded: number; pairs: number };
  threads: number;
  /** Passes that may be used. */
  allows(pass: Pass): boolean;
}

/** As many queries as the workspace holds; partitions of the items where there are too few queries to keep all threads busy. */
export function planBatch(request: BatchRequest, context: PlanContext): Batch {
  const { begin, numQueries, size, excluded } = request;
  const { numItems, dimensions, capacity, threads } = context;
  const work = numItems * dimensions;
  const pass = choosePass(numQueries - begin, size, context);
  const tileQueries =
    pass === "int4"
      ? 1
      : pass === "float32"
        ? floatTile(dimensions)
        : Math.min(int16Tile(dimensions), Math.floor(int16CandidateBytes / 8 / (int16Candidates(size) + 1) / 4) * 4);
  const most = Math.min(
    capacity.queries,
    Math.floor(capacity.pairs / size),
    Math.max(Math.ceil(workPerBatch / work), tileQueries * threads),
  );
  let end = Math.min(numQueries, begin + most);
  if (excluded) while (end > begin + 1 && excluded.offsets[end] - excluded.offsets[begin] > capacity.excluded) end--;
  const count = end - begin;
  const tile = pass === "float32" && count < 4 ? 1 : tileQueries;
  const tiles = Math.ceil(count / tile);
  const useful = Math.ceil(numItems / 32 / blocksPerPartition);
  const each = 4 * threads; // units, so that threads end together
  const wanted =
    pass === "int4"
      ? Math.max(Math.ceil(threads / count), Math.ceil(work / workPerInt4Partition))
      : tiles >= each
        ? 1
        : Math.ceil(each / tiles);
  const partitions = Math.max(1, Math.min(wanted, useful, Math.floor(capacity.pairs / (count * size))));
  return { begin, end, size, pass, tile, partitions };
}

function choosePass(numQueries: number, size: number, { numItems, quantized, allows }: PlanContext): Pass {
  const always = quantized === "always";
  if (numQueries < int4Queries && allows("int4") && size <= int4Size && (always || size * 64 <= numItems)) return "int4";
  if (numQueries >= 4 && allows("int16") && size <= int16Size && (always || (numItems >= int16Items && size * 16 <= numItems)))
    return "int16";
  return "float32";
}
