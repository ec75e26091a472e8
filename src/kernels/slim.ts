/**
 * Item weights of SLIM (Ning & Karypis 2011): binding of assembly/item-gram.ts and slim.ts.
 *   min_W ½‖X − XW‖² + ½ λ₂‖W‖² + λ₁‖W‖₁,  W_ii = 0, W ≥ 0 where asked for
 * Each column is solved by itself on the sparse Gram matrix XᵀX: 8 bytes for each pair of items that share a user.
 * X is divided by a power of two near its largest value (both λ by its square), which changes no weight. Called by models/slim.ts.
 */
import { throwIfCancelled } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";
import { type Arena, type ArenaOptions, createArena } from "./arena.js";
import { largestValue, powerOfTwoBelow, scaledValues } from "./value-scale.js";

export interface SlimProblem {
  /** Users × items, no value below 0; columns of a row ascend. Copied in. */
  matrixByUser: Csr;
  /** Its transpose. */
  matrixByItem: Csr;
  /** Take every entry as 1 and leave `values` alone. */
  binary: boolean;
  /** λ₂, ≥ 0. */
  regularization: number;
  /** λ₁, ≥ 0. */
  l1Regularization: number;
  nonNegative: boolean;
  /** Most items that may get a weight in one column: those that correlate most with its item. At least 1. */
  candidates: number;
  /** Weights kept for each item, the largest. At least 1. */
  topN: number;
  /** A column is done when no weight moves by this much in a sweep over all candidates, or after `sweeps`. */
  tolerance: number;
  sweeps: number;
}

/** Row i: the items whose weights make up column i of W, largest first; −1 where there are fewer. numItems × topN, row-major. */
export interface SlimLists {
  items: Int32Array;
  weights: Float32Array;
}

export interface SlimOptions extends ArenaOptions {
  signal?: AbortSignal;
  /** The lists of items before `from` are taken from here. */
  resume?: { from: number; lists: SlimLists };
  /** After each part of the items, with the lists so far: rows before `done` are final. */
  onItems?: (done: number, lists: () => SlimLists) => Promise<void>;
}

/** Items per part: a whole number of chunks, some tenths of a second where items have many neighbours. */
export const slimPart = 256;

type MatrixBlock = "userOffsets" | "userItems" | "userValues" | "itemOffsets" | "itemUsers" | "itemValues";

/** The same bits for any number of threads. Throws KernelError, naming the size, when more than 4 GiB are needed. */
export async function solveSlim(problem: SlimProblem, options: SlimOptions): Promise<SlimLists> {
  const { matrixByItem, topN, binary } = problem;
  const { signal, resume, onItems } = options;
  const numItems = matrixByItem.numRows;
  const offsets = await gramOffsets(problem, options);
  const entries = offsets[numItems];
  const candidates = Math.max(1, Math.min(problem.candidates, numItems - 1));
  const padded = Math.ceil(candidates / 16) * 16;
  const arena = await createArena<MatrixBlock | "offsets" | "indices" | "values" | "diagonal" | "lists">(
    {
      purpose: `SLIM for ${numItems} items, of which ${entries} pairs share a user,`,
      hint: "Drop items or users with very few interactions, lower candidates, or use item-knn.",
      blocks: {
        ...matrixBlocks(problem, true),
        offsets: offsets.length * 4,
        indices: entries * 4,
        values: entries * 4,
        diagonal: numItems * 4,
        lists: numItems * topN * 8,
      },
      scratchBytes: (Math.ceil(numItems / 16) * 16 + 5 * padded + 2 * Math.max(candidates, topN) + candidates * padded) * 4,
    },
    options,
  );
  try {
    const scale = binary ? 1 : powerOfTwoBelow(largestValue(matrixByItem.values));
    await copyMatrix(arena, problem, binary ? undefined : 1 / scale);
    await arena.copyIn("offsets", offsets);
    const at = arena.pointers;
    const matrix = [at.userOffsets, at.userItems, binary ? 0 : at.userValues, at.itemOffsets, at.itemUsers, binary ? 0 : at.itemValues];
    const gram = [at.offsets, at.indices, at.values, at.diagonal];
    await arena.parallel("gramRows", { count: numItems, chunk: 8, args: [...matrix, numItems, ...gram] }, signal);

    const pairs = { weights: arena.float32("lists", numItems * topN * 2), items: arena.int32("lists", numItems * topN * 2) };
    if (resume) {
      for (let place = 0; place < resume.from * topN; place++) {
        pairs.weights[2 * place] = resume.lists.weights[place];
        pairs.items[2 * place + 1] = resume.lists.items[place];
      }
    }
    const lists = (): SlimLists => ({
      weights: Float32Array.from({ length: numItems * topN }, (_, place) => pairs.weights[2 * place]),
      items: Int32Array.from({ length: numItems * topN }, (_, place) => pairs.items[2 * place + 1]),
    });
    const penalties = [problem.l1Regularization / scale / scale, problem.regularization / scale / scale].map(Math.fround);
    const rules = [candidates, ...penalties, problem.nonNegative ? 1 : 0, problem.tolerance, problem.sweeps, at.lists, topN];
    for (let begin = resume?.from ?? 0; begin < numItems; begin += slimPart) {
      throwIfCancelled(signal);
      const count = Math.min(slimPart, numItems - begin);
      await arena.parallel("slimItems", { count, chunk: 2, args: [begin, ...gram, numItems, ...rules] }, signal);
      await onItems?.(begin + count, lists);
    }
    return lists();
  } finally {
    arena.dispose();
  }
}

/** Where the rows of XᵀX begin as CSR. */
async function gramOffsets(problem: SlimProblem, options: SlimOptions): Promise<Int32Array> {
  const numItems = problem.matrixByItem.numRows;
  const arena = await createArena<MatrixBlock | "counts">(
    {
      purpose: `SLIM for ${numItems} items and ${problem.matrixByUser.indices.length} pairs`,
      hint: "Drop items or users with very few interactions.",
      blocks: { ...matrixBlocks(problem, false), counts: numItems * 4 },
      scratchBytes: numItems * 4,
    },
    options,
  );
  try {
    await copyMatrix(arena, problem, undefined);
    const { userOffsets, userItems, itemOffsets, itemUsers, counts } = arena.pointers;
    const args = [userOffsets, userItems, itemOffsets, itemUsers, counts];
    await arena.parallel("gramRowCounts", { count: numItems, chunk: 8, args }, options.signal);
    const offsets = new Int32Array(numItems + 1);
    const rows = arena.int32("counts", numItems);
    for (let item = 0; item < numItems; item++) offsets[item + 1] = Math.min(2 ** 31 - 1, offsets[item] + rows[item]); // beyond any memory
    return offsets;
  } finally {
    arena.dispose();
  }
}

function matrixBlocks({ matrixByUser, matrixByItem, binary }: SlimProblem, withValues: boolean): Record<MatrixBlock, number> {
  const pairs = matrixByUser.indices.length * 4;
  const values = binary || !withValues ? 0 : pairs;
  return {
    userOffsets: matrixByUser.offsets.length * 4,
    userItems: pairs,
    userValues: values,
    itemOffsets: matrixByItem.offsets.length * 4,
    itemUsers: pairs,
    itemValues: values,
  };
}

async function copyMatrix(arena: Arena<MatrixBlock>, { matrixByUser, matrixByItem }: SlimProblem, factor: number | undefined) {
  await arena.copyIn("userOffsets", matrixByUser.offsets);
  await arena.copyIn("userItems", matrixByUser.indices);
  await arena.copyIn("itemOffsets", matrixByItem.offsets);
  await arena.copyIn("itemUsers", matrixByItem.indices);
  if (factor === undefined) return;
  await arena.copyIn("userValues", scaledValues(matrixByUser.values, factor));
  await arena.copyIn("itemValues", scaledValues(matrixByItem.values, factor));
}
