/**
 * Plain twin of assembly/rating-sgd.ts in float64, over the same strata in the same order. Called by tests only.
 */
import { stepSeed } from "../../core/random.js";
import { dealStrata, epochPlan } from "../rating-layout.js";
import type { RatingSgdProblem } from "../rating-sgd.js";

export interface ReferenceRatingFactors {
  userFactors: Float64Array;
  itemFactors: Float64Array;
  userBias: Float64Array;
  itemBias: Float64Array;
  implicitFactors?: Float64Array;
}

/** One epoch, changing `now` in place; returns √(mean e²), each error before its step. */
export function referenceRatingEpoch(
  problem: RatingSgdProblem,
  now: ReferenceRatingFactors,
  { epoch, learningRate: rate }: { epoch: number; learningRate: number },
): number {
  const { events, factors: f, regularization, regularizationExponent: exponent, implicitRegularization = regularization } = problem;
  const { numUsers, numItems } = events;
  const strata = dealStrata(events, problem.seed, problem.numBlocks);
  const { shifts, walks } = epochPlan(strata, stepSeed(problem.seed, epoch));
  const userAt = inverse(strata.userPlaces);
  const itemAt = inverse(strata.itemPlaces);
  const [ofUser, ofItem] = [new Array<number>(numUsers).fill(0), new Array<number>(numItems).fill(0)];
  const itemsOf = Array.from({ length: numUsers }, () => new Set<number>());
  for (let e = 0; e < events.values.length; e++) {
    ofUser[events.userIndex[e]]++;
    ofItem[events.itemIndex[e]]++;
    itemsOf[events.userIndex[e]].add(events.itemIndex[e]);
  }
  const decay = (count: number, lambda = regularization) => lambda * count ** (exponent - 1);

  const y = now.implicitFactors;
  const sums = Array.from({ length: numUsers }, (_, user) => {
    const sum = new Float64Array(f);
    for (const item of itemsOf[user]) for (let d = 0; d < f; d++) sum[d] += (y?.[item * f + d] ?? 0) / Math.sqrt(itemsOf[user].size);
    return sum;
  });
  const start = y?.slice();
  let squares = 0;
  for (const shift of shifts) {
    for (let block = 0; block < strata.numBlocks; block++) {
      const first = strata.userBounds[block];
      const count = strata.userBounds[block + 1] - first;
      for (let k = 0; k < count; k++) {
        const place = first + ((walks[2 * block] + k * walks[2 * block + 1]) % count);
        const user = userAt[place];
        const at = ((block + shift) % strata.numBlocks) * (numUsers + 1) + place;
        const [begin, end] = [strata.offsets[at], strata.offsets[at + 1]];
        const distinct = new Set(Array.from(strata.items.subarray(begin, end), (item) => itemAt[item]));
        const s = sums[user];
        const scale = 1 / Math.sqrt(itemsOf[user].size || 1);
        if (y && start) for (const item of distinct) for (let d = 0; d < f; d++) s[d] += scale * (y[item * f + d] - start[item * f + d]);
        const gradient = new Float64Array(f);
        for (let entry = begin; entry < end; entry++) {
          const item = itemAt[strata.items[entry]];
          const p = now.userFactors.subarray(user * f, (user + 1) * f);
          const q = now.itemFactors.subarray(item * f, (item + 1) * f);
          let predicted = now.userBias[user] + now.itemBias[item];
          for (let d = 0; d < f; d++) predicted += (p[d] + s[d]) * q[d];
          const error = strata.values[entry] - predicted;
          squares += error * error;
          now.userBias[user] += rate * (error - decay(ofUser[user]) * now.userBias[user]);
          now.itemBias[item] += rate * (error - decay(ofItem[item]) * now.itemBias[item]);
          for (let d = 0; d < f; d++) {
            const [a, b] = [p[d], q[d]];
            gradient[d] += error * b;
            p[d] += rate * (error * b - decay(ofUser[user]) * a);
            q[d] += rate * (error * (a + s[d]) - decay(ofItem[item]) * b);
          }
        }
        if (!y) continue;
        for (const item of distinct) {
          for (let d = 0; d < f; d++) {
            const share = (scale * ofUser[user]) / (end - begin);
            const step = rate * (share * gradient[d] - decay(ofItem[item], implicitRegularization) * y[item * f + d]);
            y[item * f + d] += step;
            s[d] += scale * step;
          }
        }
      }
    }
  }
  return Math.sqrt(squares / events.values.length);
}

function inverse(places: Int32Array): Int32Array {
  const rows = new Int32Array(places.length);
  places.forEach((place, row) => {
    rows[place] = row;
  });
  return rows;
}
