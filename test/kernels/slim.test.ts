/**
 * SLIM's columns against an independent coordinate descent in float64, and against the conditions of the optimum, in every variant;
 * candidates, lists and resuming. Tolerance: 1e-3 on weights up to 1 (stopping rule 1e-6, float32 sums).
 */
import { describe, expect, it } from "vitest";
import type { ArenaOptions } from "../../src/kernels/arena.js";
import { referenceItemGram } from "../../src/kernels/reference/ease.js";
import { referenceSlimColumn } from "../../src/kernels/reference/slim.js";
import { type SlimLists, type SlimOptions, type SlimProblem, slimPart, solveSlim } from "../../src/kernels/slim.js";
import { expectError } from "../support/errors.js";
import { alsProblem } from "./als-fixture.js";
import { builds, environments, variants } from "./variants.js";

function slimProblem(numItems: number, more: Partial<SlimProblem> = {}, seed = numItems): SlimProblem {
  const lengths = Array.from({ length: 50 }, (_, user) => Math.min(numItems, (user * 5) % 17));
  const { matrixByUser, matrixByItem } = alsProblem({ lengths, numItems, factors: 1, seed });
  const rules = {
    regularization: 2,
    l1Regularization: 0.4,
    nonNegative: true,
    candidates: 1000,
    topN: numItems,
    tolerance: 1e-6,
    sweeps: 5000,
  };
  return { matrixByUser, matrixByItem, binary: true, ...rules, ...more };
}

/** Column `item` as a dense vector. */
function columnOf({ items, weights }: SlimLists, item: number, numItems: number): Float64Array {
  const column = new Float64Array(numItems);
  const size = items.length / numItems;
  for (let place = item * size; place < (item + 1) * size; place++) if (items[place] >= 0) column[items[place]] = weights[place];
  return column;
}

/** How far a column is from the conditions of the optimum (its subgradient from 0), beside the largest entry of G. */
function violation(gram: Float64Array, column: Float64Array, item: number, problem: SlimProblem): number {
  const numItems = column.length;
  const { regularization, l1Regularization, nonNegative } = problem;
  let worst = 0;
  for (let j = 0; j < numItems; j++) {
    if (j === item || gram[j * numItems + item] === 0) continue; // no candidate
    let gradient = regularization * column[j] - gram[j * numItems + item];
    for (let k = 0; k < numItems; k++) gradient += gram[j * numItems + k] * column[k];
    if (column[j] !== 0) worst = Math.max(worst, Math.abs(gradient + Math.sign(column[j]) * l1Regularization));
    else worst = Math.max(worst, (nonNegative ? -gradient : Math.abs(gradient)) - l1Regularization);
    if (nonNegative) worst = Math.max(worst, -column[j]);
  }
  return worst / Math.max(...gram);
}

const settings: Partial<SlimProblem>[] = [{}, { nonNegative: false }, { binary: false, l1Regularization: 0.1 }, { l1Regularization: 0 }];
const problems = Array.from({ length: 67 }, (_, k) => slimProblem(k + 2, settings[k % 4]));

describe.each(variants)("$title", ({ options }) => {
  it("2 to 68 items: the optimum of every column", async () => {
    for (const problem of problems) {
      const numItems = problem.matrixByItem.numRows;
      const gram = referenceItemGram(problem.matrixByUser, problem.binary);
      const lists = await solveSlim(problem, options);
      for (let item = 0; item < numItems; item += 5) {
        const column = columnOf(lists, item, numItems);
        expect(column[item]).toBe(0);
        expect(violation(gram, column, item, problem), `${numItems} items, column ${item}`).toBeLessThan(1e-5);
      }
    }
  });

  it("equals an independent coordinate descent", async () => {
    for (const more of settings) {
      // where every item meets every other, no weight is left to items outside the candidates
      const problem = slimProblem(12, more, 3);
      const gram = referenceItemGram(problem.matrixByUser, problem.binary);
      expect(gram.every((value) => value > 0)).toBe(true);
      const lists = await solveSlim(problem, options);
      for (let item = 0; item < 12; item++) {
        const expected = referenceSlimColumn(gram, item, problem);
        for (const [j, weight] of columnOf(lists, item, 12).entries()) expect(Math.abs(weight - expected[j])).toBeLessThan(1e-3);
      }
    }
  });
});

const bytes = ({ items, weights }: SlimLists) => Buffer.concat([Buffer.from(items.buffer), Buffer.from(weights.buffer)]);

it.each(builds)("%s: the same bits for any threads and either memory, and after a break", async (build) => {
  const problem = slimProblem(2 * slimPart + 30, { topN: 20, candidates: 40 });
  const solve = (more: Partial<SlimOptions> & ArenaOptions) => solveSlim(problem, { build, ...more });
  const first = await solve({ threads: 1 });
  for (const environment of [...environments, { shared: true, threads: 5 }])
    expect(bytes(await solve(environment)).equals(bytes(first))).toBe(true);
  const kept: SlimLists[] = [];
  await solve({
    threads: 2,
    onItems: async (_, lists) => {
      kept.push(lists());
    },
  });
  expect(kept.length).toBe(3);
  expect(bytes(await solve({ threads: 2, resume: { from: slimPart, lists: kept[0] } })).equals(bytes(first))).toBe(true);
});

it("few candidates: those most alike by cosine, solved among themselves", async () => {
  const problem = slimProblem(30, { candidates: 3, l1Regularization: 0 });
  const gram = referenceItemGram(problem.matrixByUser, true);
  const lists = await solveSlim(problem, { threads: 2 });
  for (let item = 0; item < 30; item++) {
    const cosine = (j: number) => (j === item ? -1 : gram[item * 30 + j] ** 2 / (gram[j * 30 + j] || 1));
    const alike = Array.from({ length: 30 }, (_, j) => j).sort((a, b) => cosine(b) - cosine(a) || a - b);
    const chosen = alike.slice(0, 3).filter((j) => cosine(j) > 0);
    const column = columnOf(lists, item, 30);
    for (let j = 0; j < 30; j++) if (!chosen.includes(j)) expect(column[j]).toBe(0);
    const among = [...chosen, item];
    const small = Float64Array.from(
      { length: among.length ** 2 },
      (_, at) => gram[among[Math.floor(at / among.length)] * 30 + among[at % among.length]],
    );
    const expected = referenceSlimColumn(small, among.length - 1, problem);
    for (const [k, j] of chosen.entries()) expect(column[j]).toBeCloseTo(expected[k], 4);
  }
});

it("lists the largest weights first", async () => {
  const all = await solveSlim(slimProblem(40), { threads: 1 });
  const few = await solveSlim(slimProblem(40, { topN: 3 }), { threads: 1 });
  for (let item = 0; item < 40; item++) {
    expect(few.items.slice(item * 3, item * 3 + 3)).toEqual(all.items.slice(item * 40, item * 40 + 3));
    for (let place = 1; place < 40; place++) expect(all.weights[item * 40 + place]).toBeLessThanOrEqual(all.weights[item * 40 + place - 1]);
  }
});

it("weights of any size: the same columns when λ grows with their square", async () => {
  const problem = slimProblem(30, { binary: false });
  const scaledBy = (factor: number): SlimProblem => ({
    ...problem,
    regularization: problem.regularization * factor ** 2,
    l1Regularization: problem.l1Regularization * factor ** 2,
    matrixByUser: { ...problem.matrixByUser, values: problem.matrixByUser.values.map((value) => value * factor) },
    matrixByItem: { ...problem.matrixByItem, values: problem.matrixByItem.values.map((value) => value * factor) },
  });
  const one = bytes(await solveSlim(problem, { threads: 1 }));
  for (const factor of [2 ** 95, 2 ** -95]) expect(bytes(await solveSlim(scaledBy(factor), { threads: 1 })).equals(one)).toBe(true);
});

it("stops when aborted, between parts too", async () => {
  await expectError(solveSlim(slimProblem(30), { threads: 1, signal: AbortSignal.abort() }), "E_CANCELLED");
  const controller = new AbortController();
  const onItems = async () => controller.abort();
  await expectError(solveSlim(slimProblem(300, { topN: 5 }), { threads: 2, signal: controller.signal, onItems }), "E_CANCELLED");
});
