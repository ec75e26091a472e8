/**
 * UltraGCN (Mao et al. 2021) by stochastic gradient descent with Adagrad by row: binding of assembly/ultra-gcn.ts.
 *   minimise Σ_{(u,i)} v_ui (w₁ + w₂β_ui) ℓ(s_ui) + Σ_{(u,i)} Σ_{j∈S(i)} ω_ij ℓ(s_uj) + (negativeWeight / negatives) Σ_{sampled j} (w₃ + w₄β_uj) ℓ(−s_uj)
 *   s_ui = e_uᵀe_i, ℓ(s) = log(1 + e⁻ˢ), β_ui = √(#u + 1) / (#u √(#i + 1)); each term adds its weight · regularization / 2 · (‖e_u‖² + ‖e_i‖²)
 * For each pair `negatives` items are drawn alike from the catalogue, seen ones too. Epochs run in the strata of rating-layout.ts: the same
 * bits for any number of threads. Called by models/ultragcn.ts.
 */
import { KernelError } from "../core/errors.js";
import type { Csr } from "../core/interactions.js";
import { createRandom, stepSeed } from "../core/random.js";
import { paddedFactors } from "./als-layout.js";
import { type ArenaOptions, createArena } from "./arena.js";
import { dealStrata, epochPlan, type RatingStrata } from "./rating-layout.js";

export interface UltraGcnWeights {
  /** w₁ and w₂ of the pairs. */
  positive: readonly [base: number, byDegree: number];
  /** w₃ and w₄, times negativeWeight. */
  negative: readonly [base: number, byDegree: number];
}

export interface UltraGcnFactors {
  /** numUsers × factors, row-major. */
  userFactors: Float32Array;
  /** numItems × factors. */
  itemFactors: Float32Array;
  /** Adagrad's sum of mean squared gradients, by row. */
  userSquares: Float32Array;
  itemSquares: Float32Array;
}

export interface UltraGcnProblem {
  /** Users × items, each pair once, with v_ui. */
  pairs: Csr;
  /** S(i) and ω by item, the weight of the constraint included. */
  links: Csr;
  /** Latent dimensions, 1 or more. */
  factors: number;
  regularization: number;
  /** Drawn for each pair, 1 or more. */
  negatives: number;
  weights: UltraGcnWeights;
  /** Decides strata, orders and draws. */
  seed: number;
  /** Copied in. */
  start: UltraGcnFactors;
  /** For tests. Default: by the number of pairs. */
  numBlocks?: number;
}

export interface UltraGcn {
  /** Runs epoch `epoch`; its randomness follows from the seed and this number. Returns the mean loss of a pair, before the steps, without λ. */
  epoch(epoch: number, learningRate: number, signal?: AbortSignal): Promise<number>;
  /** Copies. */
  factors(): UltraGcnFactors;
  dispose(): void;
}

type Side = "user" | "item";
type Block =
  | `${Side}${"Factors" | "Squares" | "Terms" | "Bounds"}`
  | "walks"
  | "offsets"
  | "items"
  | "values"
  | "links"
  | "linkItems"
  | "linkWeights"
  | "losses";

/** Throws KernelError when arrays do not fit each other or more than 4 GiB are needed. */
export async function createUltraGcn(problem: UltraGcnProblem, options: ArenaOptions): Promise<UltraGcn> {
  checkProblem(problem);
  const { pairs, factors: used, seed, start, weights, negatives } = problem;
  const { numRows: numUsers, numColumns: numItems } = pairs;
  const factors = paddedFactors(used);
  const strata = dealPairs(pairs, seed, problem.numBlocks);
  const { numBlocks, userPlaces, itemPlaces } = strata;
  const links = dealLinks(problem.links, strata);
  const arena = await createArena<Block>(
    {
      purpose: `UltraGCN with ${used} factors for ${numUsers} users, ${numItems} items and ${pairs.indices.length} pairs`,
      hint: "Use fewer factors, or drop users and items with very few interactions.",
      blocks: {
        userBounds: (numBlocks + 1) * 4,
        itemBounds: (numBlocks + 1) * 4,
        walks: numBlocks * 12,
        offsets: strata.offsets.length * 4,
        items: strata.items.length * 4,
        values: strata.items.length * 4,
        links: links.offsets.length * 4,
        linkItems: links.indices.length * 4,
        linkWeights: links.indices.length * 4,
        userTerms: numUsers * 4,
        itemTerms: numItems * 4,
        userFactors: numUsers * factors * 4,
        itemFactors: numItems * factors * 4,
        userSquares: numUsers * 4,
        itemSquares: numItems * 4,
        losses: numBlocks * numBlocks * 8,
      },
      scratchBytes: 64,
    },
    options,
  );
  const at = arena.pointers;
  arena.int32("userBounds", numBlocks + 1).set(strata.userBounds);
  arena.int32("itemBounds", numBlocks + 1).set(strata.itemBounds);
  for (const [name, source] of [
    ["offsets", strata.offsets],
    ["items", strata.items],
    ["values", strata.values],
    ["links", links.offsets],
    ["linkItems", links.indices],
    ["linkWeights", links.values],
  ] as const)
    await arena.copyIn(name, source);
  const places = { user: userPlaces, item: itemPlaces };
  for (const side of ["user", "item"] as const) {
    const rows = arena.float32(`${side}Factors`, places[side].length * factors);
    const squares = arena.float32(`${side}Squares`, places[side].length);
    places[side].forEach((place, row) => {
      rows.set(start[`${side}Factors`].subarray(row * used, (row + 1) * used), place * factors);
      squares[place] = start[`${side}Squares`][row];
    });
  }
  const degrees = degreesOf(pairs);
  userPlaces.forEach((place, user) => {
    arena.float32("userTerms", numUsers)[place] = userTerm(degrees.user[user]);
  });
  itemPlaces.forEach((place, item) => {
    arena.float32("itemTerms", numItems)[place] = itemTerm(degrees.item[item]);
  });

  async function epoch(number: number, learningRate: number, signal?: AbortSignal): Promise<number> {
    const draws = stepSeed(seed, number);
    const { shifts, walks } = epochPlan(strata, draws);
    const random = createRandom(draws ^ 0x5bd1e995);
    for (const [turn, shift] of shifts.entries()) {
      const states = arena.int32("walks", 3 * numBlocks);
      for (let block = 0; block < numBlocks; block++)
        states.set([walks[2 * block], walks[2 * block + 1], 1 + random.integer(2 ** 31 - 1)], 3 * block);
      const args = [at.userBounds, at.walks, at.offsets, at.items, at.values, at.links, at.linkItems, at.linkWeights, at.itemBounds];
      args.push(at.userTerms, at.itemTerms, at.userFactors, at.itemFactors, at.userSquares, at.itemSquares);
      args.push(at.losses + turn * numBlocks * 8, factors, used, numUsers, numItems, numBlocks, shift, learningRate);
      const share = 1 / negatives;
      args.push(problem.regularization, negatives, ...weights.positive, ...weights.negative.map((weight) => weight * share));
      await arena.parallel("ultraGcn", { count: numBlocks, chunk: 1, args }, signal);
    }
    const loss = arena.float64("losses", numBlocks * numBlocks).reduce((sum, value) => sum + value, 0);
    return loss / Math.max(1, pairs.indices.length);
  }

  const rowsOf = (side: Side) => {
    const source = arena.float32(`${side}Factors`, places[side].length * factors);
    const rows = new Float32Array(places[side].length * used);
    places[side].forEach((place, row) => {
      rows.set(source.subarray(place * factors, place * factors + used), row * used);
    });
    return rows;
  };
  const squaresOf = (side: Side) => {
    const source = arena.float32(`${side}Squares`, places[side].length);
    return Float32Array.from(places[side], (place) => source[place]);
  };
  return {
    epoch: (number, learningRate, signal) => arena.exclusive(() => epoch(number, learningRate, signal)),
    factors: () => ({
      userFactors: rowsOf("user"),
      itemFactors: rowsOf("item"),
      userSquares: squaresOf("user"),
      itemSquares: squaresOf("item"),
    }),
    dispose: () => arena.dispose(),
  };
}

/** β_ui = userTerm(#u) · itemTerm(#i). */
export const userTerm = (degree: number): number => (degree > 0 ? Math.sqrt(degree + 1) / degree : 0);
export const itemTerm = (degree: number): number => 1 / Math.sqrt(degree + 1);

/** Pairs of each user and each item. */
export function degreesOf({ numRows, numColumns, offsets, indices }: Csr): { user: Int32Array; item: Int32Array } {
  const item = new Int32Array(numColumns);
  for (const column of indices) item[column]++;
  return { user: Int32Array.from({ length: numRows }, (_, row) => offsets[row + 1] - offsets[row]), item };
}

/** The strata of the pairs. */
export function dealPairs(pairs: Csr, seed: number, numBlocks?: number): RatingStrata {
  const { numRows: numUsers, numColumns: numItems, offsets, indices, values } = pairs;
  const userIndex = new Int32Array(indices.length);
  for (let user = 0; user < numUsers; user++) userIndex.fill(user, offsets[user], offsets[user + 1]);
  return dealStrata({ numUsers, numItems, userIndex, itemIndex: indices, values }, seed, numBlocks);
}

/** For each block of items and each item's place, the places in that block of S(i), by place, and their ω. */
function dealLinks(links: Csr, { numBlocks, itemPlaces, itemBounds }: RatingStrata): Csr {
  const { numRows } = links;
  const itemAt = new Int32Array(numRows);
  itemPlaces.forEach((place, item) => {
    itemAt[place] = item;
  });
  const offsets = new Int32Array(numBlocks * (numRows + 1));
  const indices: number[] = [];
  const values: number[] = [];
  for (let block = 0; block < numBlocks; block++) {
    for (let place = 0; place <= numRows; place++) {
      offsets[block * (numRows + 1) + place] = indices.length;
      if (place === numRows) break;
      for (let e = links.offsets[itemAt[place]]; e < links.offsets[itemAt[place] + 1]; e++) {
        const other = itemPlaces[links.indices[e]];
        if (other < itemBounds[block] || other >= itemBounds[block + 1]) continue;
        indices.push(other);
        values.push(links.values[e]);
      }
    }
  }
  return { numRows, numColumns: numRows, offsets, indices: Int32Array.from(indices), values: Float32Array.from(values) };
}

function checkProblem({ pairs, links, factors, negatives, start }: UltraGcnProblem): void {
  const fail = (message: string) => {
    throw new KernelError(`UltraGCN cannot start: ${message}.`, {
      hint: "Pass the pairs, links of their items, and factors of their sizes.",
    });
  };
  if (!(Number.isInteger(factors) && factors >= 1)) fail(`factors is ${factors}, not a whole number from 1 on`);
  if (!(negatives >= 1)) fail(`negatives is ${negatives}, not a number from 1 on`);
  if (links.numRows !== pairs.numColumns) fail(`links has ${links.numRows} rows for ${pairs.numColumns} items`);
  for (const [name, array, length] of [
    ["userFactors", start.userFactors, pairs.numRows * factors],
    ["itemFactors", start.itemFactors, pairs.numColumns * factors],
    ["userSquares", start.userSquares, pairs.numRows],
    ["itemSquares", start.itemSquares, pairs.numColumns],
  ] as const)
    if (array.length !== length) fail(`${name} has ${array.length} values, but ${length} are needed`);
}
