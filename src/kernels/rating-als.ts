/**
 * Alternating least squares on observed ratings with biases: binding of assembly/rating-als.ts.
 *   minimise Σ (r − b_u − b_i − p_uᵀq_i)² + Σ λ_u(‖p_u‖² + b_u²) + Σ λ_i(‖q_i‖² + b_i²), λ_r = regularization · #r^regularizationExponent
 * Zhou et al. (2008). A sweep solves each row of one side together with its bias. Called by models/parts/rating-als-fit.ts.
 */
import { KernelError } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";
import { type ArenaOptions, createArena } from "./arena.js";
import type { RatingFactors } from "./rating-sgd.js";

export interface RatingAlsProblem {
  /** Standardised ratings by user, one entry per event. Copied in. */
  byUser: Csr;
  /** The same events by item. */
  byItem: Csr;
  /** Latent dimensions, 1 or more. */
  factors: number;
  regularization: number;
  regularizationExponent: number;
  /** Item factors and both biases are read; the first sweep is over users. */
  start: RatingFactors;
}

export interface RatingAls {
  /** Updates one side; rows without events become 0. */
  sweep(side: "user" | "item", signal?: AbortSignal): Promise<void>;
  /** √(mean e²) of the present factors, summed in float64. */
  error(signal?: AbortSignal): Promise<number>;
  /** Copies. */
  factors(): RatingFactors;
  dispose(): void;
}

type Side = "user" | "item";
type Block = `${Side}${"Offsets" | "Indices" | "Values" | "Factors" | "Bias" | "Ridge"}` | "sums";

const maxPartitions = 256;

/** Throws KernelError when arrays do not fit each other or more than 4 GiB are needed. */
export async function createRatingAls(problem: RatingAlsProblem, options: ArenaOptions): Promise<RatingAls> {
  checkProblem(problem);
  const { byUser, byItem, factors: used, start } = problem;
  const factors = Math.ceil((used + 1) / 16) * 16; // room for the bias among the unknowns
  const matrices = { user: byUser, item: byItem };
  const arena = await createArena<Block>(
    {
      purpose: `Rating ALS with ${used} factors for ${byUser.numRows} users, ${byItem.numRows} items and ${byUser.indices.length} ratings`,
      hint: "Use fewer factors, or drop users and items with very few ratings.",
      blocks: { ...sideBlocks("user", byUser, factors), ...sideBlocks("item", byItem, factors), sums: maxPartitions * 8 } as Record<
        Block,
        number
      >,
      scratchBytes: (factors + 68) * 4 * factors,
    },
    options,
  );
  for (const side of ["user", "item"] as const) {
    const matrix = matrices[side];
    await arena.copyIn(`${side}Offsets`, matrix.offsets);
    await arena.copyIn(`${side}Indices`, matrix.indices);
    await arena.copyIn(`${side}Values`, matrix.values);
    arena.float32(`${side}Bias`, matrix.numRows).set(start[`${side}Bias`]);
    const rows = arena.float32(`${side}Factors`, matrix.numRows * factors);
    for (let row = 0; row < matrix.numRows; row++) rows.set(start[`${side}Factors`].subarray(row * used, (row + 1) * used), row * factors);
    const ridge = arena.float32(`${side}Ridge`, matrix.numRows);
    for (let row = 0; row < matrix.numRows; row++)
      ridge[row] = problem.regularization * (matrix.offsets[row + 1] - matrix.offsets[row]) ** problem.regularizationExponent;
  }
  const at = arena.pointers;

  async function sweep(side: Side, signal?: AbortSignal): Promise<void> {
    const other = side === "user" ? "item" : "user";
    const args = [at[`${side}Offsets`], at[`${side}Indices`], at[`${side}Values`], at[`${side}Factors`], at[`${side}Bias`]];
    args.push(at[`${other}Factors`], at[`${other}Bias`], at[`${side}Ridge`], factors, used);
    await arena.parallel("ratingAls", { count: matrices[side].numRows, chunk: 8, args }, signal);
  }

  async function error(signal?: AbortSignal): Promise<number> {
    const { numRows } = byUser;
    const size = Math.max(1, Math.ceil(numRows / maxPartitions));
    const count = Math.ceil(numRows / size);
    const args = [at.userOffsets, at.userIndices, at.userValues, at.userFactors, at.userBias, at.itemFactors, at.itemBias];
    await arena.parallel("ratingErrors", { count, chunk: 1, args: [...args, factors, numRows, size, at.sums] }, signal);
    return Math.sqrt(arena.float64("sums", count).reduce((sum, value) => sum + value, 0) / byUser.indices.length);
  }

  const rowsOf = (side: Side) => {
    const { numRows } = matrices[side];
    const rows = new Float32Array(numRows * used);
    const padded = arena.float32(`${side}Factors`, numRows * factors);
    for (let row = 0; row < numRows; row++) rows.set(padded.subarray(row * factors, row * factors + used), row * used);
    return rows;
  };
  return {
    sweep: (side, signal) => arena.exclusive(() => sweep(side, signal)),
    error: (signal) => arena.exclusive(() => error(signal)),
    factors: () => ({
      userFactors: rowsOf("user"),
      itemFactors: rowsOf("item"),
      userBias: arena.float32("userBias", byUser.numRows).slice(),
      itemBias: arena.float32("itemBias", byItem.numRows).slice(),
    }),
    dispose: () => arena.dispose(),
  };
}

function sideBlocks(side: Side, { numRows, indices }: Csr, factors: number) {
  return {
    [`${side}Offsets`]: (numRows + 1) * 4,
    [`${side}Indices`]: indices.length * 4,
    [`${side}Values`]: indices.length * 4,
    [`${side}Factors`]: numRows * factors * 4,
    [`${side}Bias`]: numRows * 4,
    [`${side}Ridge`]: numRows * 4,
  };
}

function checkProblem({ byUser, byItem, factors, start, ...numbers }: RatingAlsProblem): void {
  const fail = (message: string) => {
    throw new KernelError(`Rating ALS cannot start: ${message}.`, {
      hint: "Pass the events by user and by item, and factors of their sizes.",
    });
  };
  if (!(Number.isInteger(factors) && factors >= 1)) fail(`factors is ${factors}, not a whole number from 1 on`);
  if (byUser.numRows !== byItem.numColumns || byUser.numColumns !== byItem.numRows || byUser.indices.length !== byItem.indices.length)
    fail("byItem does not hold the events of byUser");
  for (const [name, array, length] of [
    ["userFactors", start.userFactors, byUser.numRows * factors],
    ["itemFactors", start.itemFactors, byItem.numRows * factors],
    ["userBias", start.userBias, byUser.numRows],
    ["itemBias", start.itemBias, byItem.numRows],
  ] as const)
    if (array.length !== length) fail(`${name} has ${array.length} values, but ${length} are needed`);
  for (const name of ["regularization", "regularizationExponent"] as const)
    if (!(numbers[name] >= 0 && numbers[name] < Infinity)) fail(`${name} is ${numbers[name]}, not a number from 0 on`);
}
