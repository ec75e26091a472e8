/**
 * Logged impressions as the estimators see them: one row per shown item (one action, or the first place of a slate), what came of it,
 * and how probable the item was under the policy that logged and under the one that is judged.
 */
import { ConfigError, DataError } from "../../core/errors.js";

export interface LoggedImpressions {
  /** Who it was shown to; −1 or absent = unknown. Rows of one user are not independent, and intervals respect that. */
  userIndex?: Int32Array;
  /** The item shown. */
  itemIndex: Int32Array;
  numItems: number;
  /** Probability with which the logging policy showed it; NaN where it was not written down. */
  propensity: Float64Array;
  /** What came of it: clicked 1 or 0, money … */
  reward: Float64Array;
}

/** What a policy to judge says of each logged row. */
export interface TargetOnLog {
  name: string;
  /** Probability with which it would have shown the logged item. */
  probability: Float64Array;
  /** Predicted reward of the logged item, and expected predicted reward under the policy, Σ_a π(a|x) · r̂(x, a); for the doubly robust estimator. */
  predicted?: Float64Array;
  expected?: Float64Array;
  /** Mean probability that it gives to items which the log never shows. */
  unsupported?: number;
}

/** Rows with their importance weights w = π(a|x) / p. */
export interface WeightedRows {
  numRows: number;
  weight: Float64Array;
  reward: Float64Array;
  predicted?: Float64Array;
  expected?: Float64Array;
  /** Dense number of the cluster of each row; absent when each row stands alone. */
  cluster?: Int32Array;
  /** Rows left out because the propensity is missing or 0. */
  numMissing: number;
  numZero: number;
  /** Rows whose weight was cut down to `clip`. */
  numClipped: number;
}

/** Throws DataError on probabilities outside [0, 1], rewards that are no numbers, and when no row has a propensity; ConfigError on a wrong clip. */
export function weightRows(log: LoggedImpressions, target: TargetOnLog, clip = Infinity): WeightedRows {
  if (!(clip > 0))
    throw new ConfigError(`clip is ${clip}.`, {
      hint: "The largest weight allowed, above 0, such as 10.",
      details: { path: "clip", got: clip },
    });
  const { propensity, reward, userIndex } = log;
  checkLengths(log, target);
  const kept: number[] = [];
  let numMissing = 0;
  let numZero = 0;
  for (let row = 0; row < propensity.length; row++) {
    checkProbability("propensity", propensity[row], row, true);
    checkProbability(`probability of ${target.name}`, target.probability[row], row, false);
    if (!Number.isFinite(reward[row]))
      throw new DataError(`The reward of row ${row} is ${reward[row]}.`, { hint: "Rewards are finite numbers; leave such rows out." });
    if (Number.isNaN(propensity[row])) numMissing++;
    else if (propensity[row] === 0) numZero++;
    else kept.push(row);
  }
  if (kept.length === 0) {
    throw new DataError(`None of the ${propensity.length} logged rows has a propensity above 0.`, {
      hint: "Log the probability with which each item was shown; without it there is no unbiased estimate.",
    });
  }
  let numClipped = 0;
  const take = (column: Float64Array | undefined) => column && Float64Array.from(kept, (row) => column[row]);
  return {
    numRows: kept.length,
    weight: Float64Array.from(kept, (row) => {
      const weight = target.probability[row] / propensity[row];
      if (weight <= clip) return weight;
      numClipped++;
      return clip;
    }),
    reward: take(reward)!,
    predicted: take(target.predicted),
    expected: take(target.expected),
    cluster: userIndex && clustersOf(kept.map((row) => userIndex[row])),
    numMissing,
    numZero,
    numClipped,
  };
}

/** Dense numbers; unknown users (−1) each stand alone. */
export function clustersOf(users: ArrayLike<number>): Int32Array {
  const numberOf = new Map<number, number>();
  let size = 0;
  return Int32Array.from(users, (user) => {
    if (user < 0) return size++;
    const known = numberOf.get(user);
    if (known !== undefined) return known;
    numberOf.set(user, size);
    return size++;
  });
}

function checkLengths({ itemIndex, userIndex, propensity, reward }: LoggedImpressions, target: TargetOnLog): void {
  const columns = {
    userIndex,
    propensity,
    reward,
    probability: target.probability,
    predicted: target.predicted,
    expected: target.expected,
  };
  for (const [name, column] of Object.entries(columns)) {
    if (column && column.length !== itemIndex.length)
      throw new DataError(`Column ${name} has ${column.length} values, but itemIndex has ${itemIndex.length}.`, {
        hint: "All columns must have the same length.",
      });
  }
}

function checkProbability(what: string, value: number, row: number, mayBeMissing: boolean): void {
  if ((value >= 0 && value <= 1) || (mayBeMissing && Number.isNaN(value))) return;
  throw new DataError(`The ${what} of row ${row} is ${value}.`, {
    hint: "Probabilities lie between 0 and 1; if these are weights or percentages, convert them first.",
    details: { line: row },
  });
}
