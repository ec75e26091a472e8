/**
 * What is judged: questions with their right answers. Built from a split for known users; protocols build their own.
 */
import { DataError } from "../core/errors.js";
import type { Interactions } from "../core/interactions.js";
import type { Query } from "../core/model.js";

/** One question with its right answers. */
export interface EvaluationCase {
  query: Query;
  /** Relevant items; an item that stands here n times gains n in precision (baskets with repeated lines). */
  relevant: ArrayLike<number>;
  /** Cases of equal number are resampled together, such as the baskets of one user. Default: the query's userIndex; without it the case stands alone. */
  cluster?: number;
}

/**
 * One case per user of `test`: the distinct items of the user's test events, with `excludeSeen` (default true) without those of
 * the user's `train` events. Users with nothing left have no case. O(events), two copies of the test items.
 */
export function userCases(
  train: Interactions,
  test: Interactions,
  { excludeSeen = true }: { excludeSeen?: boolean } = {},
): EvaluationCase[] {
  if (train.numUsers !== test.numUsers || train.numItems !== test.numItems) {
    throw new DataError(
      `The train data has ${train.numUsers} users × ${train.numItems} items, the test data ${test.numUsers} × ${test.numItems}.`,
      { hint: "Split one table, so that both sides share their users and items." },
    );
  }
  const { offsets, indices } = test.matrixByUser();
  const trained = train.matrixByUser();
  const kept = new Int32Array(indices.length);
  const seenBy = new Int32Array(train.numItems).fill(-1);
  const cases: EvaluationCase[] = [];
  let end = 0;
  for (let userIndex = 0; userIndex < test.numUsers; userIndex++) {
    if (offsets[userIndex] === offsets[userIndex + 1]) continue;
    if (excludeSeen)
      for (let e = trained.offsets[userIndex]; e < trained.offsets[userIndex + 1]; e++) seenBy[trained.indices[e]] = userIndex;
    const start = end;
    for (let e = offsets[userIndex]; e < offsets[userIndex + 1]; e++) if (seenBy[indices[e]] !== userIndex) kept[end++] = indices[e];
    if (end > start) cases.push({ query: { userIndex }, relevant: kept.subarray(start, end) });
  }
  return cases;
}

/** Dense cluster number of each case, in order of first appearance; undefined when every case stands alone. */
export function clustersOf(cases: readonly EvaluationCase[]): Int32Array | undefined {
  const numberOf = new Map<number, number>();
  const cluster = new Int32Array(cases.length);
  let numClusters = 0;
  for (const [c, { query, cluster: given }] of cases.entries()) {
    const key = given ?? (query.userIndex !== undefined && query.userIndex >= 0 ? query.userIndex : undefined);
    const known = key === undefined ? undefined : numberOf.get(key);
    cluster[c] = known ?? numClusters++;
    if (key !== undefined && known === undefined) numberOf.set(key, cluster[c]);
  }
  return numClusters === cases.length ? undefined : cluster;
}
