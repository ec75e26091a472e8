/**
 * Alternating least squares on all cells: binding of assembly/als-cg.ts, als-cholesky.ts, als-block.ts and als-loss.ts.
 *   minimise Σ_{all u,i} w_ui (a_ui − x_uᵀy_i)² + Σ_u λ_u‖x_u − m_u‖² + Σ_i λ_i‖y_i − m_i‖²
 * observed: w = unobservedWeight + alpha·value, a = goal (1 unless given); else w = unobservedWeight, a = 0; m = prior (0 unless given)
 * (Hu, Koren, Volinsky 2008; Rendle 2021). Factors are padded with zeros to a multiple of 16 inside. Called by models/parts/als-fit.ts.
 */
import type { Csr } from "../core/interactions.js";
import { paddedFactors, ridgeByRow, unpadRows, writePaddedRows } from "./als-layout.js";
import { type AlsProblem, checkProblem, longestRow } from "./als-problem.js";
import { type Arena, type ArenaOptions, createArena } from "./arena.js";
import { computeGram, type GramBlock, gramBlocks } from "./gram.js";
import type { KernelBuild } from "./loader.js";

export { type AlsFoldIn, type AlsFoldInProblem, type AlsHistory, createAlsFoldIn } from "./als-fold-in.js";
export type { AlsProblem } from "./als-problem.js";

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
  /** New m, rows × factors, row-major; only for a side whose priors were given at the start. */
  setPriors(side: "users" | "items", priors: Float32Array): void;
  /** Copy, numUsers × factors, row-major. */
  userFactors(): Float32Array;
  /** Copy, numItems × factors, row-major. */
  itemFactors(): Float32Array;
  dispose(): void;
}

type Side = "user" | "item";
type Block = `${Side}${"Offsets" | "Indices" | "Values" | "Goals" | "Factors" | "Priors" | "Ridge"}` | GramBlock | "sums" | "ones";

const maxLossPartitions = 256;

/**
 * Copies the problem into kernel memory. Results are the same bits for any number of threads.
 * Throws KernelError when arrays do not fit each other or more than 4 GiB are needed.
 */
export async function createAlsSolver(problem: AlsProblem, options: AlsSolverOptions): Promise<AlsSolver> {
  checkProblem(problem);
  const { matrixByUser, matrixByItem, alpha, unobservedWeight, goals } = problem;
  const numUsers = matrixByUser.numRows;
  const numItems = matrixByItem.numRows;
  const factors = paddedFactors(problem.factors);
  const work = solverWork(problem, factors, options.panelCacheBytes ?? 32 * 2 ** 20);
  const arena = await createArena<Block>(
    {
      purpose: `ALS with ${problem.factors} factors for ${numUsers} users, ${numItems} items and ${matrixByUser.indices.length} pairs`,
      hint: "Use fewer factors, or drop users and items with very few interactions.",
      blocks: {
        ...sideBlocks("user", problem, factors),
        ...sideBlocks("item", problem, factors),
        ...gramBlocks(Math.max(numUsers, numItems), factors),
        sums: maxLossPartitions * 8,
        ones: 32,
      } as Record<Block, number>,
      scratchBytes: work.scratchBytes,
    },
    options,
  );
  await copySide(arena, "user", problem, factors);
  await copySide(arena, "item", problem, factors);
  arena.float32("ones", 8).fill(1);

  const at = arena.pointers;
  const rowsOf = (side: Side) => (side === "user" ? numUsers : numItems);
  const priorsOf = (side: Side) => (problem[`${side}Priors`] ? at[`${side}Priors`] : 0);
  /** The arguments that all row kernels begin with. */
  const rowArguments = (side: Side, other: Side) => [
    at[`${side}Offsets`],
    at[`${side}Indices`],
    at[`${side}Values`],
    goals ? at[`${side}Goals`] : at.ones,
    goals ? 4 : 0,
    at[`${side}Factors`],
    at[`${other}Factors`],
    at[`${side}Ridge`],
    priorsOf(side),
    unobservedWeight,
    alpha,
    factors,
  ];
  const gramOf = (side: Side, signal?: AbortSignal) =>
    computeGram(arena, { rowsPointer: at[`${side}Factors`], numRows: rowsOf(side), factors, scale: unobservedWeight }, signal);

  async function sweep(side: Side, signal?: AbortSignal): Promise<void> {
    const other = side === "user" ? "item" : "user";
    await gramOf(other, signal);
    const args = [...rowArguments(side, other), at[work.gram], ...work.args];
    await arena.parallel(work.kernel, { count: rowsOf(side), chunk: 16, args }, signal);
  }

  async function sumPartitions(kernel: string, numRows: number, args: (size: number) => number[], signal?: AbortSignal) {
    const size = Math.max(1, Math.ceil(numRows / maxLossPartitions));
    const count = Math.ceil(numRows / size);
    await arena.parallel(kernel, { count, chunk: 1, args: args(size) }, signal);
    return arena.float64("sums", count).reduce((sum, value) => sum + value, 0);
  }

  async function loss(signal?: AbortSignal): Promise<number> {
    await gramOf("item", signal);
    const userArguments = (size: number) => [...rowArguments("user", "item"), at.gramPanels, numUsers, size, at.sums];
    const itemArguments = (size: number) => [at.itemFactors, at.itemRidge, priorsOf("item"), factors, numItems, size, at.sums];
    const users = await sumPartitions("alsLoss", numUsers, userArguments, signal);
    return users + (await sumPartitions("ridgeLoss", numItems, itemArguments, signal));
  }

  const copyOut = (side: Side) => unpadRows(arena.float32(`${side}Factors`, rowsOf(side) * factors), rowsOf(side), problem.factors);
  return {
    build: arena.build,
    sweep: (side, signal) => arena.exclusive(() => sweep(side === "users" ? "user" : "item", signal)),
    loss: (signal) => arena.exclusive(() => loss(signal)),
    setPriors(sides, priors) {
      const side = sides === "users" ? "user" : "item";
      writePaddedRows(arena.float32(`${side}Priors`, rowsOf(side) * factors), priors, rowsOf(side), problem.factors);
    },
    userFactors: () => copyOut("user"),
    itemFactors: () => copyOut("item"),
    dispose: () => arena.dispose(),
  };
}

/** The kernel of a solver, the Gram layout it reads, the arguments behind it, and its working memory. */
function solverWork(problem: AlsProblem, factors: number, cacheBytes: number) {
  const longest = longestRow(problem.matrixByUser, problem.matrixByItem);
  switch (problem.solver) {
    case "cg": {
      const cachedPanels = Math.min(Math.ceil(longest / 8), Math.floor(cacheBytes / (32 * factors)));
      const scratchBytes = 12 * factors + 64 + (cachedPanels + 1) * 32 * factors;
      return { kernel: "alsCg", gram: "gramPanels", args: [problem.cgSteps, cachedPanels], scratchBytes } as const;
    }
    case "cholesky":
      return { kernel: "alsCholesky", gram: "gramRowMajor", args: [problem.factors], scratchBytes: (factors + 67) * 4 * factors } as const;
    case "ials++": {
      const width = Math.min(factors, Math.ceil((problem.blockFactors ?? 16) / 8) * 8);
      const scratchBytes = (width + 68) * 4 * width + 8 * (longest + 3);
      return { kernel: "alsBlock", gram: "gramRowMajor", args: [problem.factors, width, longest], scratchBytes } as const;
    }
  }
}

const matrixOf = (side: Side, problem: AlsProblem): Csr => (side === "user" ? problem.matrixByUser : problem.matrixByItem);

function sideBlocks(side: Side, problem: AlsProblem, factors: number) {
  const { numRows, indices } = matrixOf(side, problem);
  return {
    [`${side}Offsets`]: (numRows + 1) * 4,
    [`${side}Indices`]: indices.length * 4,
    [`${side}Values`]: indices.length * 4,
    [`${side}Goals`]: problem.goals ? indices.length * 4 : 0,
    [`${side}Factors`]: numRows * factors * 4,
    [`${side}Priors`]: problem[`${side}Priors`] ? numRows * factors * 4 : 0,
    [`${side}Ridge`]: numRows * 4,
  };
}

async function copySide(arena: Arena<Block>, side: Side, problem: AlsProblem, factors: number): Promise<void> {
  const matrix = matrixOf(side, problem);
  const { numRows } = matrix;
  await arena.copyIn(`${side}Offsets`, matrix.offsets);
  await arena.copyIn(`${side}Indices`, matrix.indices);
  await arena.copyIn(`${side}Values`, matrix.values);
  if (problem.goals) await arena.copyIn(`${side}Goals`, side === "user" ? problem.goals.byUser : problem.goals.byItem);
  writePaddedRows(arena.float32(`${side}Factors`, numRows * factors), problem[`${side}Factors`], numRows, problem.factors);
  const priors = problem[`${side}Priors`];
  if (priors) writePaddedRows(arena.float32(`${side}Priors`, numRows * factors), priors, numRows, problem.factors);
  arena.float32(`${side}Ridge`, numRows).set(ridgeByRow(matrix.offsets, matrix.numColumns, problem));
}
