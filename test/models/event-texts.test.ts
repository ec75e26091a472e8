/** Texts of events as a feature of pairs: whose words an item is described by, and that nobody is told of the event that is judged. */
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { Interactions, selectEvents } from "../../src/data/interactions.js";
import { split } from "../../src/data/splits.js";
import { evaluateRatingModel } from "../../src/evaluation/ratings.js";
import { eventTexts } from "../../src/models/parts/event-texts.js";
import { wordsOf } from "../../src/models/parts/feature-encoder.js";
import { fit } from "../../src/models/registry.js";
import { loadModel, saveModel } from "../../src/store/model-folder.js";
import { expectError } from "../support/errors.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const rows = (columns: { user: number[]; item: number[]; review: string[] }) =>
  Interactions.fromArrays({
    userIndex: columns.user,
    itemIndex: columns.item,
    context: { review: columns.review, note: new Float32Array(columns.user.length) },
    numUsers: 4,
    numItems: 4,
  });
const reviews = { user: [0, 1, 2, 0, -1], item: [0, 0, 0, 1, 1], review: ["Hoppy, hoppy!", "dark malt", "malt", "thin", "Sweet and dark"] };
const buckets = 100_000;

/** Share of each word that a pair reads. */
function sharesOf(texts: NonNullable<ReturnType<typeof eventTexts>>, user: number, item: number): Record<string, number> {
  const { offsets, tableRows, weights } = texts.batch({ user: Int32Array.of(user), item: Int32Array.of(item) });
  expect([...offsets!]).toEqual([0, tableRows.length]);
  const words = new Map(wordsOf(reviews.review.join(" ")).map((word) => [texts.rowsOf({ review: word })[0][0], word]));
  return Object.fromEntries(Array.from(tableRows, (row, e) => [row === 0 ? "unknown" : words.get(row)!, weights![e]]));
}

describe("whose words", () => {
  const texts = eventTexts(rows(reviews), { whose: "others", buckets })!;
  test("an item that the user has not had: those of all its events, each by its share", () => {
    expect(sharesOf(texts, 3, 0)).toEqual({ hoppy: Math.fround(0.4), dark: Math.fround(0.2), malt: Math.fround(0.4) });
    expect(sharesOf(texts, -1, 1)).toEqual({ thin: 0.25, sweet: 0.25, and: 0.25, dark: 0.25 });
  });
  test("an item that the user has had: those of the others, unknown when there are none", () => {
    expect(sharesOf(texts, 0, 0)).toEqual({ dark: Math.fround(1 / 3), malt: Math.fround(2 / 3) });
    expect(sharesOf(texts, 1, 0)).toEqual({ hoppy: Math.fround(2 / 3), malt: Math.fround(1 / 3) });
    expect(sharesOf(eventTexts(rows({ ...reviews, item: [0, 2, 3, 1, 1] }), { whose: "others", buckets })!, 0, 0)).toEqual({ unknown: 1 });
    expect(sharesOf(texts, 0, 3)).toEqual({ unknown: 1 });
  });
  test("what the user's own event says changes nothing, to the bit", () => {
    const pairs = { user: Int32Array.of(0, 1, 2, 0), item: Int32Array.of(0, 0, 0, 1) };
    for (const [event, user] of reviews.user.entries()) {
      if (user < 0) continue;
      const said = reviews.review.map((text, e) => (e === event ? "malt dark something else thin" : text));
      const other = eventTexts(rows({ ...reviews, review: said }), { whose: "others", buckets })!;
      const at = { user: Int32Array.of(user), item: Int32Array.of(reviews.item[event]) };
      expect(other.batch(at)).toEqual(texts.batch(at));
    }
    expect(texts.batch(pairs).offsets).toHaveLength(5);
  });
  test("without texts there is nothing to read", () => {
    expect(eventTexts(rows({ ...reviews, review: ["", "…", "", "", ""] }), { whose: "others", buckets })).toBeUndefined();
    expect(eventTexts(Interactions.fromArrays({ userIndex: [0], itemIndex: [0] }), { whose: "others", buckets })).toBeUndefined();
  });
});

/** Ratings by a quality of the item, of which the reviews speak in words: good items are "fine" to most, others "poor". */
function tastings() {
  const random = createRandom(3);
  const [userIndex, itemIndex, weight]: number[][] = [[], [], []];
  const review: string[] = [];
  for (let user = 0; user < 60; user++)
    for (let k = 0; k < 8; k++) {
      const item = random.integer(40);
      const rating = Math.min(5, Math.max(1, (item % 2 ? 4 : 2) + Math.round(2 * random.uniform() - 1)));
      userIndex.push(user);
      itemIndex.push(item);
      weight.push(rating);
      review.push(rating >= 3 ? "a fine one" : "rather poor");
    }
  return Interactions.fromArrays({ userIndex, itemIndex, weight, context: { review }, numUsers: 60, numItems: 40 });
}

const params = {
  target: "rating",
  dimensions: 8,
  deepWidth: 16,
  epochs: 25,
  learningRate: 0.02,
  dropout: 0,
  textBuckets: 64,
  validationShare: 0,
};

test.each(["dcn", "deepfm"])("%s: reads the texts of others; its own only where told, and then they decide", async (name) => {
  const data = tastings();
  const { train, test: held } = split(data, { by: "random", testFraction: 0.25, seed: 1 });
  const changed = Interactions.fromArrays({
    ...held,
    context: { review: held.itemIndex.reduce<string[]>((all) => [...all, "rather poor"], []) },
  });
  const rmse: Record<string, number[]> = {};
  for (const eventTexts of ["none", "others", "own"]) {
    const model = await fit(name, train, { ...params, eventTexts }, { seed: 1, threads: 1 });
    rmse[eventTexts] = await Promise.all(
      [held, changed].map(async (test) => (await evaluateRatingModel(model, test, { metrics: ["rmse"] })).rmse),
    );
    if (eventTexts === "none") continue;
    const folder = temporaryFolder();
    await saveModel(model, folder);
    const again = await loadModel(folder);
    expect((await evaluateRatingModel(again, held, { metrics: ["rmse"] })).rmse).toBe(rmse[eventTexts][0]);
  }
  expect(rmse.others[1]).toBe(rmse.others[0]); // what the judged events say is not looked at
  expect(rmse.own[0]).toBeLessThan(rmse.none[0]);
  expect(rmse.own[1]).toBeGreaterThan(1.2 * rmse.own[0]);
});

test("texts follow their events through splits and selections", () => {
  const data = tastings();
  const { train, test: held } = split(data, { by: "random", testFraction: 0.25, seed: 1 });
  expect(train.context!.review).toHaveLength(train.numInteractions);
  for (const part of [train, held, selectEvents(data, Int32Array.of(5, 2))])
    for (let e = 0; e < part.numInteractions; e++) expect((part.context!.review as string[])[e] === "a fine one").toBe(part.weight[e] >= 3);
});

test("own texts and clicks do not go together", async () => {
  await expectError(
    fit("dcn", tastings(), { ...params, target: "click", eventTexts: "own" }),
    "E_CONFIG",
    /texts of its own events.*target: rating/,
  );
});
