/**
 * Exact top-k against its float64 twin in every variant. Vectors of small whole numbers make every score exact and ties frequent,
 * so scores and order are compared for equality; real vectors are compared within 1e-5 of the largest score.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KernelError } from "../../src/core/errors.js";
import { createRandom } from "../../src/core/random.js";
import type { ArenaOptions } from "../../src/kernels/arena.js";
import { referenceTopK } from "../../src/kernels/reference/top-k.js";
import { createTopKIndex, type TopKSearchOptions } from "../../src/kernels/top-k.js";
import { normals } from "./als-fixture.js";
import { builds, environments, variants } from "./variants.js";

function wholeNumbers(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => random.integer(5) - 2);
}

/** About a third of the items for each query, ascending; a few patterns take turns. */
function someExcluded(numQueries: number, numItems: number, seed: number) {
  const random = createRandom(seed);
  const everyItem = Int32Array.from({ length: numItems }, (_, item) => item);
  const patterns = Array.from({ length: 7 }, () => everyItem.filter(() => random.integer(3) === 0));
  const offsets = new Int32Array(numQueries + 1);
  for (let q = 0; q < numQueries; q++) offsets[q + 1] = offsets[q] + patterns[q % 7].length;
  const indices = new Int32Array(offsets[numQueries]);
  for (let q = 0; q < numQueries; q++) indices.set(patterns[q % 7], offsets[q]);
  return { offsets, indices };
}

async function search(
  items: Float32Array,
  queries: Float32Array,
  shape: { numItems: number; dimensions: number },
  options: TopKSearchOptions & ArenaOptions,
) {
  const index = await createTopKIndex(items, { ...shape, ...options });
  const result = await index.search(queries, options);
  index.dispose();
  return result;
}

interface Shape {
  numItems: number;
  dimensions: number;
  numQueries: number;
  topK: number;
  seed: number;
}

const expectations = new Map<string, ReturnType<typeof questions>>();

/** The same question with and without exclusions, with its answer; kept for the next variant. */
function questions({ numItems, dimensions, numQueries, topK, seed }: Shape) {
  const items = wholeNumbers(numItems * dimensions, seed);
  const queries = wholeNumbers(numQueries * dimensions, seed + 1);
  const answers = [undefined, someExcluded(numQueries, numItems, seed + 2)].map((excluded) => {
    const { itemIndex, score } = referenceTopK(items, queries, { numItems, dimensions, topK, excluded });
    return { excluded, expected: { itemIndex, score: Float32Array.from(score) } };
  });
  return { items, queries, answers };
}

async function expectExact(shape: Shape, options: ArenaOptions) {
  const key = JSON.stringify(shape);
  const { items, queries, answers } = expectations.get(key) ?? questions(shape);
  expectations.set(key, { items, queries, answers });
  for (const { excluded, expected } of answers) {
    const result = await search(items, queries, shape, { topK: shape.topK, excluded, ...options });
    expect(result, `${key} ${excluded ? "with" : "without"} exclusions`).toEqual(expected);
  }
}

describe.each(variants)("$title", ({ options }) => {
  it("1 to 67 dimensions, 0 to 67 items, one to nine queries", async () => {
    for (let k = 0; k <= 67; k++) {
      const seed = 1000 + k;
      await expectExact(
        { numItems: (k * 31) % 68, dimensions: Math.max(1, k), numQueries: 1 + (k % 3), topK: 1 + (k % 12), seed },
        options,
      );
      await expectExact({ numItems: k, dimensions: 1 + (k % 5), numQueries: 4 + (k % 6), topK: 1 + (k % 80), seed }, options);
    }
  });

  it("more work than fits the calling thread: several partitions, several tiles", async () => {
    for (const numQueries of [1, 3, 70])
      await expectExact({ numItems: 9001, dimensions: 260, numQueries, topK: 20, seed: numQueries }, options);
  });

  it("real vectors, and the longest", async () => {
    for (const dimensions of [90, 1000]) {
      const shape = { numItems: 700, dimensions };
      const items = normals(700 * dimensions, 1);
      const queries = normals(9 * dimensions, 2);
      const result = await search(items, queries, shape, { topK: 700, ...options });
      const expected = referenceTopK(items, queries, { ...shape, topK: 700 });
      const largest = Math.max(...expected.score);
      for (const [place, score] of expected.score.entries()) expect(Math.abs(result.score[place] - score)).toBeLessThan(1e-5 * largest);
      for (let q = 0; q < 9; q++) expect(new Set(result.itemIndex.subarray(q * 700, q * 700 + 700)).size).toBe(700);
    }
  });

  it("searches at the same time do not mix", async () => {
    const items = wholeNumbers(3000 * 40, 1);
    const index = await createTopKIndex(items, { numItems: 3000, dimensions: 40, ...options });
    const sets = Array.from({ length: 6 }, (_, k) => wholeNumbers((1 + 30 * k) * 40, k));
    const results = await Promise.all(sets.map((queries) => index.search(queries, { topK: 5 })));
    for (const [k, queries] of sets.entries())
      expect([...results[k].itemIndex]).toEqual([...referenceTopK(items, queries, { numItems: 3000, dimensions: 40, topK: 5 }).itemIndex]);
    index.dispose();
  });
});

it("random shapes", async () => {
  const shape = fc.record({
    numItems: fc.integer({ min: 0, max: 400 }),
    dimensions: fc.integer({ min: 1, max: 140 }),
    numQueries: fc.integer({ min: 0, max: 140 }),
    topK: fc.integer({ min: 1, max: 450 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(shape, (drawn) => expectExact(drawn, { threads: 2 })),
    { numRuns: 25, seed: 7 },
  );
});

it.each(builds)("%s: a query alone, in a batch, over any threads and memory gets the same bits", async (build) => {
  const shape = { numItems: 20_000, dimensions: 33 };
  const items = normals(shape.numItems * 33, 11);
  const queries = normals(500 * 33, 12);
  const batch = await search(items, queries, shape, { topK: 10, build, threads: 1 });
  for (const environment of [...environments, { shared: true, threads: 7 }]) {
    expect(await search(items, queries, shape, { topK: 10, build, ...environment })).toEqual(batch);
    const alone = await search(items, queries.subarray(5 * 33, 6 * 33), shape, { topK: 10, build, ...environment });
    expect(alone).toEqual({ itemIndex: batch.itemIndex.slice(50, 60), score: batch.score.slice(50, 60) });
  }
});

it("every score equal: the smallest indexes, also across partitions and with exclusion", async () => {
  const numItems = 300_000;
  const items = new Float32Array(numItems * 10).fill(1);
  const excluded = { offsets: Int32Array.of(0, 3), indices: Int32Array.of(0, 2, 5) };
  const { itemIndex } = await search(items, new Float32Array(10).fill(1), { numItems, dimensions: 10 }, { topK: 6, excluded, threads: 2 });
  expect([...itemIndex]).toEqual([1, 3, 4, 6, 7, 8]);
});

it("more queries and more exclusions than the workspace holds at once", async () => {
  const shape = { numItems: 2500, dimensions: 2 };
  const items = wholeNumbers(5000, 1);
  const queries = wholeNumbers(9000 * 2, 2);
  const excluded = someExcluded(9000, 2500, 3); // 7.5 million entries
  const result = await search(items, queries, shape, { topK: 2, excluded, threads: 2 });
  for (const q of [0, 4000, 8999]) {
    const only = {
      offsets: Int32Array.of(0, excluded.offsets[q + 1] - excluded.offsets[q]),
      indices: excluded.indices.subarray(excluded.offsets[q], excluded.offsets[q + 1]),
    };
    const expected = referenceTopK(items, queries.subarray(q * 2, q * 2 + 2), { ...shape, topK: 2, excluded: only });
    expect([...result.itemIndex.subarray(q * 2, q * 2 + 2)]).toEqual([...expected.itemIndex]);
  }
});

it("misshapen input is refused with what is wrong", async () => {
  await expect(createTopKIndex(new Float32Array(5), { numItems: 2, dimensions: 3, threads: 1 })).rejects.toThrow("5 values, not 2 × 3");
  const index = await createTopKIndex(new Float32Array(6), { numItems: 2, dimensions: 3, threads: 1 });
  await expect(index.search(new Float32Array(4), { topK: 1 })).rejects.toThrow(KernelError);
  await expect(index.search(new Float32Array(3), { topK: 0 })).rejects.toThrow("topK is 0");
  const descending = { offsets: Int32Array.of(0, 2), indices: Int32Array.of(1, 0) };
  await expect(index.search(new Float32Array(3), { topK: 1, excluded: descending })).rejects.toThrow("do not ascend");
  index.dispose();
});
