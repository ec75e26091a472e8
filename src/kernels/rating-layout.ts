/**
 * How rating SGD deals its events: users and items in random order, cut into as many blocks of about equal numbers of events; the events
 * of each (block of items, user) stand together, ascending by item. Block b of users with block (b + s) mod n of items, for all b, is
 * stratum s: its pairs share no row (Gemulla et al. 2011). The number of blocks depends on the data alone. Called by rating-sgd.ts.
 */
import { createRandom } from "../core/random.js";

/** Observed ratings; events of unknown users (−1) are left out by whoever fills this. */
export interface RatingEvents {
  numUsers: number;
  numItems: number;
  userIndex: Int32Array;
  itemIndex: Int32Array;
  /** Standardised ratings. */
  values: Float32Array;
}

export interface RatingStrata {
  numBlocks: number;
  /** Place of each user: the blocks are ranges of places. */
  userPlaces: Int32Array;
  itemPlaces: Int32Array;
  /** numBlocks + 1 places at which the blocks of users begin. */
  userBounds: Int32Array;
  itemBounds: Int32Array;
  /** numBlocks × (numUsers + 1): entries of block b and the user at place p stand at [offsets[b(n+1) + p], offsets[b(n+1) + p + 1]). */
  offsets: Int32Array;
  /** Item place of each entry. */
  items: Int32Array;
  values: Float32Array;
}

const maxBlocks = 16;

/** Enough for the threads of today; few where there is little to share, since a block of few events is a poor sample of its users. */
export function numBlocksFor({ numUsers, numItems, values }: RatingEvents): number {
  return Math.max(1, Math.min(maxBlocks, 1 + Math.floor(Math.sqrt(values.length) / 150), numUsers, numItems));
}

/** O(events + numBlocks · numUsers). */
export function dealStrata(events: RatingEvents, seed: number, numBlocks = numBlocksFor(events)): RatingStrata {
  const { numUsers, numItems, userIndex, itemIndex, values } = events;
  const random = createRandom(seed);
  const users = placesOf(userIndex, numUsers, numBlocks, random.shuffle);
  const items = placesOf(itemIndex, numItems, numBlocks, random.shuffle);
  const blockOfPlace = new Int32Array(numItems);
  for (let block = 0; block < numBlocks; block++) blockOfPlace.fill(block, items.bounds[block], items.bounds[block + 1]);

  const byItem = countingSort(events.itemIndex.length, numItems, (event) => items.places[itemIndex[event]]);
  const stride = numUsers + 1;
  const keyOf = (event: number) => blockOfPlace[items.places[itemIndex[event]]] * stride + users.places[userIndex[event]];
  const sorted = countingSort(values.length, numBlocks * stride, (position) => keyOf(byItem.order[position]));
  const order = sorted.order.map((position) => byItem.order[position]);
  return {
    numBlocks,
    userPlaces: users.places,
    itemPlaces: items.places,
    userBounds: users.bounds,
    itemBounds: items.bounds,
    offsets: sorted.offsets.subarray(0, numBlocks * stride),
    items: order.map((event) => items.places[itemIndex[event]]),
    values: Float32Array.from(order, (event) => values[event]),
  };
}

/** A random place for each row, and bounds that give each block its share of the events. */
function placesOf(rows: Int32Array, numRows: number, numBlocks: number, shuffle: (values: Int32Array) => Int32Array) {
  const counts = new Int32Array(numRows);
  for (let e = 0; e < rows.length; e++) counts[rows[e]]++;
  const order = shuffle(Int32Array.from({ length: numRows }, (_, row) => row));
  const places = new Int32Array(numRows);
  const bounds = new Int32Array(numBlocks + 1).fill(numRows);
  bounds[0] = 0;
  let passed = 0;
  let block = 1;
  for (let place = 0; place < numRows; place++) {
    places[order[place]] = place;
    passed += counts[order[place]];
    while (block < numBlocks && passed >= (rows.length * block) / numBlocks) bounds[block++] = place + 1;
  }
  return { places, bounds };
}

/** Stable order of [0, length) by key, and where each key begins (numKeys + 1 offsets). */
function countingSort(length: number, numKeys: number, keyOf: (position: number) => number) {
  const offsets = new Int32Array(numKeys + 1);
  for (let position = 0; position < length; position++) offsets[keyOf(position) + 1]++;
  for (let key = 0; key < numKeys; key++) offsets[key + 1] += offsets[key];
  const next = offsets.slice();
  const order = new Int32Array(length);
  for (let position = 0; position < length; position++) order[next[keyOf(position)]++] = position;
  return { offsets, order };
}

/** Order of the strata in an epoch, and for each block of users where its walk begins and by how many users it steps. */
export function epochPlan({ numBlocks, userBounds }: RatingStrata, seed: number): { shifts: Int32Array; walks: Int32Array } {
  const random = createRandom(seed);
  const shifts = random.shuffle(Int32Array.from({ length: numBlocks }, (_, shift) => shift));
  const walks = new Int32Array(2 * numBlocks);
  for (let block = 0; block < numBlocks; block++) {
    const count = userBounds[block + 1] - userBounds[block];
    if (count === 0) continue;
    walks[2 * block] = random.integer(count);
    let stride = 1 + random.integer(count);
    while (greatestCommonDivisor(stride, count) !== 1) stride++;
    walks[2 * block + 1] = stride % count;
  }
  return { shifts, walks };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
