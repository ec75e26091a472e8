/**
 * Policies to judge on a log: a recommender that always shows its best item (`greedyPolicy`), or that shows item a with probability
 * softmax(score_a / temperature) (`softmaxPolicy`), over given candidates; any other by implementing `TargetPolicy`.
 */
import { ConfigError, throwIfCancelled } from "../../core/errors.js";
import type { Query } from "../../core/model.js";
import type { Recommender } from "../../ranking/recommender.js";
import type { LoggedImpressions, TargetOnLog } from "./logged-rows.js";
import { fitItemRewards, type RewardModel } from "./reward-model.js";

export interface TargetPolicy {
  name: string;
  /** Items it may show, distinct. */
  candidates: Int32Array;
  /** userIndexes.length × candidates.length, row-major, each row adding up to 1 (or 0 where it shows nothing). −1 = unknown user. */
  probabilities(userIndexes: Int32Array, signal?: AbortSignal): Promise<Float64Array>;
}

/** Always the best of the candidates; equal scores by ascending item index. */
export function greedyPolicy(model: Recommender, candidates: Int32Array): TargetPolicy {
  return listPolicy(`${model.name} (best item)`, model, candidates, { topK: 1, probabilityOf: () => [1] });
}

/** Softmax of score / temperature over the candidates. Items that the model gives no score get 0. */
export function softmaxPolicy(model: Recommender, candidates: Int32Array, temperature: number): TargetPolicy {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new ConfigError(`temperature is ${temperature}.`, {
      hint: "A number above 0, in units of the model's scores: small shows the best item almost always.",
      details: { path: "temperature", got: temperature },
    });
  return listPolicy(`${model.name} (softmax, temperature ${temperature})`, model, candidates, {
    topK: candidates.length,
    probabilityOf(scores) {
      const powers = Array.from(scores, (score) => Math.exp((score - scores[0]) / temperature));
      const total = powers.reduce((a, b) => a + b, 0);
      return powers.map((power) => power / total);
    },
  });
}

function listPolicy(
  name: string,
  model: Recommender,
  candidates: Int32Array,
  { topK, probabilityOf }: { topK: number; probabilityOf: (scores: Float32Array) => number[] },
): TargetPolicy {
  if (candidates.length === 0) throw new ConfigError("The policy has no candidates.", { hint: "Give the items that may be shown." });
  const columnOf = new Map(Array.from(candidates, (item, column) => [item, column]));
  return {
    name,
    candidates,
    async probabilities(userIndexes, signal) {
      const out = new Float64Array(userIndexes.length * candidates.length);
      const queries: Query[] = Array.from(userIndexes, (userIndex) => (userIndex < 0 ? {} : { userIndex }));
      const lists = await model.recommendBatch(queries, { topK, include: candidates, excludeSeen: false, signal });
      for (let q = 0; q < queries.length; q++) {
        const items = lists.itemIndex.subarray(q * lists.topK, (q + 1) * lists.topK);
        const found = items.findIndex((item) => item < 0);
        const length = found < 0 ? items.length : found;
        probabilityOf(lists.score.subarray(q * lists.topK, q * lists.topK + length)).forEach((probability, place) => {
          if (place < length) out[q * candidates.length + columnOf.get(items[place])!] = probability;
        });
      }
      return out;
    },
  };
}

/** Most probabilities held at once. */
const BLOCK = 4 * 2 ** 20;

/** What a policy says of each logged row, with the predictions of a cross-fitted reward model. O(users × candidates) time, bounded memory. */
export async function policyOnLog(
  log: LoggedImpressions,
  policy: TargetPolicy,
  { rewardModel = fitItemRewards(log), signal }: { rewardModel?: RewardModel; signal?: AbortSignal } = {},
): Promise<TargetOnLog> {
  const { itemIndex, numItems } = log;
  const { numFolds, foldOf, predictions } = rewardModel;
  const { candidates } = policy;
  const columnOf = new Map(Array.from(candidates, (item, column) => [item, column]));
  const logged = new Uint8Array(numItems);
  for (const item of itemIndex) logged[item] = 1;
  const rowsOf = new Map<number, number[]>();
  itemIndex.forEach((_, row) => {
    const user = log.userIndex?.[row] ?? -1;
    const rows = rowsOf.get(user);
    if (rows) rows.push(row);
    else rowsOf.set(user, [row]);
  });
  const users = Int32Array.from(rowsOf.keys());
  const probability = new Float64Array(itemIndex.length);
  const predicted = Float64Array.from(itemIndex, (item, row) => predictions[foldOf[row] * numItems + item]);
  const expected = new Float64Array(itemIndex.length);
  let unsupported = 0;
  const blockSize = Math.max(1, Math.floor(BLOCK / candidates.length));
  for (let from = 0; from < users.length; from += blockSize) {
    throwIfCancelled(signal);
    const block = users.subarray(from, from + blockSize);
    const table = await policy.probabilities(block, signal);
    block.forEach((user, q) => {
      const own = table.subarray(q * candidates.length, (q + 1) * candidates.length);
      const expectedOf = new Float64Array(numFolds);
      let without = 0;
      for (let column = 0; column < own.length; column++) {
        if (own[column] === 0) continue;
        if (!logged[candidates[column]]) without += own[column];
        for (let fold = 0; fold < numFolds; fold++) expectedOf[fold] += own[column] * predictions[fold * numItems + candidates[column]];
      }
      const rows = rowsOf.get(user)!;
      unsupported += without * rows.length;
      for (const row of rows) {
        const column = columnOf.get(itemIndex[row]);
        probability[row] = column === undefined ? 0 : Math.min(1, own[column]);
        expected[row] = expectedOf[foldOf[row]];
      }
    });
  }
  return { name: policy.name, probability, predicted, expected, unsupported: unsupported / itemIndex.length };
}
