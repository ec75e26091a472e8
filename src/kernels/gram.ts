/**
 * Binding of assembly/gram.ts: w₀·YᵀY of the factor rows in one block of an arena, summed in partitions that depend on the
 * number of rows only, so the bits do not depend on the thread count. Called by the ALS bindings.
 */
import type { Arena } from "./arena.js";

/** Blocks that an arena needs for `computeGram`. */
export type GramBlock = "gramPartials" | "gramRowMajor" | "gramPanels";

/** Rows per partition and number of partitions: a function of the sizes alone. */
function partitionsOf(numRows: number, factors: number): { size: number; count: number } {
  const most = factors <= 512 ? 64 : 16;
  const size = Math.max(512, Math.ceil(numRows / most));
  return { size, count: Math.ceil(numRows / size) };
}

/** Bytes of the blocks, for up to `numRows` rows of `factors` (a multiple of 16). */
export function gramBlocks(numRows: number, factors: number): Record<GramBlock, number> {
  const matrixBytes = factors * factors * 4;
  return { gramPartials: partitionsOf(numRows, factors).count * matrixBytes, gramRowMajor: matrixBytes, gramPanels: matrixBytes };
}

/** gramRowMajor = gramPanels = scale · Σ_r row_r row_rᵀ over the rows at `rowsPointer`. */
export async function computeGram(
  arena: Pick<Arena<GramBlock>, "pointers" | "parallel">,
  { rowsPointer, numRows, factors, scale }: { rowsPointer: number; numRows: number; factors: number; scale: number },
  signal?: AbortSignal,
): Promise<void> {
  const { gramPartials, gramRowMajor, gramPanels } = arena.pointers;
  const { size, count } = partitionsOf(scale === 0 ? 0 : numRows, factors); // nothing to add up when unobserved cells weigh nothing
  await arena.parallel("gramPartials", { count, chunk: 1, args: [rowsPointer, numRows, size, factors, gramPartials] }, signal);
  const args = [gramPartials, count, factors, scale, gramRowMajor, gramPanels];
  await arena.parallel("gramFinish", { count: factors, chunk: 8, args }, signal);
}
