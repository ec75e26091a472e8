/**
 * Alternating least squares on implicit feedback: binding of assembly/als-cg.ts, als-cholesky.ts and als-loss.ts.
 *   minimise Σ_{all u,i} w_ui (a_ui − x_uᵀy_i)² + Σ_u λ_u‖x_u‖² + Σ_i λ_i‖y_i‖²
 * observed: a = 1, w = unobservedWeight + alpha·weight; else a = 0, w = unobservedWeight (Hu, Koren, Volinsky 2008; Rendle 2021).
 * Factors are padded with zeros to a multiple of 16 inside. Called by models/als.ts.
 */
import { KernelError } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";
import { paddedFactors, ridgeByRow, unpadRows, writePaddedRows } from "./als-layout.js";
import { type Arena, type ArenaOptions, createArena } from "./arena.js";
import { computeGram, type GramBlock, gramBlocks } from "./gram.js";
import type { KernelBuild } from "./loader.js";

export { type AlsFoldIn, type AlsFoldInProblem, createAlsFoldIn } from "./als-fold-in.js";

export interface AlsProblem {
  /** Users × items; entries of a row ascend by item, each pair once. Copied in. */
  matrixByUser: Csr;
  /** Its transpose. */
  matrixByItem: Csr;
  /** Latent dimensions, 1 or more. */
  factors: number;
  /** Extra weight of an observed pair per unit of its value, ≥ 0. */
  alpha: number;
  /** Weight of every unobserved pair (α₀), ≥ 0. */
  unobservedWeight: number;
  /** λ, ≥ 0. */
  regularization: number;
  /** ν: λ_u = λ·(#u + unobservedWeight·numItems)^ν, λ_i likewise; 0 = the same λ for all. */
  regularizationExponent: number;
  /** `cg` takes `cgSteps` conjugate gradient steps from the present factors, `cholesky` solves each row exactly. */
  solver: "cg" | "cholesky";
  cgSteps: number;
  /** Initial values, numUsers × factors, row-major. Copied in. */
  userFactors: Float32Array;
  /** Initial values, numItems × factors, row-major. Copied in. */
  itemFactors: Float32Array;
}

export interface AlsSolverOptions extends ArenaOptions {
  /** Most bytes per thread for the gathered factor rows of one user or item; longer rows are gathered again in every step. Default 32 MiB. */
  panelCacheBytes?: number;
}

export interface AlsSolver {
  readonly build: KernelBuild;
  /** Updates all rows of one side. Rows without entries become 0. After CancelledError some rows are updated and some not; all are finite. */
  sweep(side: "users" | "items", signal?: AbortSignal): Promise<void>;
  /** The objective above, summed in float64; costs about a quarter of a sweep. */
  loss(signal?: AbortSignal): Promise<number>;
  /** Copy, numUsers × factors, row-major. */
  userFactors(): Float32Array;
  /** Copy, numItems × factors, row-major. */
  itemFactors(): Float32Array;
  dispose(): void;
}

type Side = "user" | "item";
type Block = `${Side}${"Offsets" | "Indices" | "Values" | "Factors" | "Ridge"}` | GramBlock | "sums";

const maxLossPartitions = 256;

/**
 * Copies the problem into kernel memory. Results are the same bits for any number of threads.
 * Throws KernelError when arrays do not fit each other or more than 4 GiB are needed.
 */
export async function createAlsSolver(problem: AlsProblem, options: AlsSolverOptions): Promise<AlsSolver> {
  checkProblem(problem);
  const { matrixByUser, matrixByItem, alpha, unobservedWeight } = problem;
  const numUsers = matrixByUser.numRows;
  const numItems = matrixByItem.numRows;
  const factors = paddedFactors(problem.factors);
  const cachedPanels = panelsToCache(matrixByUser, matrixByItem, factors, options.panelCacheBytes ?? 32 * 2 ** 20);
  const arena = await createArena<Block>(
    {
      purpose: `ALS with ${problem.factors} factors for ${numUsers} users, ${numItems} items and ${matrixByUser.indices.length} pairs`,
      hint: "Use fewer factors, or drop users and items with very few interactions.",
      blocks: {
        ...sideBlocks("user", matrixByUser, factors),
        ...sideBlocks("item", matrixByItem, factors),
        ...gramBlocks(Math.max(numUsers, numItems), factors),
        sums: maxLossPartitions * 8,
      } as Record<Block, number>,
      scratchBytes: problem.solver === "cg" ? 12 * factors + 64 + (cachedPanels + 1) * 32 * factors : (factors + 67) * 4 * factors,
    },
    options,
  );
  await copySide(arena, "user", matrixByUser, problem, factors);
  await copySide(arena, "item", matrixByItem, problem, factors);

  const at = arena.pointers;
  const rowsOf = (side: Side) => (side === "user" ? numUsers : numItems);
  const rowArguments = (side: Side, other: Side) => [
    at[`${side}Offsets`],
    at[`${side}Indices`],
    at[`${side}Values`],
    at[`${side}Factors`],
    at[`${other}Factors`],
    at[`${side}Ridge`],
  ];
  const gramOf = (side: Side, signal?: AbortSignal) =>
    computeGram(arena, { rowsPointer: at[`${side}Factors`], numRows: rowsOf(side), factors, scale: unobservedWeight }, signal);

  async function sweep(side: Side, signal?: AbortSignal): Promise<void> {
    const other = side === "user" ? "item" : "user";
    await gramOf(other, signal);
    const work = { count: rowsOf(side), chunk: 16 };
    if (problem.solver === "cg") {
      const args = [...rowArguments(side, other), at.gramPanels, factors, problem.cgSteps, unobservedWeight, alpha, cachedPanels];
      await arena.parallel("alsCg", { ...work, args }, signal);
    } else {
      const args = [...rowArguments(side, other), at.gramRowMajor, factors, problem.factors, unobservedWeight, alpha];
      await arena.parallel("alsCholesky", { ...work, args }, signal);
    }
  }

  async function sumPartitions(kernel: string, numRows: number, args: (size: number) => number[], signal?: AbortSignal) {
    const size = Math.max(1, Math.ceil(numRows / maxLossPartitions));
    const count = Math.ceil(numRows / size);
    await arena.parallel(kernel, { count, chunk: 1, args: args(size) }, signal);
    return arena.float64("sums", count).reduce((sum, value) => sum + value, 0);
  }

  async function loss(signal?: AbortSignal): Promise<number> {
    await gramOf("item", signal);
    const userArguments = (size: number) => [
      ...rowArguments("user", "item"),
      at.gramPanels,
      factors,
      numUsers,
      size,
      unobservedWeight,
      alpha,
      at.sums,
    ];
    const itemArguments = (size: number) => [at.itemFactors, at.itemRidge, factors, numItems, size, at.sums];
    const users = await sumPartitions("alsLoss", numUsers, userArguments, signal);
    return users + (await sumPartitions("ridgeLoss", numItems, itemArguments, signal));
  }

  const copyOut = (side: Side) => unpadRows(arena.float32(`${side}Factors`, rowsOf(side) * factors), rowsOf(side), problem.factors);
  return {
    build: arena.build,
    sweep: (side, signal) => arena.exclusive(() => sweep(side === "users" ? "user" : "item", signal)),
    loss: (signal) => arena.exclusive(() => loss(signal)),
    userFactors: () => copyOut("user"),
    itemFactors: () => copyOut("item"),
    dispose: () => arena.dispose(),
  };
}

function sideBlocks(side: Side, { numRows, indices }: Csr, factors: number) {
  return {
    [`${side}Offsets`]: (numRows + 1) * 4,
    [`${side}Indices`]: indices.length * 4,
    [`${side}Values`]: indices.length * 4,
    [`${side}Factors`]: numRows * factors * 4,
    [`${side}Ridge`]: numRows * 4,
  };
}

async function copySide(arena: Arena<Block>, side: Side, matrix: Csr, problem: AlsProblem, factors: number): Promise<void> {
  await arena.copyIn(`${side}Offsets`, matrix.offsets);
  await arena.copyIn(`${side}Indices`, matrix.indices);
  await arena.copyIn(`${side}Values`, matrix.values);
  const target = arena.float32(`${side}Factors`, matrix.numRows * factors);
  writePaddedRows(target, side === "user" ? problem.userFactors : problem.itemFactors, matrix.numRows, problem.factors);
  arena.float32(`${side}Ridge`, matrix.numRows).set(ridgeByRow(matrix.offsets, matrix.numColumns, problem));
}

/** Enough panels of 8 rows for the longest row of either side, within the given bytes. */
function panelsToCache(byUser: Csr, byItem: Csr, factors: number, bytes: number): number {
  let longest = 0;
  for (const { offsets, numRows } of [byUser, byItem])
    for (let row = 0; row < numRows; row++) longest = Math.max(longest, offsets[row + 1] - offsets[row]);
  return Math.min(Math.ceil(longest / 8), Math.floor(bytes / (32 * factors)));
}

function checkProblem({ matrixByUser: byUser, matrixByItem: byItem, factors, userFactors, itemFactors, ...numbers }: AlsProblem): void {
  const fail = (message: string) => {
    throw new KernelError(`ALS cannot start: ${message}.`, {
      hint: "Pass the matrix of the data, its transpose, and factors of their sizes.",
    });
  };
  if (!(Number.isInteger(factors) && factors >= 1)) fail(`factors is ${factors}, not a whole number from 1 on`);
  if (byUser.numRows !== byItem.numColumns || byUser.numColumns !== byItem.numRows || byUser.indices.length !== byItem.indices.length)
    fail("matrixByItem is not the transpose of matrixByUser");
  for (const [name, array, rows] of [
    ["userFactors", userFactors, byUser.numRows],
    ["itemFactors", itemFactors, byItem.numRows],
  ] as const)
    if (array.length !== rows * factors) fail(`${name} has ${array.length} values, but ${rows} × ${factors} are needed`);
  for (const name of ["alpha", "unobservedWeight", "regularization", "regularizationExponent"] as const)
    if (!(numbers[name] >= 0 && numbers[name] < Infinity)) fail(`${name} is ${numbers[name]}, not a number from 0 on`);
  if (numbers.solver === "cg" && !(numbers.cgSteps >= 1)) fail(`cgSteps is ${numbers.cgSteps}, not a whole number from 1 on`);
}
