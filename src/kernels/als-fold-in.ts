/**
 * ALS fold-in: the row of a user unknown at training time, solved exactly against fixed item factors by the kernel that trains
 * (assembly/als-cholesky.ts), so a training user's history gives the bits of the last exact user sweep.
 * Called by models/als.ts for queries with a history.
 */
import { KernelError } from "../core/errors.js";
import { paddedFactors, ridgeByRow, unpadRows, writePaddedRows } from "./als-layout.js";
import { type ArenaOptions, createArena } from "./arena.js";
import { computeGram, type GramBlock, gramBlocks } from "./gram.js";

export interface AlsFoldInProblem {
  /** numItems × factors, row-major. Copied in. */
  itemFactors: Float32Array;
  numItems: number;
  factors: number;
  alpha: number;
  unobservedWeight: number;
  regularization: number;
  regularizationExponent: number;
  /** Items left out of YᵀY: those whose vectors are no result of the sweeps. Their vectors still count in a history. */
  coldItems?: Int32Array;
}

export interface AlsHistory {
  /** Items in any order; weights of a repeated one are added. With `goals`, ascending and each once. */
  indices: Int32Array;
  weights: Float32Array;
  /** a of each item; 1 when absent. */
  goals?: Float32Array;
  /** m of the row, `factors` long; 0 when absent. */
  prior?: Float32Array;
}

export interface AlsFoldIn {
  /** Writes histories.length × factors into `out`, row-major; an empty history gives zeros. Throws KernelError on an item out of range. */
  encode(histories: readonly AlsHistory[], out: Float32Array): Promise<void>;
  /** unobservedWeight · YᵀY as the solves use it, factors × factors, row-major; a copy. */
  gram(): Float32Array;
  dispose(): void;
}

type Block = "itemFactors" | "offsets" | "indices" | "values" | "goals" | "rows" | "priors" | "ridge" | GramBlock;

const rowsPerBatch = 1024;
const leastEntries = 2 ** 16;
/** Multiply-adds up to which a batch is solved on the calling thread: about a millisecond. */
const inlineWork = 2e6;

/** Keeps a copy of the item factors and their Gram matrix. Runs small batches on the calling thread, larger ones in a thread. */
export async function createAlsFoldIn(problem: AlsFoldInProblem, options: Partial<ArenaOptions> = {}): Promise<AlsFoldIn> {
  const { numItems, alpha, unobservedWeight, coldItems = new Int32Array(0) } = problem;
  const factors = paddedFactors(problem.factors);
  const maxEntries = Math.max(leastEntries, numItems);
  if (problem.itemFactors.length !== numItems * problem.factors)
    throw new KernelError(`ALS fold-in: itemFactors has ${problem.itemFactors.length} values, not ${numItems} × ${problem.factors}.`);
  const arena = await createArena<Block>(
    {
      purpose: `ALS fold-in with ${problem.factors} factors for ${numItems} items`,
      hint: "Use fewer factors or fewer items.",
      blocks: {
        itemFactors: numItems * factors * 4,
        offsets: (rowsPerBatch + 1) * 4,
        indices: maxEntries * 4,
        values: maxEntries * 4,
        goals: maxEntries * 4,
        rows: rowsPerBatch * factors * 4,
        priors: rowsPerBatch * factors * 4,
        ridge: rowsPerBatch * 4,
        ...gramBlocks(numItems, factors),
      },
      scratchBytes: (factors + 67) * 4 * factors,
    },
    { threads: 1, ...options },
  );
  const at = arena.pointers;
  const writeItems = () =>
    writePaddedRows(arena.float32("itemFactors", numItems * factors), problem.itemFactors, numItems, problem.factors);
  writeItems();
  for (const item of coldItems) arena.float32("itemFactors", numItems * factors).fill(0, item * factors, (item + 1) * factors);
  await computeGram(arena, { rowsPointer: at.itemFactors, numRows: numItems, factors, scale: unobservedWeight });
  if (coldItems.length > 0) writeItems();

  async function encodeBatch(histories: readonly AlsHistory[], out: Float32Array): Promise<void> {
    const count = histories.length;
    const offsets = arena.int32("offsets", count + 1);
    const indices = arena.int32("indices", maxEntries);
    const values = arena.float32("values", maxEntries);
    const goals = arena.float32("goals", maxEntries);
    const priors = arena.float32("priors", count * factors).fill(0);
    offsets[0] = 0;
    histories.forEach((history, row) => {
      const begin = offsets[row];
      offsets[row + 1] = begin + history.indices.length;
      indices.set(history.indices, begin);
      values.set(history.weights, begin);
      if (history.goals) goals.set(history.goals, begin);
      else goals.fill(1, begin, offsets[row + 1]);
      if (history.prior) priors.set(history.prior, row * factors);
    });
    arena.float32("ridge", count).set(ridgeByRow(offsets, numItems, problem));
    const anyPrior = histories.some(({ prior }) => prior);
    const args = [at.offsets, at.indices, at.values, at.goals, 4, at.rows, at.itemFactors, at.ridge, anyPrior ? at.priors : 0];
    args.push(unobservedWeight, alpha, factors, at.gramRowMajor, problem.factors);
    const work = count * factors ** 3 * (1 / 6) + offsets[count] * factors ** 2 * (1 / 2);
    if (work <= inlineWork) arena.runHere("alsCholesky", { count, args });
    else await arena.parallel("alsCholesky", { count, chunk: 4, args });
    out.set(unpadRows(arena.float32("rows", count * factors), count, problem.factors));
  }

  return {
    async encode(histories, out) {
      const ordered = histories.map((history) => orderedHistory(history, numItems));
      for (let begin = 0; begin < ordered.length; ) {
        let end = begin;
        for (let entries = 0; end < ordered.length && end - begin < rowsPerBatch; end++) {
          entries += ordered[end].indices.length;
          if (entries > maxEntries) break;
        }
        const target = out.subarray(begin * problem.factors, end * problem.factors);
        const batch = ordered.slice(begin, end);
        await arena.exclusive(() => encodeBatch(batch, target));
        begin = end;
      }
    },
    gram() {
      const { factors: used } = problem;
      const padded = arena.float32("gramRowMajor", factors * factors);
      return Float32Array.from({ length: used * used }, (_, k) => padded[Math.floor(k / used) * factors + (k % used)]);
    },
    dispose: () => arena.dispose(),
  };
}

/** Items ascending, each once, as in a training matrix. */
function orderedHistory(history: AlsHistory, numItems: number): AlsHistory {
  const { indices, weights, goals, prior } = history;
  let ascending = true;
  for (let k = 0; k < indices.length; k++) {
    if (!(indices[k] >= 0 && indices[k] < numItems))
      throw new KernelError(`ALS fold-in: item ${indices[k]} is outside [0, ${numItems}).`, {
        hint: "Histories hold item indexes of the model.",
      });
    if (k > 0 && indices[k] <= indices[k - 1]) ascending = false;
  }
  if (ascending) return history;
  if (goals) throw new KernelError("ALS fold-in: items with goals must ascend.", { hint: "Sort the items and name each once." });
  const weightOf = new Map<number, number>();
  for (let k = 0; k < indices.length; k++) weightOf.set(indices[k], (weightOf.get(indices[k]) ?? 0) + weights[k]);
  const items = Int32Array.from(weightOf.keys()).sort();
  return { indices: items, weights: Float32Array.from(items, (item) => weightOf.get(item)!), prior };
}
