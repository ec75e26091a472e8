/** Models without vectors: score rows in blocks of bounded size, other work gets its turn, and an abort ends a batch early. */
import { expect, it } from "vitest";
import { CancelledError } from "../../src/core/errors.js";
import type { FittedModel } from "../../src/core/model.js";
import { createRanker } from "../../src/ranking/rankers.js";

function scoreModel(numItems: number, onRows: (count: number) => void): FittedModel {
  return {
    name: "rows",
    params: {},
    numUsers: 1000,
    numItems,
    personal: true,
    async scoreAll(queries, out) {
      onRows(out.length / numItems);
      for (const [q, { userIndex = 0 }] of queries.entries())
        for (let item = 0; item < numItems; item++) out[q * numItems + item] = (item * 7 + userIndex) % 101;
    },
    state: () => ({ arrays: {} }),
  };
}

const noLists = (count: number) => ({ offsets: new Int32Array(count + 1), indices: new Int32Array(0) });

it("rows of a block take at most 4 MiB, one at the least", () => {
  expect(
    createRanker(
      scoreModel(100, () => {}),
      1,
    ).blockSize,
  ).toBe(256);
  expect(
    createRanker(
      scoreModel(30_000, () => {}),
      1,
    ).blockSize,
  ).toBe(34);
  expect(
    createRanker(
      scoreModel(5_000_000, () => {}),
      1,
    ).blockSize,
  ).toBe(1);
});

it("timers run while a batch is ranked, and an abort within it takes effect", async () => {
  const numItems = 20_000;
  const ranker = createRanker(
    scoreModel(numItems, () => {}),
    1,
  );
  const queries = Array.from({ length: ranker.blockSize }, (_, userIndex) => ({ userIndex }));
  const options = { topK: 5, excluded: noLists(queries.length) };
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  for (let block = 0; block < 40; block++) await ranker.rank(queries, options);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(0);

  const controller = new AbortController();
  setTimeout(() => controller.abort(), 5);
  const work = async () => {
    for (;;) await ranker.rank(queries, { ...options, signal: controller.signal });
  };
  await expect(work()).rejects.toThrow(CancelledError);
});

it("include lists and exclusions, batch and single alike", async () => {
  const ranker = createRanker(
    scoreModel(300, () => {}),
    1,
  );
  const include = Int32Array.from({ length: 40 }, (_, k) => 5 + 7 * k);
  const excluded = { offsets: Int32Array.of(0, 2, 2), indices: Int32Array.of(12, 19) };
  const queries = [{ userIndex: 3 }, { userIndex: 4 }];
  const batch = await ranker.rank(queries, { topK: 6, excluded, include });
  for (const q of [0, 1]) {
    const scored = [...include]
      .filter((item) => q === 1 || ![12, 19].includes(item))
      .map((item) => ({ item, score: (item * 7 + 3 + q) % 101 }))
      .sort((a, b) => b.score - a.score || a.item - b.item)
      .slice(0, 6);
    expect([...batch.itemIndex.subarray(q * 6, q * 6 + 6)]).toEqual(scored.map(({ item }) => item));
    expect([...batch.score.subarray(q * 6, q * 6 + 6)]).toEqual(scored.map(({ score }) => score));
  }
});
