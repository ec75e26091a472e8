/**
 * Plain twin of assembly/ultra-gcn.ts in float64, over the same strata, order and draws. Called by tests only.
 */
import { createRandom, stepSeed } from "../../core/random.js";
import { epochPlan } from "../rating-layout.js";
import { dealPairs, degreesOf, itemTerm, type UltraGcnProblem, userTerm } from "../ultra-gcn.js";

export interface ReferenceUltraGcnFactors {
  userFactors: Float64Array;
  itemFactors: Float64Array;
  userSquares: Float64Array;
  itemSquares: Float64Array;
}

/** One epoch, changing `now` in place; returns the mean loss of a pair. */
export function referenceUltraGcnEpoch(
  problem: UltraGcnProblem,
  now: ReferenceUltraGcnFactors,
  { epoch, learningRate }: { epoch: number; learningRate: number },
): number {
  const { pairs, links, factors: f, regularization, negatives, weights, seed } = problem;
  const { numRows: numUsers, numColumns: numItems } = pairs;
  const strata = dealPairs(pairs, seed, problem.numBlocks);
  const { numBlocks, userBounds, itemBounds, itemPlaces } = strata;
  const draws = stepSeed(seed, epoch);
  const { shifts, walks } = epochPlan(strata, draws);
  const random = createRandom(draws ^ 0x5bd1e995);
  const userAt = inverse(strata.userPlaces);
  const itemAt = inverse(itemPlaces);
  const degrees = degreesOf(pairs);
  let loss = 0;

  const step = (user: number, item: number, sign: number, weight: number) => {
    const a = now.userFactors.subarray(user * f, (user + 1) * f);
    const b = now.itemFactors.subarray(item * f, (item + 1) * f);
    let score = 0;
    for (let d = 0; d < f; d++) score += sign * a[d] * b[d];
    loss += weight * Math.log(1 + Math.exp(-score));
    const slope = (weight * sign) / (1 + Math.exp(score));
    const [left, right] = [new Float64Array(f), new Float64Array(f)];
    for (let d = 0; d < f; d++) {
      left[d] = slope * b[d] - weight * regularization * a[d];
      right[d] = slope * a[d] - weight * regularization * b[d];
    }
    now.userSquares[user] += meanSquare(left);
    now.itemSquares[item] += meanSquare(right);
    for (let d = 0; d < f; d++) {
      a[d] += (learningRate * left[d]) / Math.sqrt(now.userSquares[user] + 1e-10);
      b[d] += (learningRate * right[d]) / Math.sqrt(now.itemSquares[item] + 1e-10);
    }
  };
  const byDegree = (user: number, item: number) => userTerm(degrees.user[user]) * itemTerm(degrees.item[item]);

  for (const shift of shifts) {
    for (let block = 0; block < numBlocks; block++) {
      let state = 1 + random.integer(2 ** 31 - 1);
      const next = () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return state >>> 0;
      };
      const itemBlock = (block + shift) % numBlocks;
      const [firstItem, size] = [itemBounds[itemBlock], itemBounds[itemBlock + 1] - itemBounds[itemBlock]];
      const count = userBounds[block + 1] - userBounds[block];
      for (let k = 0; k < count; k++) {
        const place = userBounds[block] + ((walks[2 * block] + k * walks[2 * block + 1]) % count);
        const user = userAt[place];
        const itemsIn = (of: number) => {
          const at = of * (numUsers + 1) + place;
          return Array.from(strata.items.subarray(strata.offsets[at], strata.offsets[at + 1]), (item, e) => ({
            own: itemAt[item],
            value: strata.values[strata.offsets[at] + e],
          }));
        };
        for (let other = 0; other < numBlocks; other++) {
          for (const { own, value } of itemsIn(other)) {
            if (other === itemBlock) step(user, own, 1, value * (weights.positive[0] + weights.positive[1] * byDegree(user, own)));
            for (let e = links.offsets[own]; e < links.offsets[own + 1]; e++) {
              const linked = itemPlaces[links.indices[e]];
              if (linked >= firstItem && linked < firstItem + size) step(user, links.indices[e], 1, links.values[e]);
            }
            const drawn = Math.floor((negatives * size) / numItems + (next() >>> 8) / 2 ** 24);
            for (let draw = 0; draw < drawn; draw++) {
              const item = itemAt[firstItem + Math.floor((next() * size) / 2 ** 32)];
              step(user, item, -1, (weights.negative[0] + weights.negative[1] * byDegree(user, item)) / negatives);
            }
          }
        }
      }
    }
  }
  return loss / Math.max(1, pairs.indices.length);
}

function meanSquare(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0) / values.length;
}

function inverse(places: Int32Array): Int32Array {
  const rows = new Int32Array(places.length);
  places.forEach((place, row) => {
    rows[place] = row;
  });
  return rows;
}
