/** What top-k.ts writes into its arena: packed items, excluded lists, and the checks of a caller's arrays. */
import { KernelError } from "../core/errors.js";
import type { Arena } from "./arena.js";
import type { TopKBlock } from "./top-k-plan.js";
import { smallestScale } from "./top-k-quantized.js";

/** Indexes of query q: indices[offsets[q] … offsets[q + 1]), ascending. */
export interface ExcludedItems {
  offsets: Int32Array;
  indices: Int32Array;
}

/** Multiply-adds below which the calling thread works by itself. */
export const inlineWork = 2e6;

/** Row-major vectors → blocks of items, their measures and, with `int4`, codes. True when all magnitudes suit a quantised pass. */
export async function packItems(
  arena: Arena<TopKBlock>,
  itemVectors: Float32Array,
  shape: { numItems: number; dimensions: number; stagedRows: number; int4: boolean; axis?: Float32Array; leading: number },
): Promise<boolean> {
  const { numItems, dimensions, stagedRows, int4, axis, leading } = shape;
  const { staging, items, measures, codes, figures, bounds, rows } = arena.pointers;
  const run = async (kernel: string, count: number, chunk: number, args: readonly number[]) => {
    if (numItems * dimensions <= inlineWork) arena.runHere(kernel, { count, args });
    else await arena.parallel(kernel, { count, chunk, args });
  };
  for (let first = 0; first < numItems; first += stagedRows) {
    const count = Math.min(stagedRows, numItems - first);
    arena.float32("staging", count * dimensions).set(itemVectors.subarray(first * dimensions, (first + count) * dimensions));
    await run("packItems", count, 256, [staging, first, dimensions, items]);
  }
  const blocks = Math.ceil(numItems / 32);
  await run("measureBlocks", blocks, 64, [items, dimensions, measures]);
  const found = arena.float32("measures", blocks * 2);
  for (let block = 0; block < blocks; block++) if (!(found[2 * block] <= 1 / smallestScale)) return false; // also NaN
  if (!int4) return true;
  if (axis) arena.float32("axis", dimensions).set(axis);
  await run("packInt4", blocks, 16, [items, numItems, dimensions, codes, figures, bounds, axis ? arena.pointers.axis : 0, leading, rows]);
  return true;
}

/** Offsets start at 0 in the workspace. */
export function writeExcluded(arena: Arena<TopKBlock>, excluded: ExcludedItems | undefined, begin: number, end: number): void {
  const offsets = arena.int32("excludedOffsets", end - begin + 1);
  if (excluded === undefined) {
    offsets.fill(0);
    return;
  }
  const first = excluded.offsets[begin];
  for (let q = begin; q <= end; q++) offsets[q - begin] = excluded.offsets[q] - first;
  arena.int32("excluded", excluded.offsets[end] - first).set(excluded.indices.subarray(first, excluded.offsets[end]));
}

/** The lists of some queries, in the order of `which`. */
export function pickExcluded({ offsets, indices }: ExcludedItems, which: readonly number[]): ExcludedItems {
  const pickedOffsets = new Int32Array(which.length + 1);
  for (const [p, q] of which.entries()) pickedOffsets[p + 1] = pickedOffsets[p] + offsets[q + 1] - offsets[q];
  const pickedIndices = new Int32Array(pickedOffsets[which.length]);
  for (const [p, q] of which.entries()) pickedIndices.set(indices.subarray(offsets[q], offsets[q + 1]), pickedOffsets[p]);
  return { offsets: pickedOffsets, indices: pickedIndices };
}

export function checkSearch(
  numQueries: number,
  topK: number,
  { dimensions, length, excluded }: { dimensions: number; length: number; excluded: ExcludedItems | undefined },
): void {
  if (!Number.isInteger(numQueries)) throw misshapen(`queries has ${length} values, which is no multiple of ${dimensions} dimensions`);
  if (!(Number.isInteger(topK) && topK >= 1)) throw misshapen(`topK is ${topK}, not a whole number from 1 on`);
  if (excluded === undefined) return;
  const { offsets, indices } = excluded;
  if (offsets.length !== numQueries + 1) throw misshapen(`excluded.offsets has ${offsets.length} values for ${numQueries} queries`);
  for (let q = 0; q < numQueries; q++)
    for (let e = offsets[q] + 1; e < offsets[q + 1]; e++)
      if (!(indices[e] > indices[e - 1])) throw misshapen(`the excluded items of query ${q} do not ascend`);
}

export function misshapen(what: string): KernelError {
  return new KernelError(`Top-k search: ${what}.`, { hint: "Pass row-major arrays whose lengths fit each other." });
}
