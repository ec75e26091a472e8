/**
 * Rows of users unknown at training time, by the steps of training on their history with the items fixed: binding of
 * assembly/ranking-sgd-fold-in.ts. An answer depends on the history alone, not on its batch. Called by models/parts/sgd-model.ts.
 */
import { KernelError } from "../core/errors.js";
import { type ArenaOptions, createArena } from "./arena.js";
import {
  checkStep,
  resetOptimizer,
  rowLength,
  type SgdStep,
  settingsBytes,
  valueLength,
  warpWeights,
  writeSettings,
} from "./ranking-sgd-layout.js";

export interface RankingSgdFoldInProblem extends SgdStep {
  /** numItems × valueLength, see ranking-sgd-layout.ts. Copied in. */
  itemValues: Float32Array;
  numItems: number;
  /** What negatives are drawn from, with equal chances: every item once, or items as often as they are popular. Copied in. */
  pool: Int32Array;
  /** Learning rate of each pass over the history. */
  rates: readonly number[];
  seed: number;
}

export interface RankingSgdFoldIn {
  /** `histories`: items of events, repeats kept. Gives histories.length × valueLength; zeros for an empty one. */
  encode(histories: readonly ArrayLike<number>[]): Promise<Float32Array>;
  dispose(): void;
}

type Block = "settings" | "items" | "weights" | "pool" | "rates" | "start" | "eventOffsets" | "events" | "seenOffsets" | "seen" | "rows";

const rowsPerBatch = 1024;
const leastEvents = 2 ** 16;
/** Multiply-adds up to which a batch is worked on by the calling thread: about a millisecond. */
const inlineWork = 5e5;

/** Keeps a copy of the item values. */
export async function createRankingSgdFoldIn(
  problem: RankingSgdFoldInProblem,
  options: Partial<ArenaOptions> = {},
): Promise<RankingSgdFoldIn> {
  checkStep(problem);
  const { factors, optimizer, draws, numItems, itemValues, pool, rates, seed } = problem;
  const [values, length] = [valueLength(factors), rowLength(factors, optimizer)];
  if (itemValues.length !== numItems * values)
    throw new KernelError(`SGD fold-in: itemValues has ${itemValues.length} values, not ${numItems} × ${values}.`);
  const maxEvents = Math.max(leastEvents, numItems);
  const arena = await createArena<Block>(
    {
      purpose: `SGD fold-in with ${factors} factors for ${numItems} items`,
      hint: "Use fewer factors or fewer items.",
      blocks: {
        settings: settingsBytes,
        items: numItems * values * 4,
        weights: (draws + 1) * 4,
        pool: pool.length * 4,
        rates: rates.length * 4,
        start: length * 4,
        eventOffsets: (rowsPerBatch + 1) * 4,
        events: maxEvents * 4,
        seenOffsets: (rowsPerBatch + 1) * 4,
        seen: maxEvents * 4,
        rows: rowsPerBatch * values * 4,
      },
      scratchBytes: 64 + length * 4 + settingsBytes + draws * 4,
    },
    { threads: 1, ...options },
  );
  const at = arena.pointers;
  await arena.copyIn("items", itemValues);
  await arena.copyIn("pool", pool);
  arena.float32("weights", draws + 1).set(warpWeights(numItems, draws));
  arena.float32("rates", rates.length).set(rates);
  resetOptimizer(arena.float32("start", length), factors, optimizer);
  const settings = { float32: arena.float32("settings", settingsBytes / 4), int32: arena.int32("settings", settingsBytes / 4) };
  writeSettings(settings, problem, { numItems, users: 0, items: at.items, seenOffsets: 0, seenItems: 0, warpWeights: at.weights });

  async function encodeBatch(histories: readonly Int32Array[], out: Float32Array): Promise<void> {
    fillRows(histories, arena.int32("eventOffsets", histories.length + 1), arena.int32("events", maxEvents));
    fillRows(histories.map(distinct), arena.int32("seenOffsets", histories.length + 1), arena.int32("seen", maxEvents));
    const args = [
      at.settings,
      at.eventOffsets,
      at.events,
      at.seenOffsets,
      at.seen,
      at.rates,
      rates.length,
      at.start,
      at.pool,
      pool.length,
      seed | 0,
      at.rows,
    ];
    const numEvents = histories.reduce((sum, { length }) => sum + length, 0);
    const work = numEvents * rates.length * draws * values * 4;
    if (work <= inlineWork) arena.runHere("rankingSgdFoldIn", { count: histories.length, args });
    else await arena.parallel("rankingSgdFoldIn", { count: histories.length, chunk: 4, args });
    out.set(arena.float32("rows", histories.length * values));
  }

  return {
    async encode(histories) {
      const checked = histories.map((history) => checkedHistory(history, numItems, maxEvents));
      const out = new Float32Array(histories.length * values);
      for (let begin = 0; begin < checked.length; ) {
        let end = begin;
        for (let events = 0; end < checked.length && end - begin < rowsPerBatch; end++) {
          events += checked[end].length;
          if (events > maxEvents) break;
        }
        const batch = checked.slice(begin, end);
        const target = out.subarray(begin * values, end * values);
        await arena.exclusive(() => encodeBatch(batch, target));
        begin = end;
      }
      return out;
    },
    dispose: () => arena.dispose(),
  };
}

function fillRows(rows: readonly Int32Array[], offsets: Int32Array, target: Int32Array): void {
  offsets[0] = 0;
  rows.forEach((row, r) => {
    target.set(row, offsets[r]);
    offsets[r + 1] = offsets[r] + row.length;
  });
}

/** Events in ascending order of their items, so that the order of a history does not count; each item once in an overlong one. */
function checkedHistory(history: ArrayLike<number>, numItems: number, maxEvents: number): Int32Array {
  const events = Int32Array.from(history).sort();
  if (events.length > 0 && !(events[0] >= 0 && events[events.length - 1] < numItems))
    throw new KernelError(`SGD fold-in: an item of a history is outside [0, ${numItems}).`, {
      hint: "Histories hold item indexes of the model.",
    });
  return events.length <= maxEvents ? events : Int32Array.from(new Set(events));
}

const distinct = (ascending: Int32Array): Int32Array => ascending.filter((item, k) => k === 0 || item !== ascending[k - 1]);
