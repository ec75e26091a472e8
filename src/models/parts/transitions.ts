/**
 * Transition tables of `markov`: how strongly item j follows item a (forward) or precedes it (reverse).
 *   n(a, j) = Σ over pairs a … j of one sequence, up to `window` steps apart, of fading · border / gap
 *   value(a, j) = (n(a, j) / (n(a) + smoothing))^exponent / n(j)^popularityDiscount
 * Each row keeps its `neighbours` largest values. One dense row of accumulators is all the memory beside the result, and each
 * item's pairs are added in input order, so that the sums do not depend on how users or items are numbered.
 */
import type { Interactions } from "../../core/interactions.js";
import type { Progress } from "../../core/model.js";
import { createPacer } from "../../core/pacer.js";
import { DAY, latestTimestamp } from "./recency.js";
import type { Sequences } from "./sequences.js";

export interface TransitionParams {
  window: number;
  exponent: number;
  smoothing: number;
  popularityDiscount: number;
  acrossBaskets: number;
  /** 0 leaves the reverse table empty. */
  reverse: number;
  neighbours: number;
  halfLifeDays?: number | undefined;
}

/** CSR, columns ascending within a row. */
export interface TransitionRows {
  offsets: Int32Array;
  indices: Int32Array;
  values: Float32Array;
}

const NO_ENTRIES: Row = { indices: new Int32Array(0), values: new Float32Array(0) };
const LEAST_FADING = 2 ** -30; // older pairs still count a little, so that no row loses its sum to underflow

/** Forward and reverse table. O(events · window), then O(pairs) to keep the largest of each row. */
export async function transitionTables(
  train: Interactions,
  sequences: Sequences,
  params: TransitionParams,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: ((progress: Progress) => void) | undefined },
): Promise<{ forward: TransitionRows; reverse: TransitionRows }> {
  const { numItems } = train;
  const pace = createPacer(signal);
  const count = pairCounter(train, sequences, params);
  const sums = { forward: new Float64Array(numItems), reverse: new Float64Array(numItems) };
  for (let item = 0; item < numItems; item++) {
    if (item % 64 === 0) await pace();
    sums.forward[item] = count(item, 1).sum;
    sums.reverse[item] = count(item, -1).sum;
  }
  const forward = rowsBuilder(numItems);
  const reverse = rowsBuilder(numItems);
  for (let item = 0; item < numItems; item++) {
    if (item % 64 === 0) {
      await pace();
      onProgress?.({ stage: "markov transitions", done: item, total: numItems });
    }
    // how often an item is reached is the row sum of the other direction
    forward.add(item, valuedRow(count(item, 1), sums.reverse, params));
    reverse.add(item, params.reverse > 0 ? valuedRow(count(item, -1), sums.forward, params) : NO_ENTRIES);
  }
  onProgress?.({ stage: "markov transitions", done: numItems, total: numItems });
  await pace();
  return { forward: forward.rows(), reverse: reverse.rows() };
}

/** The value of column `item` in `row`, 0 where there is none. */
export function transitionValue({ offsets, indices, values }: TransitionRows, row: number, item: number): number {
  let low = offsets[row];
  let high = offsets[row + 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (indices[middle] < item) low = middle + 1;
    else high = middle;
  }
  return low < offsets[row + 1] && indices[low] === item ? values[low] : 0;
}

interface Counted {
  sum: number;
  /** Items with a count, in order of their first pair. */
  items: readonly number[];
  counts: Float64Array;
}

/** Counts the pairs of one item with those that follow (direction 1) or precede it (−1). */
function pairCounter(
  train: Interactions,
  { offsets, positions, slotOf, sequenceOf }: Sequences,
  { window, acrossBaskets, halfLifeDays }: TransitionParams,
): (item: number, direction: 1 | -1) => Counted {
  const { itemIndex, timestamp, basket } = train;
  const { offsets: eventOffsets, positions: eventPositions } = train.eventsByItem();
  const now = timestamp ? latestTimestamp(timestamp) : 0;
  const fading = (e: number) =>
    halfLifeDays && timestamp ? Math.max(LEAST_FADING, 2 ** (-(now - timestamp[e]) / (halfLifeDays * DAY))) : 1;
  const counts = new Float64Array(train.numItems);
  let items: number[] = [];
  return (item, direction) => {
    for (const touched of items) counts[touched] = 0;
    items = [];
    let sum = 0;
    for (let at = eventOffsets[item]; at < eventOffsets[item + 1]; at++) {
      const e = eventPositions[at];
      if (slotOf[e] < 0) continue;
      const [first, end] = [offsets[sequenceOf[e]], offsets[sequenceOf[e] + 1]];
      const own = halfLifeDays && direction === 1 ? fading(e) : 1;
      for (let gap = 1; gap <= window; gap++) {
        const slot = slotOf[e] + direction * gap;
        if (slot < first || slot >= end) break;
        const other = itemIndex[positions[slot]];
        if (other === item) continue;
        const border = basket && basket[positions[slot]] !== basket[e] ? acrossBaskets : 1;
        if (border === 0) break;
        const pair = ((direction === 1 ? own : fading(positions[slot])) * border) / gap; // a pair is as old as its first event
        if (counts[other] === 0) items.push(other);
        counts[other] += pair;
        sum += pair;
      }
    }
    return { sum, items, counts };
  };
}

/** Items ascending with their values, the largest `neighbours` of them; of equal values at the edge the lower items. */
function valuedRow(
  { sum, items, counts }: Counted,
  reached: Float64Array,
  { smoothing, exponent, popularityDiscount, neighbours }: TransitionParams,
): Row {
  const indices = Int32Array.from(items).sort();
  const values = new Float32Array(indices.length);
  for (let e = 0; e < indices.length; e++)
    values[e] = (counts[indices[e]] / (sum + smoothing)) ** exponent / reached[indices[e]] ** popularityDiscount;
  if (indices.length <= neighbours) return { indices, values };
  const sorted = values.slice().sort();
  const edge = sorted[sorted.length - neighbours];
  let atEdge = neighbours;
  for (let e = sorted.length - 1; sorted[e] > edge; e--) atEdge--;
  let kept = 0;
  for (let e = 0; e < indices.length; e++) {
    if (values[e] < edge || (values[e] === edge && atEdge-- <= 0)) continue;
    indices[kept] = indices[e];
    values[kept++] = values[e];
  }
  return { indices: indices.subarray(0, kept), values: values.subarray(0, kept) };
}

interface Row {
  indices: Int32Array;
  values: Float32Array;
}

function rowsBuilder(numItems: number) {
  const offsets = new Int32Array(numItems + 1);
  let indices = new Int32Array(1024);
  let values = new Float32Array(1024);
  let length = 0;
  return {
    add(row: number, entries: Row): void {
      const end = length + entries.indices.length;
      if (end > indices.length) {
        const room = Math.max(2 * indices.length, end);
        const [oldIndices, oldValues] = [indices, values];
        indices = new Int32Array(room);
        values = new Float32Array(room);
        indices.set(oldIndices);
        values.set(oldValues);
      }
      indices.set(entries.indices, length);
      values.set(entries.values, length);
      length = end;
      offsets[row + 1] = end;
    },
    rows: (): TransitionRows => ({ offsets, indices: indices.slice(0, length), values: values.slice(0, length) }),
  };
}
