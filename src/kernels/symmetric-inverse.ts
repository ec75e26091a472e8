/**
 * Binding of assembly/symmetric-inverse.ts: replaces a symmetric positive definite matrix in lower tiles of an arena by −A⁻¹.
 * n³ flops, half of what a general inverse takes; all but the pivot blocks (tileSize³ each) are shared among the threads,
 * and the bits do not depend on their number. Called by ease.ts.
 */
import { throwIfCancelled } from "../core/errors.js";
import type { Arena } from "./arena.js";

/** Blocks that an arena needs for `invertTiles`. */
export type InverseBlock = "tiles" | "left" | "right" | "pivot" | "limits" | "status";

export interface TileLayout {
  /** Rows and columns of a tile, a multiple of 16. */
  tileSize: number;
  /** Tiles per row of the padded matrix. */
  numBlocks: number;
  /** numBlocks · tileSize. */
  paddedSize: number;
}

/** 256: its square stays in the second-level cache beside two packed operands, and a pivot block is still a small part of the work. */
const defaultTileSize = 256;

/** How a matrix of `size` rows is cut into tiles. */
export function layOutTiles(size: number, tileSize = Math.min(defaultTileSize, Math.max(16, Math.ceil(size / 16) * 16))): TileLayout {
  const numBlocks = Math.max(1, Math.ceil(size / tileSize));
  return { tileSize, numBlocks, paddedSize: numBlocks * tileSize };
}

/** Bytes of the blocks; `left` and `right` are free before and after. */
export function inverseBlocks({ tileSize, numBlocks, paddedSize }: TileLayout): Record<InverseBlock, number> {
  const tileBytes = tileSize * tileSize * 4;
  return {
    tiles: ((numBlocks * (numBlocks + 1)) / 2) * tileBytes,
    left: numBlocks * tileBytes,
    right: numBlocks * tileBytes,
    pivot: tileBytes,
    limits: paddedSize * 4,
    status: 4,
  };
}

/** Working memory of each thread, in bytes. */
export function inverseScratchBytes({ tileSize }: TileLayout): number {
  return 2 * tileSize * tileSize * 4;
}

/**
 * `limits` holds the least pivot of each row. Resolves with −1, or with the row whose pivot was not above its limit: the matrix is
 * then not positive definite in float32, and the tiles are of no use. `onBlock` is called after each of the numBlocks sweeps.
 */
export async function invertTiles(
  arena: Arena<InverseBlock>,
  { tileSize, numBlocks }: TileLayout,
  { signal, onBlock }: { signal?: AbortSignal; onBlock?: (done: number) => void } = {},
): Promise<number> {
  const { tiles, left, right, pivot, limits, status } = arena.pointers;
  const failure = arena.int32("status", 1);
  failure[0] = 0;
  const numOthers = ((numBlocks - 1) * numBlocks) / 2;
  for (let block = 0; block < numBlocks; block++) {
    throwIfCancelled(signal);
    await arena.parallel("sweepPivot", { count: 1, chunk: 1, args: [tiles, block, tileSize, limits, pivot, status] }, signal);
    if (failure[0] !== 0) return failure[0] - 1;
    await arena.parallel("sweepPanel", { count: numBlocks, chunk: 1, args: [tiles, block, tileSize, pivot, left, right] }, signal);
    await arena.parallel("sweepUpdate", { count: numOthers, chunk: 1, args: [tiles, block, tileSize, left, right] }, signal);
    onBlock?.(block + 1);
  }
  return -1;
}
