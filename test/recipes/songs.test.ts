/** recipes/songs.yaml on made-up plays: cleaning, five draws beside the article's method, and answers over HTTP. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import type { Problem } from "../../src/server/api-types.js";
import { type ServedRecipe, serveRecipe } from "../support/served-recipe.js";
import { shortTraining } from "../support/short-training.js";

const [USERS, SONGS] = [90, 60];
const userId = (user: number) => user.toString(16).padStart(40, "b");
const songId = (song: number) => `SO${String(song).padStart(4, "0")}`;

interface Song {
  songIdx: string;
  title: string | null;
  artist: string | null;
  score: number;
}

let served: ServedRecipe;
const ask = (songIdxs: unknown) => served.ask<Song[] & Problem>("/recommend", { songIdxs });

/** Users like every third song; one plays too few of them, and three rows are no plays. */
function plays(): string {
  const random = createRandom(4);
  const rows: string[] = [];
  for (let user = 0; user < USERS; user++)
    for (let song = 0; song < SONGS; song++)
      if (random.uniform() < (song % 3 === user % 3 ? 0.7 : 0.06)) rows.push(`${userId(user)}\t${songId(song)}\t${1 + random.integer(20)}`);
  for (let song = 0; song < 9; song++) rows.push(`${userId(USERS)}\t${songId(song)}\t5`);
  for (const written of ["many", "-3", "inf"]) rows.push(`${userId(0)}\t${songId(59)}\t${written}`);
  rows.push(`${userId(1)}\t${songId(1)}\t2`, `${userId(1)}\t${songId(1)}\t3`);
  return `${rows.join("\n")}\n`;
}

beforeAll(async () => {
  const titles = `,artist_name,song_id,title\n0,b'Beyonc\\xc3\\xa9',b'${songId(0)}',b'Don\\'t Stop'\n1,b"Guns N' Roses",b'${songId(1)}',b"Paradise"\n2,Plain,${songId(2)},Plain\n`;
  served = await serveRecipe(
    "songs",
    { "msd/taste_triplets_42739.txt": plays(), "msd/msd_subset_10000_songs.csv": titles },
    {},
    shortTraining,
  );
});

afterAll(() => served?.close());

test("counts what cleaning left out", () => {
  const { numUsers, numItems, report } = served.run.result.data;
  expect([numUsers, numItems]).toEqual([USERS, SONGS]);
  const counts = Object.fromEntries(report.rejected.map(({ reason, count }) => [reason, count]));
  expect(counts).toEqual({ "plays are no number": 3, "user of too few songs": 9 });
});

test("judges five draws of unseen users, each model beside the article's", () => {
  const { parts, models, champion } = served.run.result;
  expect(parts.find(({ name }) => name === "test")).toMatchObject({ folds: 5, description: expect.stringContaining("seeds 1 to 5") });
  const better = models.find(({ label }) => label === champion)!.againstBaseline!.test!;
  expect(better.baseline).toBe("nearest-user");
  expect(better.low).toBeGreaterThan(0);
  expect(better.difference).toBeGreaterThanOrEqual(better.low);
  expect(better.high).toBeGreaterThanOrEqual(better.difference);
  const recall = (label: string) => models.find((model) => model.label === label)!.metrics.test!["recall@20"];
  expect(better.ratio).toBeCloseTo(recall(champion!) / recall("nearest-user"), 1);
  const { trainingFigures } = models.find(({ label }) => label === "nearest-user")!;
  expect(trainingFigures!.test!["own user in first 100"]).toBeGreaterThan(trainingFigures!.test!["own user in first 1"]);
});

test("finds songs by part of a title, artist or id", async () => {
  const { body } = await served.ask<Song[]>("/songs?q=beyonc");
  expect(body).toEqual([{ songIdx: songId(0), title: "Don't Stop", artist: "Beyoncé" }]);
  expect((await served.ask<Song[]>(`/songs?q=${songId(2)}`)).body).toEqual([{ songIdx: songId(2), title: "Plain", artist: "Plain" }]);
  expect((await served.ask<Song[]>("/songs?q=paradise")).body[0].artist).toBe("Guns N' Roses");
  expect((await served.ask<Song[]>("/songs?q=nothing%20like%20it")).body).toEqual([]);
});

test("recommends songs of the same taste, best first, without the three", async () => {
  const favourites = [3, 6, 9].map(songId);
  const { status, body } = await ask(favourites);
  expect(status).toBe(200);
  expect(body).toHaveLength(20);
  expect(body.filter(({ songIdx }) => favourites.includes(songIdx))).toEqual([]);
  expect(body.slice(0, 10).filter(({ songIdx }) => Number(songIdx.slice(2)) % 3 === 0).length).toBeGreaterThanOrEqual(8);
  const scores = body.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
});

test("the article's own method answers too", async () => {
  const { status, body } = await served.ask<Song[]>("/recommend", { songIdxs: [3, 6, 9].map(songId), model: "nearest-user" });
  expect(status).toBe(200);
  expect(body.length).toBeGreaterThan(0);
});

test.each([
  ["two favourites", [songId(3), songId(6)], /songIdxs must have exactly 3 entries, but has 2/],
  ["a repeated favourite", [songId(3), songId(6), songId(3)], /songIdxs\[2\].*must not repeat/],
  ["an unknown favourite", [songId(3), songId(6), "SO9999"], /songIdxs names an unknown item: "SO9999"/],
  ["a position in place of an id", [0, 1, 2], /songIdxs names unknown items: "0", "1", "2"/],
  ["no list", "SO0003", /songIdxs must be a list/],
  ["a value that is no id", [songId(3), songId(6), 1.5], /songIdxs\[2\]/],
])("%s is refused with a reason", async (_, songIdxs, message) => {
  const { status, body } = await ask(songIdxs);
  expect(status).toBe(400);
  expect(body.detail).toMatch(message);
});

test("logs every recommendation and no refusal", () => {
  const log = readFileSync(join(served.run.workspace.folder, "recommendations.jsonl"), "utf8").trimEnd().split("\n");
  const entries = log.map((line) => JSON.parse(line) as { route: string; history: { itemId: string }[]; items: unknown[] });
  expect(entries.map(({ route }) => route)).toEqual(["POST /recommend", "POST /recommend"]);
  expect(entries[0].history.map(({ itemId }) => itemId)).toEqual([3, 6, 9].map(songId));
  expect(entries[0].items).toHaveLength(20);
});

test("tells the page how many favourites to ask for", async () => {
  expect((await served.ask("/v1/page")).body).toEqual({ title: "Songs", favourites: 3 });
});
