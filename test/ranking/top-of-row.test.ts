import fc from "fast-check";
import { expect, it } from "vitest";
import { excludedLists, isExcluded } from "../../src/ranking/excluded-lists.js";
import { topOfRow } from "../../src/ranking/top-of-row.js";

it("topOfRow equals a full sort, ties by index, −Infinity left out", () => {
  const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(-Infinity));
  fc.assert(
    fc.property(fc.array(score, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (row, topK) => {
      const place = { itemIndex: new Int32Array(topK + 2).fill(99), score: new Float32Array(topK + 2), at: 1, topK };
      const found = topOfRow(Float32Array.from(row), place);
      const sorted = row.map((value, index) => ({ value, index })).filter(({ value }) => value > -Infinity);
      sorted.sort((a, b) => b.value - a.value || a.index - b.index);
      const best = sorted.slice(0, topK).map(({ index }) => index);
      expect(found).toBe(best.length);
      const padding = new Array<number>(topK - found).fill(-1);
      expect([...place.itemIndex]).toEqual([99, ...best, ...padding, 99]);
    }),
  );
});

it("excluded lists are ascending, distinct, and found by binary search", () => {
  const seen = { numRows: 2, numColumns: 9, offsets: Int32Array.of(0, 2, 2), indices: Int32Array.of(3, 5), values: Float32Array.of(1, 1) };
  const queries = [{ userIndex: 0, history: [{ itemIndex: 4 }, { itemIndex: 3 }] }, { userIndex: 1 }, {}];
  const lists = excludedLists(queries, { seen, exclude: Int32Array.of(8, 1) });
  expect([...lists.indices]).toEqual([1, 3, 4, 5, 8, 1, 8, 1, 8]);
  expect([0, 1, 2, 3, 4, 5, 8].filter((item) => isExcluded(lists, 0, item))).toEqual([1, 3, 4, 5, 8]);
  const withBasket = excludedLists([{ userIndex: 0, basket: [7, 2, 7] }], { seen: undefined, exclude: Int32Array.of() });
  expect([...withBasket.indices]).toEqual([2, 7]);
  expect(isExcluded(excludedLists(queries, { seen: undefined, exclude: Int32Array.of() }), 0, 3)).toBe(false);
});
