/**
 * Plain twin of assembly/ranking-sgd.ts, ranking-sgd-losses.ts, ranking-sgd-step.ts and ranking-sgd-fold-in.ts in float64, with exact
 * exponentials and the same random numbers: the same events, negatives and order. Rows are arrays of numbers. Called by tests only.
 */
import { createRandom } from "../../core/random.js";
import { adam, rowLength, type SgdStep, type Strata, valueLength, warpWeights } from "../ranking-sgd-layout.js";

export interface ReferenceProblem extends SgdStep {
  seen: { numRows: number; numColumns: number; offsets: Int32Array; indices: Int32Array };
  events: { offsets: Int32Array; indices: Int32Array };
  userRows: number[];
  itemRows: number[];
}

/** 32 random bits by splitmix32; the kernel keeps its state in memory. */
type Bits = () => number;

function bitsFrom(state: number): Bits {
  let mix = state >>> 0;
  return () => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

const unitBits = (seed: number, unit: number): Bits => bitsFrom(bitsFrom(seed ^ Math.imul(unit + 1, 0x85ebca6b))());
const below = (bits: Bits, n: number): number => Math.floor((bits() / 2 ** 32) * n);
const slope = (t: number): number => 1 / (1 + Math.exp(t));
const lossOf = (t: number): number => Math.max(-t, 0) + Math.log1p(Math.exp(-Math.abs(t)));

/** One epoch in place, strata in rounds as the kernel takes them; returns the mean loss. */
export function referenceEpoch(
  problem: ReferenceProblem,
  { blocks, parts }: Strata,
  { seed, learningRate }: { seed: number; learningRate: number },
): number {
  const { seen, events, negatives } = problem;
  const { numColumns: numItems, numRows: numUsers } = seen;
  const random = createRandom(seed);
  const itemOrder = random.shuffle(Int32Array.from({ length: numItems }, (_, item) => item));
  const groupItems = Math.max(1, Math.ceil(numItems / blocks));
  const groupOf = (item: number) => Math.floor(itemOrder.indexOf(item) / groupItems);
  const shifts = random.shuffle(Int32Array.from({ length: blocks }, (_, shift) => shift));
  const startOf = (b: number) => {
    if (b === blocks) return numUsers;
    const user = events.offsets.findIndex((offset) => offset >= (events.offsets[numUsers] * b) / blocks);
    return Math.min(user, numUsers);
  };
  const sum = { loss: 0, terms: 0 };
  for (const shift of shifts) {
    for (let b = 0; b < blocks; b++) {
      const c = (b + shift) % blocks;
      const [first, last] = [startOf(b), startOf(b + 1)];
      const partUsers = Math.max(1, Math.ceil((last - first) / parts));
      const dealt: [number, number][][] = Array.from({ length: parts }, () => []);
      for (let user = first; user < last; user++)
        for (const item of events.indices.subarray(events.offsets[user], events.offsets[user + 1]))
          if (groupOf(item) === c) dealt[Math.floor((user - first) / partUsers)].push([user, item]);
      const bits = unitBits(seed, b * blocks + c);
      const uniform = Array.from(itemOrder.subarray(c * groupItems, (c + 1) * groupItems));
      for (let p = 0; p < parts; p++) {
        const range = dealt[(p + shift) % parts];
        for (let i = range.length; i > 1; i--) {
          const j = below(bits, i);
          [range[i - 1], range[j]] = [range[j], range[i - 1]];
        }
        const pool = () => (negatives === "popularity" ? dealt.flat().map(([, item]) => item) : uniform);
        trainOn(range, problem, { learningRate, bits, pool: pool(), sum });
      }
    }
  }
  return sum.terms > 0 ? sum.loss / sum.terms : sum.loss;
}

interface Course {
  learningRate: number;
  bits: Bits;
  pool: readonly number[];
  sum: { loss: number; terms: number };
}

function trainOn(range: readonly (readonly [number, number])[], problem: ReferenceProblem, course: Course): void {
  const { seen, factors, optimizer, userRows, itemRows } = problem;
  const length = rowLength(factors, optimizer);
  const listOf = (user: number) => seen.indices.subarray(seen.offsets[user], seen.offsets[user + 1]);
  for (let start = 0; start < range.length; start += 32) {
    const batch = range.slice(start, start + 32);
    const negatives = batch.map(([user]) => drawNegatives(problem, course, listOf(user)));
    batch.forEach(([user, item], k) => {
      const row = { rows: userRows, at: user * length };
      learn(problem, course, {
        user: row,
        item,
        negatives: negatives[k],
        list: listOf(user),
        items: itemRows,
        itemLength: length,
        fixed: false,
      });
    });
  }
}

function drawNegatives({ loss, draws }: SgdStep, { bits, pool }: Course, list: Int32Array): number[] {
  return Array.from({ length: loss === "bpr" ? 1 : loss === "warp" ? 0 : draws }, () => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const item = pool[below(bits, pool.length)];
      if (!list.includes(item)) return item;
    }
    return -1;
  });
}

interface Row {
  rows: number[];
  at: number;
}

interface Lesson {
  user: Row;
  item: number;
  negatives: readonly number[];
  list: Int32Array;
  items: number[];
  itemLength: number;
  /** Items stay as they are. */
  fixed: boolean;
}

function learn(step: SgdStep, course: Course, { user, item, negatives, list, items, itemLength, fixed }: Lesson): void {
  const { positive, negative } = step.regularization;
  const { bits, pool, sum } = course;
  const rowOf = (index: number): Row => ({ rows: items, at: index * itemLength });
  const add = (loss: number) => {
    sum.loss += loss;
    sum.terms++;
  };
  const liked = rowOf(item);
  const score = scoreOf(step, user, liked);
  if (step.loss === "bpr") {
    if (negatives[0] < 0) return;
    const other = rowOf(negatives[0]);
    const difference = score - scoreOf(step, user, other);
    moveTriple(step, course.learningRate, { user, liked, other, z: slope(difference), fixed });
    add(lossOf(difference));
  } else if (step.loss === "warp") {
    const weights = warpWeights(items.length / itemLength, step.draws);
    for (let trial = 1; trial <= step.draws; trial++) {
      const drawn = pool[below(bits, pool.length)];
      const violation = scoreOf(step, user, rowOf(drawn)) - score + 1;
      if (violation <= 0 || list.includes(drawn)) continue;
      moveTriple(step, course.learningRate, { user, liked, other: rowOf(drawn), z: weights[trial], fixed });
      add(weights[trial] * violation);
      return;
    }
    add(0);
  } else {
    movePair(step, course.learningRate, { user, item: liked, z: slope(score), penalty: positive, fixed });
    add(lossOf(score));
    for (const drawn of negatives) {
      if (drawn < 0) continue;
      const own = scoreOf(step, user, rowOf(drawn));
      movePair(step, course.learningRate, { user, item: rowOf(drawn), z: -slope(-own), penalty: negative, fixed });
      add(lossOf(-own));
    }
  }
}

const biasAt = (factors: number): number => valueLength(factors) - 4;

function scoreOf({ factors }: SgdStep, x: Row, y: Row): number {
  let score = x.rows[x.at + biasAt(factors)] + y.rows[y.at + biasAt(factors)];
  for (let k = 0; k < factors; k++) score += x.rows[x.at + k] * y.rows[y.at + k];
  return score;
}

function moveTriple(
  step: SgdStep,
  rate: number,
  { user, liked, other, z, fixed }: { user: Row; liked: Row; other: Row; z: number; fixed: boolean },
): void {
  const { regularization, factors } = step;
  const gradients = (row: Row, gradient: (k: number) => number, penalty: number, biasGradient: number | undefined) => ({
    row,
    factors: Array.from({ length: factors }, (_, k) => gradient(k) - penalty * row.rows[row.at + k]),
    bias: biasGradient === undefined ? undefined : biasGradient - regularization.bias * row.rows[row.at + biasAt(factors)],
  });
  const value = (row: Row, k: number) => row.rows[row.at + k];
  const moves = [
    gradients(user, (k) => z * (value(liked, k) - value(other, k)), regularization.user, undefined),
    gradients(liked, (k) => z * value(user, k), regularization.positive, z),
    gradients(other, (k) => -z * value(user, k), regularization.negative, -z),
  ];
  for (const move of fixed ? moves.slice(0, 1) : moves) apply(step, rate, move);
}

function movePair(
  step: SgdStep,
  rate: number,
  { user, item, z, penalty, fixed }: { user: Row; item: Row; z: number; penalty: number; fixed: boolean },
): void {
  const { regularization, factors } = step;
  const gradients = (row: Row, other: Row, lambda: number) => ({
    row,
    factors: Array.from({ length: factors }, (_, k) => z * other.rows[other.at + k] - lambda * row.rows[row.at + k]),
    bias: z - regularization.bias * row.rows[row.at + biasAt(factors)],
  });
  const moves = [gradients(user, item, regularization.user), gradients(item, user, penalty)];
  for (const move of fixed ? moves.slice(0, 1) : moves) apply(step, rate, move);
}

/** One step of the optimizer on a row; p moves along its gradient. */
function apply(
  { factors, optimizer }: SgdStep,
  rate: number,
  { row, factors: gradients, bias }: { row: Row; factors: number[]; bias: number | undefined },
): void {
  const { rows, at } = row;
  const values = valueLength(factors);
  const places = [
    ...gradients.map((gradient, k) => ({ at: at + k, gradient })),
    ...(bias === undefined ? [] : [{ at: at + biasAt(factors), gradient: bias }]),
  ];
  let own = rate;
  if (optimizer === "adam") {
    const powers = at + rowLength(factors, optimizer) - 4;
    rows[powers] *= adam.beta1;
    rows[powers + 1] *= adam.beta2;
    own = (rate * Math.sqrt(1 - rows[powers + 1])) / (1 - rows[powers]);
  }
  for (const { at: place, gradient } of places) {
    if (optimizer === "sgd") rows[place] += rate * gradient;
    else if (optimizer === "adagrad") {
      rows[place + values] += gradient ** 2;
      rows[place] += (rate * gradient) / Math.sqrt(rows[place + values]);
    } else {
      rows[place + values] = adam.beta1 * rows[place + values] + (1 - adam.beta1) * gradient;
      rows[place + 2 * values] = adam.beta2 * rows[place + 2 * values] + (1 - adam.beta2) * gradient ** 2;
      rows[place] += (own * rows[place + values]) / (Math.sqrt(rows[place + 2 * values]) + adam.epsilon);
    }
  }
}

/** Values of the row that a history folds into; `itemValues` numItems × valueLength. */
export function referenceFoldIn(
  step: SgdStep & { itemValues: number[]; pool: readonly number[]; rates: readonly number[]; seed: number },
  history: readonly number[],
): number[] {
  const values = valueLength(step.factors);
  const mean = new Array<number>(values).fill(0);
  if (history.length === 0) return mean;
  const events = [...history].sort((a, b) => a - b);
  const list = Int32Array.from(new Set(events));
  const rows = new Array<number>(rowLength(step.factors, step.optimizer)).fill(0);
  if (step.optimizer === "adagrad") rows.fill(1, values);
  if (step.optimizer === "adam") rows.fill(1, rows.length - 4, rows.length - 2);
  const bits = unitBits(step.seed, 0);
  const half = Math.floor(step.rates.length / 2);
  const share = (step.rates.length - half) * events.length;
  step.rates.forEach((learningRate, pass) => {
    for (let k = 0; k < events.length; k++) {
      const course = { learningRate, bits, pool: step.pool, sum: { loss: 0, terms: 0 } };
      const item = events[below(bits, events.length)];
      const negatives = drawNegatives(step, course, list);
      learn(step, course, { user: { rows, at: 0 }, item, negatives, list, items: step.itemValues, itemLength: values, fixed: true });
      if (pass >= half) for (let v = 0; v < values; v++) mean[v] += rows[v] / share;
    }
  });
  return mean;
}
