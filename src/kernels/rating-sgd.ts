/**
 * Stochastic gradient descent on ratings, with or without implicit factors (svd++): binding of assembly/rating-sgd.ts.
 *   minimise Σ (r − b_u − b_i − q_iᵀ(p_u + #u^(−½) Σ_j y_j))² + Σ λ_u(‖p_u‖² + b_u²) + Σ λ_i(‖q_i‖² + b_i²) + Σ λ'_j‖y_j‖²
 *   λ_r = regularization · #r^regularizationExponent, spread evenly over the events of the row; λ' with implicitRegularization
 * Koren (2008). An epoch runs in strata (rating-layout.ts), hence gives the same bits for any number of threads.
 * Rows without events are as they were given. Called by models/parts/rating-sgd-fit.ts.
 */
import { KernelError } from "../core/errors.js";
import { stepSeed } from "../core/random.js";
import { paddedFactors } from "./als-layout.js";
import { type Arena, type ArenaOptions, createArena } from "./arena.js";
import { dealStrata, epochPlan, type RatingEvents, type RatingStrata } from "./rating-layout.js";

export interface RatingFactors {
  /** numUsers × factors, row-major. */
  userFactors: Float32Array;
  /** numItems × factors. */
  itemFactors: Float32Array;
  userBias: Float32Array;
  itemBias: Float32Array;
  /** numItems × factors; absent without the implicit part. */
  implicitFactors?: Float32Array;
}

export interface RatingSgdProblem {
  events: RatingEvents;
  /** Latent dimensions, 1 or more. */
  factors: number;
  regularization: number;
  regularizationExponent: number;
  /** In the place of regularization for implicit factors. Default: the same. */
  implicitRegularization?: number;
  /** Decides the strata and the order of every epoch. */
  seed: number;
  /** Initial values, copied in; with `implicitFactors` the implicit part is learned. */
  start: RatingFactors;
  /** For tests. Default: by the number of events. */
  numBlocks?: number;
}

export interface RatingSgd {
  /** Runs epoch `epoch` (its order follows from the seed and this number) and returns √(mean e²), each error before its step. */
  epoch(epoch: number, learningRate: number, signal?: AbortSignal): Promise<number>;
  /** Copies. */
  factors(): RatingFactors;
  dispose(): void;
}

type Events = "bounds" | "walks" | "offsets" | "items" | "values" | "errors";
type Rows = `${"user" | "item"}${"Factors" | "Bias" | "Decays"}` | "counts" | "scales";
type Block = Events | Rows | "implicit" | "implicitStart" | "implicitDecays" | "sums";

/** Throws KernelError when arrays do not fit each other or more than 4 GiB are needed. */
export async function createRatingSgd(problem: RatingSgdProblem, options: ArenaOptions): Promise<RatingSgd> {
  checkProblem(problem);
  const { events, seed, start } = problem;
  const { numUsers, numItems, values } = events;
  const strata = dealStrata(events, seed, problem.numBlocks);
  const { numBlocks, userPlaces, itemPlaces } = strata;
  const factors = paddedFactors(problem.factors);
  const implicit = start.implicitFactors !== undefined;
  const implicitRows = implicit ? numItems * factors * 4 : 0;
  const arena = await createArena<Block>(
    {
      purpose: `Rating SGD with ${problem.factors} factors for ${numUsers} users, ${numItems} items and ${values.length} ratings`,
      hint: "Use fewer factors, or drop users and items with very few ratings.",
      blocks: {
        bounds: (numBlocks + 1) * 4,
        walks: numBlocks * 8,
        offsets: strata.offsets.length * 4,
        items: values.length * 4,
        values: values.length * 4,
        userFactors: numUsers * factors * 4,
        itemFactors: numItems * factors * 4,
        userBias: numUsers * 4,
        itemBias: numItems * 4,
        userDecays: numUsers * 4,
        itemDecays: numItems * 4,
        errors: numBlocks * numBlocks * 8,
        implicit: implicitRows,
        implicitStart: implicitRows,
        sums: implicit ? numUsers * factors * 4 : 0,
        implicitDecays: numItems * 4,
        counts: numUsers * 4,
        scales: numUsers * 4,
      },
      scratchBytes: 2 * factors * 4,
    },
    options,
  );
  const at = arena.pointers;
  arena.int32("bounds", numBlocks + 1).set(strata.userBounds);
  await arena.copyIn("offsets", strata.offsets);
  await arena.copyIn("items", strata.items);
  await arena.copyIn("values", strata.values);
  const placed = placedRows(arena, factors, problem.factors);
  placed.write("userFactors", start.userFactors, userPlaces);
  placed.write("itemFactors", start.itemFactors, itemPlaces);
  if (start.implicitFactors) placed.write("implicit", start.implicitFactors, itemPlaces);
  arena.float32("userBias", numUsers).set(moved(start.userBias, userPlaces));
  arena.float32("itemBias", numItems).set(moved(start.itemBias, itemPlaces));
  writeWeights(arena, problem, strata);

  const shared = [at.bounds, at.walks, at.offsets, at.items, at.values, at.userFactors, at.itemFactors, at.userBias, at.itemBias];
  shared.push(at.userDecays, at.itemDecays);
  const implicitArguments = implicit ? [at.implicit, at.implicitStart, at.sums, at.implicitDecays, at.counts, at.scales] : [];

  async function epoch(number: number, learningRate: number, signal?: AbortSignal): Promise<number> {
    const { shifts, walks } = epochPlan(strata, stepSeed(seed, number));
    arena.int32("walks", 2 * numBlocks).set(walks);
    if (implicit) {
      arena.float32("implicitStart", numItems * factors).set(arena.float32("implicit", numItems * factors));
      const args = [at.offsets, at.items, at.implicit, at.sums, at.scales, factors, numUsers, numBlocks];
      await arena.parallel("ratingImplicitSums", { count: numUsers, chunk: 64, args }, signal);
    }
    for (const [turn, shift] of shifts.entries()) {
      const args = [...shared, at.errors + turn * numBlocks * 8, factors, numUsers, numBlocks, shift, learningRate, ...implicitArguments];
      await arena.parallel(implicit ? "ratingSgdImplicit" : "ratingSgd", { count: numBlocks, chunk: 1, args }, signal);
    }
    const squares = arena.float64("errors", numBlocks * numBlocks).reduce((sum, value) => sum + value, 0);
    return Math.sqrt(squares / values.length);
  }

  return {
    epoch: (number, learningRate, signal) => arena.exclusive(() => epoch(number, learningRate, signal)),
    factors: () => ({
      userFactors: placed.read("userFactors", userPlaces),
      itemFactors: placed.read("itemFactors", itemPlaces),
      userBias: takenFrom(arena.float32("userBias", numUsers), userPlaces),
      itemBias: takenFrom(arena.float32("itemBias", numItems), itemPlaces),
      implicitFactors: implicit ? placed.read("implicit", itemPlaces) : undefined,
    }),
    dispose: () => arena.dispose(),
  };
}

/** What each row's step needs, by place: λ per event of the row, events per user, 1 / √(distinct items of the user). */
function writeWeights(arena: Arena<Block>, problem: RatingSgdProblem, { numBlocks, offsets, items }: RatingStrata): void {
  const { numUsers, numItems } = problem.events;
  const { regularization, regularizationExponent: exponent, implicitRegularization = regularization } = problem;
  const [ofUser, ofItem, distinct] = [new Float32Array(numUsers), new Float32Array(numItems), new Float32Array(numUsers)];
  for (let block = 0; block < numBlocks; block++) {
    for (let user = 0; user < numUsers; user++) {
      const at = block * (numUsers + 1) + user;
      for (let entry = offsets[at]; entry < offsets[at + 1]; entry++) {
        ofUser[user]++;
        ofItem[items[entry]]++;
        if (entry === offsets[at] || items[entry] !== items[entry - 1]) distinct[user]++;
      }
    }
  }
  const decay = (lambda: number) => (count: number) => (count > 0 ? lambda * count ** (exponent - 1) : 0);
  arena.float32("userDecays", numUsers).set(ofUser.map(decay(regularization)));
  arena.float32("itemDecays", numItems).set(ofItem.map(decay(regularization)));
  arena.float32("implicitDecays", numItems).set(ofItem.map(decay(implicitRegularization)));
  arena.float32("counts", numUsers).set(ofUser);
  arena.float32("scales", numUsers).set(distinct.map((count) => (count > 0 ? 1 / Math.sqrt(count) : 0)));
}

/** Rows in the order of their places, padded; and back. */
function placedRows(arena: Arena<Block>, stride: number, factors: number) {
  return {
    write(name: Block, rows: Float32Array, places: Int32Array) {
      const target = arena.float32(name, places.length * stride);
      places.forEach((place, row) => {
        target.set(rows.subarray(row * factors, (row + 1) * factors), place * stride);
      });
    },
    read(name: Block, places: Int32Array): Float32Array {
      const source = arena.float32(name, places.length * stride);
      const rows = new Float32Array(places.length * factors);
      places.forEach((place, row) => {
        rows.set(source.subarray(place * stride, place * stride + factors), row * factors);
      });
      return rows;
    },
  };
}

function moved(values: Float32Array, places: Int32Array): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < values.length; row++) out[places[row]] = values[row];
  return out;
}

function takenFrom(values: Float32Array, places: Int32Array): Float32Array {
  return Float32Array.from(places, (place) => values[place]);
}

function checkProblem({ events, factors, start, ...numbers }: RatingSgdProblem): void {
  const fail = (message: string) => {
    throw new KernelError(`Rating SGD cannot start: ${message}.`, { hint: "Pass events of known users and factors of their sizes." });
  };
  if (!(Number.isInteger(factors) && factors >= 1)) fail(`factors is ${factors}, not a whole number from 1 on`);
  const { numUsers, numItems } = events;
  for (const [name, array, length] of [
    ["userFactors", start.userFactors, numUsers * factors],
    ["itemFactors", start.itemFactors, numItems * factors],
    ["implicitFactors", start.implicitFactors, numItems * factors],
    ["userBias", start.userBias, numUsers],
    ["itemBias", start.itemBias, numItems],
    ["events.itemIndex", events.itemIndex, events.values.length],
    ["events.userIndex", events.userIndex, events.values.length],
  ] as const)
    if (array && array.length !== length) fail(`${name} has ${array.length} values, but ${length} are needed`);
  for (const [name, indexes, size] of [
    ["userIndex", events.userIndex, numUsers],
    ["itemIndex", events.itemIndex, numItems],
  ] as const)
    if (indexes.some((index) => !(index >= 0 && index < size))) fail(`${name} is outside [0, ${size})`);
  for (const name of ["regularization", "regularizationExponent"] as const)
    if (!(numbers[name] >= 0 && numbers[name] < Infinity)) fail(`${name} is ${numbers[name]}, not a number from 0 on`);
}
