/** Fits the two towers of users and items: examples are (user, item) pairs, the history being the user's other items. Called by two-tower. */
import type { Csr, Interactions } from "../../core/interactions.js";
import type { FitContext } from "../../core/model.js";
import { createRandom, type Random } from "../../core/random.js";
import { createParameters, type Parameters } from "../../nn/parameters.js";
import { withBias } from "./biased-vectors.js";
import { createHeldOutJudge, holdOutItems } from "./held-out-items.js";
import { positivePairs } from "./positive-pairs.js";
import type { ItemBag } from "./tower-inputs.js";
import { type TowerPairs, trainTowers } from "./tower-training.js";
import type { TwoTowerParams } from "./two-tower-params.js";
import { knownRows, newSides, type Sides } from "./two-tower-sides.js";
import { bagOf, createTowerEncoder } from "./two-tower-vectors.js";

/** What is kept of a training. */
export interface TrainedTwoTower {
  sides: Sides;
  parameters: Parameters;
  /** User × item matrix of training. */
  seen: Csr;
  /** numItems × dimensions. */
  itemVectors: Float32Array;
  itemBias: Float32Array;
  /** 1 where events or features are known. */
  knownUsers: Uint8Array;
  knownItems: Uint8Array;
  losses: readonly number[];
}

export async function fitTwoTower(train: Interactions, params: TwoTowerParams, context: FitContext): Promise<TrainedTwoTower> {
  const { numItems } = train;
  const { dimensions } = params;
  const { seed, threads, userFeatures, itemFeatures } = context;
  const seen = train.matrixByUser();
  const held = holdOutItems(positivePairs(seen), { share: params.validationShare, seed });
  const random = createRandom(seed);
  const parameters = createParameters(random);
  const saved = context.checkpoint?.resumeFrom?.state.arrays;
  if (saved) parameters.restore(saved);
  const sides = newSides(train, params, { random, userFeatures, itemFeatures, saved });
  const queries = createTowerEncoder({ parameters, source: sides.queries });
  const items = createTowerEncoder({ parameters, source: sides.candidates });
  const itemVectors = new Float32Array(numItems * dimensions);
  const allItems = { indexes: Int32Array.from({ length: numItems }, (_, item) => item), bag: () => bagOf(new Int32Array(0), params) };
  const knownItems = knownRows(sides.items, train.matrixByItem().offsets);
  const itemBias = logShares(held.train, { knownItems, popularity: params.popularity });
  const biased = new Float32Array(numItems * (dimensions + 1));
  const judge = await createHeldOutJudge(
    held,
    {
      dimensions: dimensions + 1,
      items: biased,
      async encode(users, out) {
        const vectors = new Float32Array(users.length * dimensions);
        await queries.encode({ indexes: users, bag: (k) => bagOf(rowOf(held.train, users[k]), params) }, vectors);
        withBias(vectors, params.temperature, out);
      },
    },
    { threads },
  );
  const pairs = { ...examplesOf(held.train, params), bias: itemBias };
  try {
    const validate = async () => {
      await items.encode(allItems, itemVectors);
      withBias(itemVectors, itemBias, biased);
      return judge.ndcg();
    };
    const { losses } = await trainTowers(
      { stage: "two-tower", parameters, ...sides, pairs, validate: held.users.length > 0 ? validate : undefined },
      params,
      context,
    );
    await items.encode(allItems, itemVectors);
    if (pairs.queries.length === 0) itemVectors.fill(0); // nothing was learned: all items are equal
    knownItems.forEach((known, item) => {
      if (!known) itemVectors.fill(0, item * dimensions, (item + 1) * dimensions);
    });
    return { sides, parameters, seen, itemVectors, itemBias, knownUsers: knownRows(sides.users, seen.offsets), knownItems, losses };
  } finally {
    await queries.release();
    await items.release();
    await judge.release();
  }
}

/** Below every score that a known item has. */
const UNKNOWN = -10;

/**
 * popularity · log of each item's share of the pairs. Items known by their features alone have the mean of the others; those of which
 * nothing is known come last.
 */
function logShares({ indices, numColumns }: Csr, { knownItems, popularity }: { knownItems: Uint8Array; popularity: number }): Float32Array {
  const counts = new Float64Array(numColumns);
  for (const item of indices) counts[item]++;
  const logs = counts.map((count) => (count > 0 ? popularity * Math.log(count / indices.length) : 0));
  const [sum, seen] = [logs.reduce((total, value) => total + value, 0), counts.filter((count) => count > 0).length];
  const least = logs.reduce((lowest, value) => Math.min(lowest, value), 0) + UNKNOWN;
  return Float32Array.from(logs, (value, item) => (counts[item] > 0 ? value : knownItems[item] ? sum / Math.max(1, seen) : least));
}

/** Every pair of the matrix once. */
function examplesOf(pairs: Csr, params: TwoTowerParams): Omit<TowerPairs, "bias"> {
  const { numRows, numColumns, offsets, indices } = pairs;
  const users = new Int32Array(indices.length);
  for (let user = 0; user < numRows; user++) users.fill(user, offsets[user], offsets[user + 1]);
  return {
    queries: users,
    candidates: indices,
    numCandidates: numColumns,
    history: (pair, random) => otherItems(pairs, { user: users[pair], pair }, { random, params }),
    alsoRight:
      params.hits === "known"
        ? (pair, mark) => {
            for (let e = offsets[users[pair]]; e < offsets[users[pair] + 1]; e++) mark(indices[e]);
          }
        : undefined,
  };
}

/** The user's items without that of the pair; of many a random few, weighed as if they were all. */
function otherItems(
  { offsets, indices }: Csr,
  { user, pair }: { user: number; pair: number },
  { random, params }: { random: Random; params: TwoTowerParams },
): ItemBag {
  const [from, to] = [offsets[user], offsets[user + 1]];
  const others = to - from - 1;
  const items = new Int32Array(others);
  items.set(indices.subarray(from, pair));
  items.set(indices.subarray(pair + 1, to), pair - from);
  const count = params.historyItems;
  if (others <= count) return bagOf(items, params);
  for (let k = 0; k < count; k++) {
    const drawn = k + random.integer(others - k);
    [items[k], items[drawn]] = [items[drawn], items[k]];
  }
  return { items: items.subarray(0, count), weight: others ** (1 - params.historyExponent) / count };
}

const rowOf = ({ offsets, indices }: Csr, user: number) => indices.subarray(offsets[user], offsets[user + 1]);
