/**
 * What the factor models of ratings (svd, svd++) learn from and keep: ratings standardised by mean and standard deviation, so that one
 * learning rate fits any scale; factors at their start, saved and restored; the vector of a user who is known by a history alone.
 * Called by rating-fit.ts and rating-model.ts.
 */
import { DataError } from "../../core/errors.js";
import type { Interactions } from "../../core/interactions.js";
import type { HistoryEvent, ModelState } from "../../core/model.js";
import { createRandom } from "../../core/random.js";
import type { RatingEvents } from "../../kernels/rating-layout.js";
import type { RatingFactors } from "../../kernels/rating-sgd.js";
import { savedFloat32 } from "./saved-arrays.js";
import { factorizeInPlace, solveInPlace } from "./small-cholesky.js";

/** rating = mean + scale · standardised; training saw ratings from `lowest` to `highest`. */
export interface RatingScale {
  mean: number;
  /** Standard deviation; 1 where all ratings are equal. */
  scale: number;
  lowest: number;
  highest: number;
}

/** The scale of the ratings of known users. Throws DataError when there is none. */
export function ratingScale({ userIndex, weight }: Interactions): RatingScale {
  let [count, sum, lowest, highest] = [0, 0, Infinity, -Infinity];
  for (let e = 0; e < weight.length; e++) {
    if (userIndex[e] < 0) continue;
    count++;
    sum += weight[e];
    lowest = Math.min(lowest, weight[e]);
    highest = Math.max(highest, weight[e]);
  }
  if (count === 0) throw new DataError("No rating is by a known user.", { hint: "Check the column of users." });
  const mean = sum / count;
  let squares = 0;
  for (let e = 0; e < weight.length; e++) if (userIndex[e] >= 0) squares += (weight[e] - mean) ** 2;
  return { mean, scale: highest > lowest ? Math.sqrt(squares / count) : 1, lowest, highest };
}

/** The events of known users, standardised. */
export function standardisedEvents(train: Interactions, { mean, scale }: RatingScale): RatingEvents {
  const { numUsers, numItems, userIndex, itemIndex, weight } = train;
  const kept = Int32Array.from(userIndex.keys()).filter((event) => userIndex[event] >= 0);
  return {
    numUsers,
    numItems,
    userIndex: kept.map((event) => userIndex[event]),
    itemIndex: kept.map((event) => itemIndex[event]),
    values: Float32Array.from(kept, (event) => (weight[event] - mean) / scale),
  };
}

interface Start {
  factors: number;
  /** Factors: normal with standard deviation initScale / √factors; implicit factors and biases: 0. */
  initScale: number;
  implicit: boolean;
  seed: number;
  /** Users and items of these come first and keep their values. */
  previous?: RatingFactors;
}

/** Initial values; 0 for users and items without events. */
export function startFactors(events: RatingEvents, { factors, initScale, implicit, seed, previous }: Start): RatingFactors {
  const { numUsers, numItems, userIndex, itemIndex } = events;
  const random = createRandom(seed);
  const deviation = initScale / Math.sqrt(factors);
  const normal = (rows: Int32Array, numRows: number) => {
    const used = new Uint8Array(numRows);
    for (const row of rows) used[row] = 1;
    return Float32Array.from({ length: numRows * factors }, (_, at) => deviation * random.normal() * used[Math.floor(at / factors)]);
  };
  const start: RatingFactors = {
    userFactors: normal(userIndex, numUsers),
    itemFactors: normal(itemIndex, numItems),
    userBias: new Float32Array(numUsers),
    itemBias: new Float32Array(numItems),
    implicitFactors: implicit ? new Float32Array(numItems * factors) : undefined,
  };
  if (previous) for (const key of keys) if (previous[key]) start[key]?.set(previous[key]);
  return start;
}

const keys = ["userFactors", "itemFactors", "userBias", "itemBias", "implicitFactors"] as const;

export interface RatingSize {
  numUsers: number;
  numItems: number;
  factors: number;
}

export function factorArrays(values: RatingFactors, { numUsers, numItems, factors }: RatingSize): ModelState["arrays"] {
  const { implicitFactors } = values;
  return {
    user_factors: { shape: [numUsers, factors], data: values.userFactors },
    item_factors: { shape: [numItems, factors], data: values.itemFactors },
    user_bias: { shape: [numUsers], data: values.userBias },
    item_bias: { shape: [numItems], data: values.itemBias },
    ...(implicitFactors && { implicit_factors: { shape: [numItems, factors], data: implicitFactors } }),
  };
}

/** The inverse; throws ModelFormatError. */
export function factorsOf(state: ModelState, { numUsers, numItems, factors }: RatingSize, implicit: boolean): RatingFactors {
  return {
    userFactors: savedFloat32(state, "user_factors", [numUsers, factors]),
    itemFactors: savedFloat32(state, "item_factors", [numItems, factors]),
    userBias: savedFloat32(state, "user_bias", [numUsers]),
    itemBias: savedFloat32(state, "item_bias", [numItems]),
    implicitFactors: implicit ? savedFloat32(state, "implicit_factors", [numItems, factors]) : undefined,
  };
}

/** #^(−½) Σ y_j over distinct items, written into `out`; zeros for none. */
export function implicitSum(implicitFactors: Float32Array, items: ArrayLike<number>, out: Float64Array): void {
  const factors = out.length;
  out.fill(0);
  if (items.length === 0) return;
  for (let k = 0; k < items.length; k++) for (let d = 0; d < factors; d++) out[d] += implicitFactors[items[k] * factors + d];
  const scale = 1 / Math.sqrt(items.length);
  for (let d = 0; d < factors; d++) out[d] *= scale;
}

export interface FoldInTerms {
  regularization: number;
  regularizationExponent: number;
  ratings: RatingScale;
}

/**
 * Vector and bias of a user by ridge regression of the history on fixed item factors, in float64; `implicit` is added to the vector before
 * and stays as it is. Ratings beyond those of training count as the nearest of them. O(history · factors² + factors³).
 */
export function foldInRater(
  history: readonly HistoryEvent[],
  { itemFactors, itemBias }: Pick<RatingFactors, "itemFactors" | "itemBias">,
  { regularization, regularizationExponent, ratings }: FoldInTerms,
  implicit: Float64Array,
): { vector: Float64Array; bias: number } {
  const factors = implicit.length;
  const size = factors + 1;
  const matrix = new Float64Array(size * size);
  const right = new Float64Array(size);
  const row = new Float64Array(size).fill(1);
  for (const { itemIndex, weight = 1 } of history) {
    const rating = Math.min(ratings.highest, Math.max(ratings.lowest, weight));
    let target = (rating - ratings.mean) / ratings.scale - itemBias[itemIndex];
    for (let d = 0; d < factors; d++) {
      row[d] = itemFactors[itemIndex * factors + d];
      target -= row[d] * implicit[d];
    }
    for (let i = 0; i < size; i++) {
      right[i] += target * row[i];
      for (let j = 0; j <= i; j++) matrix[i * size + j] += row[i] * row[j];
    }
  }
  const ridge = regularization * history.length ** regularizationExponent;
  for (let i = 0; i < size; i++) matrix[i * size + i] += ridge;
  factorizeInPlace(matrix, size);
  solveInPlace(matrix, size, right);
  return { vector: right.subarray(0, factors).map((value, d) => value + implicit[d]), bias: right[factors] };
}
