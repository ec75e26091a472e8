/**
 * The quantised passes give the bits of the float32 scan, whatever the data: every variant, tail lengths, ties, exclusions, and data on
 * which rounding to few bits is bad. The interval that the 4-bit pass trusts is checked against its float64 twin.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../src/core/random.js";
import type { ArenaOptions } from "../../src/kernels/arena.js";
import { referenceTopK } from "../../src/kernels/reference/top-k.js";
import { referenceInt4Interval, referenceInt8Interval } from "../../src/kernels/reference/top-k-int4.js";
import { createTopKIndex } from "../../src/kernels/top-k.js";
import { commonAxis } from "../../src/kernels/top-k-axis.js";
import { int4Stride, prepareInt4 } from "../../src/kernels/top-k-quantized.js";
import { builds, variants } from "./variants.js";

/** Value of dimension d of item i, by kind of data. */
const kinds: Record<string, (random: Random, i: number, d: number) => number> = {
  uniform: (random) => random.uniform() - 0.5,
  normal: (random) => random.normal(),
  "whole numbers": (random) => random.integer(5) - 2,
  "one dimension rules": (random, _, d) => random.normal() * (d === 0 ? 1e6 : 1),
  "one item rules": (random, i) => random.normal() * (i === 3 ? 1e8 : 1),
  "lengths over 20 decades": (random, i) => random.normal() * 10 ** ((i % 21) - 10),
  "values over 30 decades": (random) => random.normal() * 10 ** (random.integer(31) - 15),
  "many zeros": (random) => (random.integer(4) === 0 ? random.normal() : 0),
  "zero items": (random, i) => (i % 3 === 0 ? random.normal() : 0),
  denormal: (random) => random.normal() * 1e-40,
  "products underflow": (random) => random.normal() * 1e-22,
  huge: (random) => random.normal() * 1e30,
  "beyond float32": (random) => random.normal() * 1e38,
  duplicates: (random, i, d) => (((i % 4) * 7 + d * 3) % 5) - 2 + 0 * random.uniform(),
  "one direction shared": (random, i, d) => (((d * 7) % 5) - 1.5) * (1 + (i % 5) / 9) + 0.2 * random.normal(),
  "lengths in the first dimensions": (random, i, d) => random.normal() * Math.exp(-d / 6) * (1 + (i % 3)),
  "one direction alone": (_, i, d) => (1 + (i % 7)) * (((d * 3) % 4) - 1),
  "nearly equal": (random, _, d) => 1 + d / 7 + 1e-6 * random.normal(),
};

interface Shape {
  kind: string;
  queryKind?: string;
  numItems: number;
  dimensions: number;
  numQueries: number;
  topK: number;
  seed: number;
}

const made = new Map<string, Float32Array>();

/** The same rows for every variant. */
function rows(kind: string, count: number, dimensions: number, seed: number): Float32Array {
  const key = `${kind} ${count} ${dimensions} ${seed}`;
  const found = made.get(key) ?? makeRows(kind, count, dimensions, seed);
  if (count > 1) made.set(key, found);
  return found;
}

function makeRows(kind: string, count: number, dimensions: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count * dimensions }, (_, k) => kinds[kind](random, Math.floor(k / dimensions), k % dimensions));
}

function someExcluded(numQueries: number, numItems: number, seed: number) {
  const random = createRandom(seed);
  const lists = Array.from({ length: numQueries }, () => [...Array(numItems).keys()].filter(() => random.integer(4) === 0));
  const offsets = new Int32Array(numQueries + 1);
  for (const [q, list] of lists.entries()) offsets[q + 1] = offsets[q] + list.length;
  return { offsets, indices: Int32Array.from(lists.flat()) };
}

async function expectSameBits(shape: Shape, options: ArenaOptions) {
  const { kind, queryKind = kind, numItems, dimensions, numQueries, topK, seed } = shape;
  const items = rows(kind, numItems, dimensions, seed);
  const queries = rows(queryKind, numQueries, dimensions, seed + 1);
  const [exact, quantized] = await Promise.all(
    (["never", "always"] as const).map((way) => createTopKIndex(items, { numItems, dimensions, quantized: way, ...options })),
  );
  for (const excluded of [undefined, someExcluded(numQueries, numItems, seed + 2)]) {
    const expected = await exact.search(queries, { topK, excluded });
    expect(await quantized.search(queries, { topK, excluded }), JSON.stringify(shape)).toEqual(expected);
  }
  const { counts } = quantized;
  exact.dispose();
  quantized.dispose();
  return counts;
}

describe.each(variants)("$title", ({ options }) => {
  it("1 to 67 dimensions, 0 to 67 items, queries alone and in tiles", async () => {
    for (let k = 0; k <= 67; k++) {
      const few = { numItems: (k * 31) % 68, dimensions: Math.max(1, k), numQueries: 1 + (k % 3), topK: 1 + (k % 12), seed: k };
      await expectSameBits({ kind: "normal", ...few }, options);
      await expectSameBits({ kind: "whole numbers", ...few, numQueries: 12 + (k % 6), topK: 1 + (k % 80) }, options);
    }
  });

  it.each(Object.keys(kinds))("%s", async (kind) => {
    for (const [numQueries, dimensions] of [
      [1, 21],
      [70, 33],
    ])
      await expectSameBits({ kind, numItems: 1501, dimensions, numQueries, topK: 10, seed: 5 }, options);
  });

  it("large enough for threads", async () => {
    for (const numQueries of [1, 3, 40]) {
      const counts = await expectSameBits({ kind: "normal", numItems: 20_003, dimensions: 64, numQueries, topK: 10, seed: 9 }, options);
      expect(counts).toEqual({
        float32: 0,
        int4: numQueries < 12 ? 2 * numQueries : 0,
        int16: numQueries < 12 ? 0 : 2 * numQueries,
        unproven: 0,
      });
    }
  });
});

it("random shapes, items and queries of different kinds", async () => {
  const shape = fc.record({
    kind: fc.constantFrom(...Object.keys(kinds)),
    queryKind: fc.constantFrom(...Object.keys(kinds)),
    numItems: fc.integer({ min: 0, max: 900 }),
    dimensions: fc.integer({ min: 1, max: 200 }),
    numQueries: fc.integer({ min: 1, max: 40 }),
    topK: fc.integer({ min: 1, max: 300 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(shape, fc.constantFrom(...builds), async (drawn, build) => {
      await expectSameBits(drawn, { threads: 2, build });
    }),
    { numRuns: 60, seed: 11 },
  );
});

it("scores that are no number stay out and hide no neighbour", async () => {
  const items = rows("normal", 2000, 12, 1).slice();
  items.fill(3e38, 12 * 5, 12 * 6); // its score overflows, for some queries to Infinity − Infinity
  for (const way of ["never", "always"] as const)
    for (const numQueries of [1, 30]) {
      const index = await createTopKIndex(items, { numItems: 2000, dimensions: 12, quantized: way, threads: 1 });
      const queries = rows("normal", 30, 12, 2).subarray(0, numQueries * 12);
      const { itemIndex } = await index.search(queries, { topK: 7 });
      for (let q = 0; q < numQueries; q++) {
        const query = queries.subarray(q * 12, q * 12 + 12);
        const without = { offsets: Int32Array.of(0, 1), indices: Int32Array.of(5) };
        const { itemIndex: others } = referenceTopK(items, query, { numItems: 2000, dimensions: 12, topK: 7, excluded: without });
        const list = [...itemIndex.subarray(q * 7, q * 7 + 7)];
        expect(list[0] === 5 ? list.slice(1) : list).toEqual([...others].slice(0, list[0] === 5 ? 6 : 7));
      }
      index.dispose();
    }
});

it("a direction that all items share is taken out, and lists are proven that would not be with it", async () => {
  const shape = { numItems: 60_000, dimensions: 40 };
  const items = rows("one direction shared", shape.numItems, 40, 4);
  expect(commonAxis(items, 40)).toBeDefined();
  expect(commonAxis(rows("normal", 3000, 40, 4), 40)).toBeUndefined();
  const index = await createTopKIndex(items, { ...shape, threads: 1 });
  const exact = await createTopKIndex(items, { ...shape, threads: 1, quantized: "never" });
  for (let q = 0; q < 5; q++) {
    const query = items.subarray(q * 40, q * 40 + 40);
    expect(await index.search(query, { topK: 10 })).toEqual(await exact.search(query, { topK: 10 }));
  }
  expect(index.counts).toEqual({ float32: 0, int4: 5, int16: 0, unproven: 0 });
});

it("what cannot be proven is scanned in full, and a pass that keeps failing is given up", async () => {
  const numItems = 20_000;
  const dimensions = 110;
  const items = new Float32Array(numItems * dimensions).fill(1); // every item may be the best
  const index = await createTopKIndex(items, { numItems, dimensions, threads: 1 });
  const query = new Float32Array(dimensions).fill(1);
  const { itemIndex } = await index.search(query, { topK: 3 });
  expect([...itemIndex]).toEqual([0, 1, 2]);
  expect(index.counts).toEqual({ float32: 1, int4: 0, int16: 0, unproven: 1 });
  for (let again = 0; again < 20; again++) await index.search(query, { topK: 3 });
  expect(index.counts).toEqual({ float32: 21, int4: 0, int16: 0, unproven: 16 });
  const many = await index.search(new Float32Array(30 * dimensions).fill(1), { topK: 3 });
  expect([...many.itemIndex]).toEqual(Array.from({ length: 30 }, () => [0, 1, 2]).flat());
  index.dispose();
});

it("some queries of a tile proven, some not", async () => {
  const shape = { numItems: 3000, dimensions: 16 };
  const items = rows("normal", shape.numItems, shape.dimensions, 1).slice();
  for (let item = 0; item < shape.numItems; item++) items[item * 16] = 0; // a query along this axis gives all items the score 0
  const queries = rows("normal", 40, 16, 2).slice();
  for (const q of [3, 17, 39]) queries.fill(0, q * 16, q * 16 + 16)[q * 16] = 1;
  const index = await createTopKIndex(items, { ...shape, threads: 2, quantized: "always" });
  const result = await index.search(queries, { topK: 5 });
  expect(index.counts).toEqual({ float32: 3, int4: 0, int16: 37, unproven: 3 });
  const exact = await createTopKIndex(items, { ...shape, threads: 2, quantized: "never" });
  expect(result).toEqual(await exact.search(queries, { topK: 5 }));
  for (const q of [3, 17, 39]) expect([...result.itemIndex.subarray(q * 5, q * 5 + 5)]).toEqual([0, 1, 2, 3, 4]);
});

it("float64 finds the same items", async () => {
  const shape = { numItems: 30_000, dimensions: 90 };
  const items = rows("uniform", shape.numItems, 90, 3);
  const queries = rows("normal", 4, 90, 4);
  const index = await createTopKIndex(items, { ...shape, threads: 2 });
  for (let q = 0; q < 4; q++) {
    const query = queries.subarray(q * 90, q * 90 + 90);
    const { itemIndex } = await index.search(query, { topK: 10 });
    expect([...itemIndex]).toEqual([...referenceTopK(items, query, { ...shape, topK: 10 }).itemIndex]);
  }
  expect(index.counts).toEqual({ float32: 0, int4: 4, int16: 0, unproven: 0 });
});

it("the intervals of the 4-bit pass and of its second look hold the float32 score", () => {
  const names = fc.constantFrom(...Object.keys(kinds).filter((kind) => !["huge", "beyond float32"].includes(kind)));
  fc.assert(
    fc.property(names, names, fc.integer({ min: 1, max: 300 }), fc.nat(), (kind, queryKind, dimensions, seed) => {
      const prepared = new DataView(new ArrayBuffer(int4Stride(dimensions)));
      const query = rows(queryKind, 1, dimensions, seed);
      const items = rows(kind, 20, dimensions, seed + 1);
      const axis = seed % 2 === 0 ? commonAxis(items, dimensions) : undefined;
      const leading = seed % 3 === 0 ? undefined : 1 + (seed % Math.ceil(dimensions / 8));
      prepareInt4(query, prepared, { axis, leading });
      fc.pre(prepared.getFloat32(0, true) !== 0); // out of range: nothing is claimed
      for (let i = 0; i < 20; i++) {
        const item = items.subarray(i * dimensions, (i + 1) * dimensions);
        let score = 0;
        for (let d = 0; d < dimensions; d++) score = Math.fround(score + Math.fround(item[d] * query[d]));
        for (const interval of [referenceInt4Interval, referenceInt8Interval]) {
          const { lower, upper } = interval(item, prepared, { axis, leading });
          expect(score).toBeGreaterThanOrEqual(lower);
          expect(score).toBeLessThanOrEqual(upper);
        }
      }
    }),
    { numRuns: 500, seed: 3 },
  );
});

it("aborting a quantised search leaves the index usable", async () => {
  const shape = { numItems: 200_000, dimensions: 32 };
  const items = rows("normal", shape.numItems, 32, 1);
  for (const shared of [true, false]) {
    const index = await createTopKIndex(items, { ...shape, threads: 2, shared });
    const queries = rows("normal", 400, 32, 2);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    await expect(index.search(queries, { topK: 10, signal: controller.signal })).rejects.toThrow();
    const again = await index.search(queries.subarray(0, 64), { topK: 10 });
    expect([...again.itemIndex]).toEqual([...referenceTopK(items, queries.subarray(0, 64), { ...shape, topK: 10 }).itemIndex]);
    index.dispose();
  }
});
