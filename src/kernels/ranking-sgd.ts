/**
 * Stochastic gradient steps on observed events, by the losses of BPR, WARP and logistic matrix factorization: binding of
 * assembly/ranking-sgd.ts. An epoch takes every event once, in an order and with negatives that follow from its seed.
 * Results are the same bits for any number of threads. Called by models/parts/sgd-fit.ts.
 */
import type { Csr } from "../core/interactions.js";
import { createRandom } from "../core/random.js";
import { type Arena, type ArenaOptions, createArena } from "./arena.js";
import type { KernelBuild } from "./loader.js";
import {
  checkStep,
  misfit,
  planStrata,
  rowLength,
  type SgdStep,
  type Strata,
  settingsBytes,
  warpWeights,
  writeSettings,
} from "./ranking-sgd-layout.js";

export interface RankingSgdProblem extends SgdStep {
  /** Users × items; the items of a row ascend, each once: what may not serve as a negative. Copied in. */
  seen: Csr;
  /** Events by user, each item of them also in `seen`. Copied in, unless it is `seen` itself. */
  events: Pick<Csr, "offsets" | "indices">;
  /** numUsers × rowLength, see ranking-sgd-layout.ts. Copied in. */
  userRows: Float32Array;
  /** numItems × rowLength. Copied in. */
  itemRows: Float32Array;
}

export interface RankingSgdOptions extends ArenaOptions {
  /** Default: from the size of the data (`planStrata`). One block draws negatives from all items. */
  strata?: Strata;
}

export interface RankingSgd {
  readonly build: KernelBuild;
  readonly strata: Strata;
  /** One pass over the events at the given learning rate; resolves to the mean loss of its terms (0 when there are none). */
  epoch(options: { seed: number; learningRate: number; signal?: AbortSignal }): Promise<number>;
  /** Copies, with what the optimizer keeps. */
  userRows(): Float32Array<ArrayBuffer>;
  itemRows(): Float32Array<ArrayBuffer>;
  dispose(): void;
}

type Order = "itemOrder" | "groupOfItem";
type Block =
  | Order
  | "settings"
  | "groupStarts"
  | "seenOffsets"
  | "seenItems"
  | "eventOffsets"
  | "eventItems"
  | "users"
  | "items"
  | "dealt"
  | "ranges"
  | "weights"
  | "sums";

/** Copies the problem into kernel memory. Throws KernelError when arrays do not fit each other or more than 4 GiB are needed. */
export async function createRankingSgd(problem: RankingSgdProblem, options: RankingSgdOptions): Promise<RankingSgd> {
  checkProblem(problem);
  const { seen, events, factors, optimizer, draws } = problem;
  const [numUsers, numItems, numEvents] = [seen.numRows, seen.numColumns, events.indices.length];
  const length = rowLength(factors, optimizer);
  const strata = options.strata ?? planStrata({ numUsers, numItems, numEvents, rowBytes: 4 * length });
  const { blocks, parts } = strata;
  const pairsAreEvents = events.indices === seen.indices;
  const arena = await createArena<Block>(
    {
      purpose: `SGD with ${factors} factors for ${numUsers} users, ${numItems} items and ${numEvents} events`,
      hint: "Use fewer factors, or drop users and items with very few interactions.",
      blocks: {
        settings: settingsBytes,
        seenOffsets: (numUsers + 1) * 4,
        seenItems: seen.indices.length * 4,
        eventOffsets: pairsAreEvents ? 0 : (numUsers + 1) * 4,
        eventItems: pairsAreEvents ? 0 : numEvents * 4,
        users: numUsers * length * 4,
        items: numItems * length * 4,
        dealt: numEvents * 8,
        ranges: (blocks * blocks * parts + 1) * 4,
        itemOrder: numItems * 4,
        groupOfItem: numItems * 4,
        groupStarts: (blocks + 1) * 4,
        weights: (draws + 1) * 4,
        sums: blocks * blocks * 24,
      },
      scratchBytes: 64 + 32 * draws * 4,
    },
    options,
  );
  const at = arena.pointers;
  await arena.copyIn("seenOffsets", seen.offsets);
  await arena.copyIn("seenItems", seen.indices);
  if (!pairsAreEvents) {
    await arena.copyIn("eventOffsets", events.offsets);
    await arena.copyIn("eventItems", events.indices);
  }
  await arena.copyIn("users", problem.userRows);
  await arena.copyIn("items", problem.itemRows);
  arena.float32("weights", draws + 1).set(warpWeights(numItems, draws));
  const settings = { float32: arena.float32("settings", settingsBytes / 4), int32: arena.int32("settings", settingsBytes / 4) };
  writeSettings(settings, problem, { numItems, ...at, warpWeights: at.weights });
  const [eventOffsets, eventItems] = pairsAreEvents ? [at.seenOffsets, at.seenItems] : [at.eventOffsets, at.eventItems];
  arena.int32("groupStarts", blocks + 1).set(evenGroups(events.offsets, blocks));
  const groupItems = Math.max(1, Math.ceil(numItems / blocks));

  async function epoch({ seed, learningRate, signal }: { seed: number; learningRate: number; signal?: AbortSignal }): Promise<number> {
    settings.float32[0] = learningRate;
    const shifts = dealItems(arena, { numItems, blocks, groupItems, seed });
    const deal = [at.groupStarts, eventOffsets, eventItems, at.groupOfItem, blocks, parts, at.dealt, at.ranges + 4];
    await arena.parallel("rankingSgdDeal", { count: blocks, chunk: 1, args: deal }, signal);
    for (const shift of shifts) {
      const args = [at.settings, seed | 0, shift, at.groupStarts, blocks, parts, at.ranges, at.dealt, at.itemOrder, groupItems, at.sums];
      await arena.parallel("rankingSgdEpoch", { count: blocks, chunk: 1, args }, signal);
    }
    const sums = arena.float64("sums", blocks * blocks * 3);
    let [loss, terms] = [0, 0];
    for (let s = 0; s < sums.length; s += 3) {
      loss += sums[s] + Math.log(sums[s + 2]);
      terms += sums[s + 1];
    }
    return terms > 0 ? loss / terms : loss;
  }

  return {
    build: arena.build,
    strata,
    epoch: (epochOptions) => arena.exclusive(() => epoch(epochOptions)),
    userRows: () => arena.float32("users", numUsers * length).slice(),
    itemRows: () => arena.float32("items", numItems * length).slice(),
    dispose: () => arena.dispose(),
  };
}

/** Deals the items into groups anew and gives the rounds' shifts, all from the seed. */
function dealItems(
  arena: Pick<Arena<Order>, "int32">,
  { numItems, blocks, groupItems, seed }: { numItems: number; blocks: number; groupItems: number; seed: number },
): Int32Array {
  const random = createRandom(seed);
  const itemOrder = arena.int32("itemOrder", numItems);
  const groupOfItem = arena.int32("groupOfItem", numItems);
  for (let item = 0; item < numItems; item++) itemOrder[item] = item;
  random.shuffle(itemOrder);
  for (let place = 0; place < numItems; place++) groupOfItem[itemOrder[place]] = Math.floor(place / groupItems);
  return random.shuffle(Int32Array.from({ length: blocks }, (_, shift) => shift));
}

/** First users of `blocks` runs of users with about the same number of events each, and the number of users. */
function evenGroups(offsets: Int32Array, blocks: number): Int32Array {
  const numUsers = offsets.length - 1;
  const starts = new Int32Array(blocks + 1).fill(numUsers);
  for (let b = 0, user = 0; b < blocks; b++) {
    while (user < numUsers && offsets[user] < (offsets[numUsers] * b) / blocks) user++;
    starts[b] = user;
  }
  return starts;
}

function checkProblem(problem: RankingSgdProblem): void {
  checkStep(problem);
  const { seen, events, factors, optimizer, userRows, itemRows } = problem;
  const length = rowLength(factors, optimizer);
  if (events.offsets.length !== seen.numRows + 1)
    throw misfit(`events are of ${events.offsets.length - 1} users, seen is of ${seen.numRows}`);
  for (const [name, rows, numRows] of [
    ["userRows", userRows, seen.numRows],
    ["itemRows", itemRows, seen.numColumns],
  ] as const)
    if (rows.length !== numRows * length) throw misfit(`${name} has ${rows.length} values, but ${numRows} × ${length} are needed`);
  for (let user = 0; user < seen.numRows; user++)
    if (events.offsets[user + 1] > events.offsets[user] && seen.offsets[user + 1] === seen.offsets[user])
      throw misfit(`user ${user} has events, but no items in seen`);
}
