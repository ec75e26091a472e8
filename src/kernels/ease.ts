/**
 * Item weights of EASE (Steck 2019): binding of assembly/item-gram.ts, symmetric-inverse.ts and ease.ts.
 *   G = XᵀX + λI,  P = G⁻¹,  B_ji = −P_ji / P_ii,  B_ii = 0
 * G is built and inverted in place, as lower tiles of float32, in one arena: 2·numItems² bytes, so at most about 45,000 items.
 * X is divided by a power of two near its largest value (and λ by its square), which changes no weight but keeps squares in range.
 * Called by models/ease.ts.
 */
import { KernelError, TrainingError } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";
import { type ArenaOptions, createArena } from "./arena.js";
import { kernelHost } from "./host.js";
import { type InverseBlock, inverseBlocks, inverseScratchBytes, invertTiles, layOutTiles, type TileLayout } from "./symmetric-inverse.js";
import { largestValue, powerOfTwoBelow, scaledValues } from "./value-scale.js";

export interface EaseProblem {
  /** Users × items, no value below 0; columns of a row ascend. Copied in. */
  matrixByUser: Csr;
  /** Its transpose. */
  matrixByItem: Csr;
  /** Take every entry as 1 and leave `values` alone. */
  binary: boolean;
  /** λ, ≥ 0. */
  regularization: number;
}

export interface EaseOptions extends ArenaOptions {
  signal?: AbortSignal;
  /** After the Gram matrix, after each pivot block of the inverse and after the weights were taken out. */
  onProgress?: (done: number, total: number) => void;
  /** Rows of a tile, a multiple of 16. Default 256. */
  tileSize?: number;
  /** Most bytes that this may take, kernel memory and result together. Default: a share of the machine's. */
  maxBytes?: number;
}

/** Takes vectors of numItems weights; they may be changed but are void after the call. */
export interface EaseReceiver {
  /** `rows`: B_j· for each item j, what it adds to every other. `columns`: B_·i for each item i, what the others add to it. */
  by: "rows" | "columns";
  take(item: number, weights: Float32Array): void;
  /** Bytes that the receiver will hold in the end. */
  bytes: number;
}

type Block = InverseBlock | "userOffsets" | "itemOffsets" | "userValues" | "itemValues";

/** A pivot must keep this share of its diagonal: below, float32 has lost nearly all digits of it. */
const leastPivotShare = 1e-6;

/**
 * Hands the weights of all items, ascending, to `receiver`. The same bits for any number of threads.
 * Throws TrainingError when λ is too small for the matrix to be inverted in float32, KernelError (before any work) when the
 * memory does not suffice, naming the size.
 */
export async function computeEase(problem: EaseProblem, receiver: EaseReceiver, options: EaseOptions): Promise<void> {
  const { matrixByUser: byUser, matrixByItem: byItem, binary } = problem;
  const { signal, onProgress } = options;
  const numItems = byItem.numRows;
  const layout = layOutTiles(numItems, options.tileSize);
  const { tileSize, numBlocks, paddedSize } = layout;
  const pairs = byUser.indices.length;
  const inverse = inverseBlocks(layout);
  const blocks: Record<Block, number> = {
    ...inverse,
    // the matrix of users and items is no longer needed when the panels of the inverse are
    left: Math.max(inverse.left, pairs * 4),
    right: Math.max(inverse.right, pairs * 4),
    userOffsets: byUser.offsets.length * 4,
    itemOffsets: (paddedSize + 1) * 4,
    userValues: binary ? 0 : pairs * 4,
    itemValues: binary ? 0 : pairs * 4,
  };
  const scratchBytes = Math.max(inverseScratchBytes(layout), paddedSize * 4);
  const threads = Math.max(1, options.threads);
  const kernelBytes = Object.values(blocks).reduce((sum, bytes) => sum + bytes, 0) + threads * scratchBytes;
  checkMemory(numItems, kernelBytes + receiver.bytes, options.maxBytes ?? usableMemory());
  const arena = await createArena<Block>(
    {
      purpose: `EASE for ${numItems} items and ${pairs} pairs`,
      hint: "Drop items with very few interactions (the inverse takes 2 · items² bytes), or use slim or item-knn.",
      blocks,
      scratchBytes,
    },
    options,
  );
  try {
    const scale = binary ? 1 : powerOfTwoBelow(largestValue(byUser.values));
    const lambda = Math.fround(problem.regularization / scale / scale);
    await arena.copyIn("left", byUser.indices);
    await arena.copyIn("right", byItem.indices);
    await arena.copyIn("userOffsets", byUser.offsets);
    await arena.copyIn("itemOffsets", byItem.offsets);
    if (!binary) {
      await arena.copyIn("userValues", scaledValues(byUser.values, 1 / scale));
      await arena.copyIn("itemValues", scaledValues(byItem.values, 1 / scale));
    }
    const at = arena.pointers;
    const total = numBlocks + 2;
    const matrix = [at.userOffsets, at.left, binary ? 0 : at.userValues, at.itemOffsets, at.right, binary ? 0 : at.itemValues];
    const args = [...matrix, numItems, lambda, leastPivotShare, at.tiles, tileSize, at.limits];
    await arena.parallel("gramTiles", { count: paddedSize, chunk: 8, args }, signal);
    onProgress?.(1, total);

    const failed = await invertTiles(arena, layout, { signal, onBlock: (done) => onProgress?.(1 + done, total) });
    if (failed >= 0) throw tooLittleRegularization(failed, problem.regularization);
    await arena.parallel("easeScales", { count: paddedSize, chunk: 256, args: [at.tiles, tileSize, at.limits] }, signal);
    checkScales(arena.float32("limits", numItems), lambda, problem.regularization);
    const rows = arena.float32("left", tileSize * paddedSize);
    for (let block = 0; block < numBlocks; block++) {
      const args = [at.tiles, tileSize, numBlocks, block, at.limits, receiver.by === "columns" ? 1 : 0, at.left];
      await arena.parallel("easeRows", { count: tileSize / 16, chunk: 1, args }, signal);
      handOver(rows, { block, layout, numItems }, receiver);
    }
    onProgress?.(total, total);
  } finally {
    arena.dispose();
  }
}

function handOver(
  rows: Float32Array,
  { block, layout, numItems }: { block: number; layout: TileLayout; numItems: number },
  receiver: EaseReceiver,
): void {
  const { tileSize, paddedSize } = layout;
  const first = block * tileSize;
  for (let row = 0; row < tileSize && first + row < numItems; row++)
    receiver.take(first + row, rows.subarray(row * paddedSize, row * paddedSize + numItems));
}

/** 1 / P_ii, the part of item i that the others do not explain, is at least λ; less than that is rounding. */
function checkScales(scales: Float32Array, lambda: number, regularization: number): void {
  const lost = scales.findIndex((scale) => !(scale >= 0.5 * lambda && scale < Number.POSITIVE_INFINITY));
  if (lost >= 0) throw tooLittleRegularization(lost, regularization);
}

function tooLittleRegularization(item: number, regularization: number): TrainingError {
  return new TrainingError(
    `The item matrix cannot be inverted with regularization ${regularization}: nothing of item ${item} is left beside the other items.`,
    { hint: "Raise regularization: to 1 at least, to hundreds for good lists.", details: { row: item, path: "regularization" } },
  );
}

/** Nine tenths of a machine's memory, half of what a browser tells. */
function usableMemory(): number {
  const { name, memoryBytes } = kernelHost();
  return memoryBytes * (name === "node" ? 0.9 : 0.5);
}

function checkMemory(numItems: number, needed: number, limit: number): void {
  if (needed <= limit) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new KernelError(`EASE for ${numItems} items needs ${gib(needed)} of memory, of which ${gib(limit)} may be used here.`, {
    hint: "Drop items with very few interactions, keep fewer weights (topN), or use slim or item-knn.",
    details: { bytes: needed, limit },
  });
}
