/**
 * Problems for the ALS suites: rectangular, asymmetric, unequal weights, repeated pairs, rows of chosen lengths.
 */
import { createRandom } from "../../src/core/random.js";
import { Interactions } from "../../src/data/interactions.js";
import type { AlsProblem } from "../../src/kernels/als.js";

export const settings = { alpha: 3, unobservedWeight: 0.4, regularization: 0.2, regularizationExponent: 0.5, cgSteps: 3 };

/** The problem with goals of both signs and priors for both sides; the goals agree between the two matrices. */
export function goalsAndPriors(problem: AlsProblem, seed: number): AlsProblem {
  const { matrixByUser: byUser, matrixByItem: byItem, factors } = problem;
  const goalOf = (user: number, item: number) => Math.sin(1 + 3 * user + 7 * item) * 2;
  const goals = ({ offsets, indices, numRows }: AlsProblem["matrixByUser"], of: typeof goalOf) => {
    const values = new Float32Array(indices.length);
    for (let row = 0; row < numRows; row++) for (let e = offsets[row]; e < offsets[row + 1]; e++) values[e] = of(row, indices[e]);
    return values;
  };
  return {
    ...problem,
    goals: { byUser: goals(byUser, goalOf), byItem: goals(byItem, (item, user) => goalOf(user, item)) },
    userPriors: normals(byUser.numRows * factors, seed + 3),
    itemPriors: normals(byItem.numRows * factors, seed + 4),
  };
}

/** User u has `lengths[u]` distinct items of `numItems`; one pair in five is repeated. */
export function alsProblem(
  { lengths, numItems, factors, seed }: { lengths: readonly number[]; numItems: number; factors: number; seed: number },
  overrides: Partial<AlsProblem> = {},
): AlsProblem {
  const random = createRandom(seed);
  const items = Int32Array.from({ length: numItems }, (_, item) => item);
  const events = lengths.flatMap((length, user) => {
    random.shuffle(items);
    return Array.from(items.subarray(0, length)).flatMap((item) => (random.integer(5) === 0 ? [0, 1] : [0]).map(() => ({ user, item })));
  });
  const data = Interactions.fromArrays({
    userIndex: events.map(({ user }) => user),
    itemIndex: events.map(({ item }) => item),
    weight: events.map(() => 0.1 + random.uniform()),
    numUsers: lengths.length,
    numItems,
  });
  return {
    ...settings,
    matrixByUser: data.matrixByUser(),
    matrixByItem: data.matrixByItem(),
    factors,
    solver: "cholesky",
    userFactors: normals(lengths.length * factors, seed + 1),
    itemFactors: normals(numItems * factors, seed + 2),
    ...overrides,
  };
}

/** Row lengths with a long tail: many short rows, a few long ones. */
export function skewedLengths(numUsers: number, longest: number): number[] {
  return Array.from({ length: numUsers }, (_, user) => Math.floor(longest / (1 + (user % 97))));
}

export function normals(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => 0.3 * random.normal());
}

/** Largest difference, relative to the largest expected value (at least 1). */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let error = 0;
  let scale = 1;
  for (let k = 0; k < expected.length; k++) {
    if (!(Math.abs(got[k] - expected[k]) <= error)) error = Math.abs(got[k] - expected[k]); // NaN counts
    scale = Math.max(scale, Math.abs(expected[k]));
  }
  return got.length === expected.length ? error / scale : Number.NaN;
}
