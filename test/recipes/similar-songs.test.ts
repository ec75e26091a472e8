/**
 * The recipes of similar songs on small generated data: song files to served answers without an event, ready features with listeners,
 * and any other table of items. Answers are asked over HTTP, in TensorFlow Serving's shape and by the common API.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluationTables } from "../../src/cli/evaluation-tables.js";
import { createRandom } from "../../src/core/random.js";
import { timbreFeatureNames, timbreFeatures } from "../../src/data/timbre.js";
import { createServer, type Server } from "../../src/server/app.js";
import { parseRecipe, readRecipe } from "../../src/service/recipe/recipe.js";
import type { RecommendService } from "../../src/service/recommend-service.js";
import { runRecipe, serveRun } from "../../src/service/run.js";
import { expectError } from "../support/errors.js";
import { songFile } from "../support/song-file.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const random = createRandom(11);
const SONGS = 18;
const shipped = (name: string) => readRecipe(new URL(`../../recipes/${name}.yaml`, import.meta.url).pathname);
const songId = (song: number) => `SO${String(song).padStart(4, "0")}`;

/** Three ways to sound: songs of one way have alike means and spreads. */
function timbreOf(song: number): Float64Array {
  const way = song % 3;
  return Float64Array.from({ length: 40 * 12 }, (_, k) => 10 * Math.sin((way * 2 * Math.PI) / 3 + (k % 12)) + (1 + way) * random.normal());
}

const timbres = Array.from({ length: SONGS }, (_, song) => timbreOf(song));

async function writeSongs(folder: string): Promise<void> {
  mkdirSync(join(folder, "msd", "A", "B"), { recursive: true });
  for (const [song, timbre] of timbres.entries())
    await songFile(join(folder, "msd", "A", song % 2 === 0 ? "B" : "", `${songId(song)}.h5`), {
      songId: songId(song),
      title: `Song "${song}"`,
      artist: `Artist ${song % 3}`,
      year: 1990 + song,
      timbre,
    });
  await songFile(join(folder, "msd", "silent.h5"), { songId: "SOSILENT", title: "Silent", artist: "Nobody", year: 0 });
  const broken = timbreOf(0).fill(Number.NaN, 5, 6);
  await songFile(join(folder, "msd", "broken.h5"), { songId: "SOBROKEN", title: "Broken", artist: "Nobody", year: 0, timbre: broken });
}

/** Σ of cosines of the raw 90 features, as the article has it. */
function expected(listened: readonly number[]): { song: string; score: number }[] {
  const rows = timbres.map((timbre) => {
    const features = timbreFeatures(timbre);
    const length = Math.hypot(...features);
    return features.map((value) => value / length);
  });
  const score = (song: number) =>
    listened.reduce((sum, other) => sum + rows[song].reduce((dot, value, d) => dot + value * rows[other][d], 0), 0);
  return rows
    .map((_, song) => ({ song: songId(song), score: score(song) }))
    .filter(({ song }) => !listened.map(songId).includes(song))
    .sort((a, b) => b.score - a.score);
}

const started: { service: RecommendService; server: Server }[] = [];

/** Runs a recipe and serves it; the address. */
async function served(recipe: Awaited<ReturnType<typeof shipped>>, folder: string): Promise<string> {
  const run = await runRecipe(recipe, { workspace: join(folder, "work"), dataFolder: folder, threads: 1 });
  const service = await serveRun(run, { threads: 1 });
  const server = await createServer({ service, host: "127.0.0.1", port: 0, title: recipe.name, routes: run.result.serving?.routes ?? [] });
  started.push({ service, server });
  return (await server.listen()).url;
}

afterAll(async () => {
  for (const { service, server } of started) {
    await server.close();
    service.dispose();
  }
});

interface Songs {
  recom_songs_ids: string[];
  similarities: number[];
}

/** What the routes asked here may answer. */
interface Answer {
  predictions: Songs[];
  outputs: Songs;
  items: { itemId: string; source: string; properties: Record<string, string | number> }[];
}

async function post(url: string, body: unknown): Promise<{ status: number; json: Answer }> {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return { status: response.status, json: (await response.json()) as Answer };
}

describe("from song files, without a single event", () => {
  const folder = mkdtempSync(join(tmpdir(), "tastemaker-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let url: string;
  beforeAll(async () => {
    await writeSongs(folder);
    url = await served(await shipped("similar-songs-h5"), folder);
  }, 60_000);

  test("answers in TensorFlow Serving's row form with the best sums of cosines, never a listened song", async () => {
    const { status, json } = await post(`${url}/v1/models/similar:predict`, {
      signature_name: "serving_default",
      instances: [
        { listened_songs: [songId(0), songId(3), songId(7)], no_recom_songs: 5 },
        { listened_songs: [songId(1)], no_recom_songs: 1000 },
      ],
    });
    expect(status).toBe(200);
    const [few, all] = json.predictions;
    const want = expected([0, 3, 7]);
    expect(few.recom_songs_ids).toEqual(want.slice(0, 5).map(({ song }) => song));
    few.similarities.forEach((score, place) => {
      expect(score).toBeCloseTo(want[place].score, 5);
    });
    expect(all.recom_songs_ids).toEqual(expected([1]).map(({ song }) => song)); // as many as there are
    expect(all.similarities.at(-1)).toBeLessThan(0); // songs that are opposite stand at the end, and the listened one not among them
  });

  test("answers in its column form, and a song that is named twice counts once", async () => {
    const ask = async (listened_songs: string[]) =>
      (await post(`${url}/v1/models/similar:predict`, { inputs: { listened_songs, no_recom_songs: 3 } })).json.outputs;
    const once = await ask([songId(4)]);
    expect(once.recom_songs_ids).toEqual(
      expected([4])
        .slice(0, 3)
        .map(({ song }) => song),
    );
    expect(await ask([songId(4), songId(4)])).toEqual(once);
  });

  test("standardized features find songs of the same way to sound, by the common API too, with titles", async () => {
    const { json } = await post(`${url}/v1/recommendations`, { history: [{ itemId: songId(2) }], topK: 5 });
    expect(json.items.length).toBe(5);
    for (const { itemId, source, properties } of json.items) {
      expect(Number(itemId.slice(2)) % 3).toBe(2);
      expect(source).toBe("content");
      expect(properties).toMatchObject({ artist: "Artist 2", year: 1990 + Number(itemId.slice(2)) });
    }
    const similar = (await (await fetch(`${url}/v1/items/${songId(2)}/similar?topK=2`)).json()) as Answer;
    expect(similar.items.map(({ itemId }) => itemId)).toEqual(json.items.slice(0, 2).map(({ itemId }) => itemId));
  });

  test("refuses what it cannot answer, in words", async () => {
    const predict = (instance: object) => post(`${url}/v1/models/similar:predict`, { instances: [instance] });
    for (const [instance, detail] of [
      [{ listened_songs: ["SONEW"], no_recom_songs: 3 }, /listened_songs names an unknown item: .*SONEW/],
      [{ listened_songs: [], no_recom_songs: 3 }, /listened_songs/],
      [{ no_recom_songs: 3 }, /listened_songs/],
      [{ listened_songs: [songId(1)], no_recom_songs: 0 }, /no_recom_songs/],
      [{ listened_songs: [songId(1)], no_recom_songs: 1001 }, /no_recom_songs/],
      [{ listened_songs: [songId(1)], no_recom_songs: "many" }, /no_recom_songs/],
      [{ listened_songs: [songId(1)], no_recom_songs: 3, wanted: true }, /wanted/],
      [{ listened_songs: ["SOSILENT"], no_recom_songs: 3 }, /SOSILENT/],
    ] as const) {
      const { status, json } = await predict(instance);
      expect(status).toBe(400);
      expect(JSON.stringify(json)).toMatch(detail);
    }
    expect((await post(`${url}/v1/models/similr:predict`, { instances: [{ listened_songs: [songId(1)] }] })).status).toBe(404);
  });

  test("leaves out files without timbre or with values that are no number, and reads a folder again only when it changed", async () => {
    const recipe = await shipped("similar-songs-h5");
    const stages = new Set<string>();
    const options = { workspace: join(folder, "work"), dataFolder: folder, threads: 1 };
    const first = await runRecipe(recipe, { ...options, onProgress: ({ stage }) => stages.add(stage) });
    expect([first.reused, stages.has("reading songs")]).toEqual([true, false]);
    expect(evaluationTables(first.result)).toBe("Nothing is held out, so nothing is judged. Models: similar, similar-standardized.");
    expect(first.result.data).toMatchObject({ numUsers: 0, numItems: SONGS, numInteractions: 0 });
    await songFile(join(folder, "msd", "new.h5"), { songId: "SONEW", title: "New", artist: "X", year: 1, timbre: timbreOf(0) });
    const again = await runRecipe(recipe, { ...options, onProgress: ({ stage }) => stages.add(stage) });
    expect([again.result.data.numItems, stages.has("reading songs")]).toEqual([SONGS + 1, true]);
  }, 30_000);
});

describe("from a table of features, with listeners", () => {
  test("judges what listeners of three songs hear next, and leaves out songs that nobody analysed", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "msd"));
    const names = [
      ...Array.from({ length: 12 }, (_, k) => `timbre_avg${k + 1}`),
      ...Array.from({ length: 78 }, (_, k) => `timbre_cov${k + 13}`),
    ];
    const row = (song: number, values: readonly (number | string)[]) =>
      [songId(song), `Artist ${song % 3}`, `Song ${song}`, ...values].join(",");
    const rows = Array.from({ length: 60 }, (_, song) => row(song, [...timbreFeatures(timbreOf(song))]));
    rows.push(
      row(
        90,
        names.map(() => 0),
      ),
      row(
        91,
        names.map((_, k) => (k === 3 ? "loud" : 1)),
      ),
      row(
        92,
        names.map((_, k) => (k === 3 ? "nan" : 1)),
      ),
    );
    writeFileSync(join(folder, "msd", "songs_timbre_4680x90.csv"), `song_id,artist_name,title,${names.join(",")}\n${rows.join("\n")}\n`);
    const plays = Array.from({ length: 40 }, (_, listener) =>
      Array.from({ length: 6 }, (_, k) => `u${listener}\t${songId((listener % 3) + 3 * ((listener * 5 + k * 3) % 20))}\t${1 + k}\n`),
    );
    writeFileSync(join(folder, "msd", "taste_triplets_42739.txt"), `${plays.flat().join("")}u1\tSOUNKNOWN\t3\nu99\tSOUNKNOWN\t3\n`);
    const recipe = await shipped("similar-songs");
    const run = await runRecipe(recipe, { workspace: join(folder, "work"), dataFolder: folder, threads: 1 });
    expect(run.result.data).toMatchObject({
      numUsers: 40,
      numItems: 61,
      numInteractions: 240,
      features: [{ leftOut: { events: 2, items: 1, example: "SOUNKNOWN" }, report: { rowsRead: 63, rowsKept: 61 } }],
    });
    const reasons = run.result.data.features![0].report.rejected;
    expect(reasons.map(({ count, example }) => [count, /loud|nan/.test(example.value)])).toEqual([[2, true]]);
    const ndcg = Object.fromEntries(run.result.models.map(({ label, metrics }) => [label, metrics.test!["ndcg@100"]]));
    expect(ndcg["similar-standardized"]).toBeGreaterThan(1.2 * ndcg.popularity);
    const service = await serveRun(run, { threads: 1 });
    try {
      // a song of zeros is like nothing: asked for, it has no similar ones, and the popular songs say so
      const { items } = await service.recommend({ history: [{ itemId: songId(90) }], topK: 3, model: "similar" });
      expect(items.map(({ source }) => source)).toEqual(Array(3).fill("popularity fallback"));
    } finally {
      service.dispose();
    }
  }, 60_000);

  test("says when no event is of a song of the table", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "msd"));
    const recipe = await shipped("similar-songs");
    const columns = Object.values(recipe.features!.items!.columns).flatMap((choice) => (typeof choice === "string" ? [] : choice.columns!));
    const names = columns.map((name) => name.replace("*", "1"));
    writeFileSync(
      join(folder, "msd", "songs_timbre_4680x90.csv"),
      `song_id,artist_name,title,${names.join(",")}\nSO1,A,T,${names.map(() => 1).join(",")}\n`,
    );
    writeFileSync(join(folder, "msd", "taste_triplets_42739.txt"), "u1\tSO7\t3\nu2\tSO8\t1\n");
    const options = { workspace: join(folder, "work"), dataFolder: folder, threads: 1 };
    await expectError(runRecipe(recipe, options), "E_DATA", /None of the 2 items with events is in .*"SO7"/);
  });
});

describe("any table of items", () => {
  test("of numbers, categories, texts and vectors serves items that nobody has bought", async () => {
    const folder = temporaryFolder();
    const kinds = ["tea from the mountains", "coffee from the coast", "cups of blue clay"];
    const products = Array.from({ length: 30 }, (_, p) => [
      `p${p}`,
      `maker ${p % 3}`,
      [5, 60, 70][p % 3] + (p % 2),
      `${kinds[p % 3]} no ${p}`,
      (p % 3) - 1,
      p % 3,
    ]);
    writeFileSync(
      join(folder, "products.csv"),
      `sku,maker,price,about,x,y\n${products.map((one) => one.join(",")).join("\n")}\np30,maker 1,61,coffee,0,1\n`,
    );
    const orders = Array.from({ length: 20 }, (_, buyer) => `b${buyer},p${buyer}\nb${buyer},p${(buyer + 3) % 20}`);
    writeFileSync(join(folder, "orders.csv"), `buyer,product\n${orders.join("\n")}\n`);
    const text = `name: shop
source: { file: orders.csv, columns: { user: buyer, item: product } }
features:
  items:
    file: products.csv
    id: sku
    withoutEvents: keep
    properties: { title: about, price: price }
    columns: { maker: category, price: number, about: text, place: { kind: vector, columns: [x, y] } }
models: [{ name: content }]`;
    const url = await served(parseRecipe(text, { file: join(folder, "shop.yaml") }), folder);
    const { json } = await post(`${url}/v1/recommendations`, { history: [{ itemId: "p30" }], topK: 10 }); // nobody has p30
    expect(json.items.map(({ itemId }) => Number(itemId.slice(1)) % 3)).toEqual(Array(10).fill(1));
    expect(json.items.some(({ itemId }) => Number(itemId.slice(1)) >= 20)).toBe(true); // nor some of these
    expect(json.items[0]).toMatchObject({
      source: "content",
      properties: { title: expect.stringMatching(/^coffee/), price: expect.any(Number) },
    });
  }, 30_000);
});

describe("a recipe without events", () => {
  const recipe = (lines: string) => () => parseRecipe(`name: x\nmodels: [{ name: content }]\n${lines}`, { file: "x.yaml" });
  test.each([
    ["source: { catalogue: true }", /takes its items from a table/],
    [
      "source: { catalogue: true, columns: { item: a } }\nfeatures: { items: { file: a.csv, columns: { a: number } } }",
      /x\.yaml:3: source\.columns: there are no events/,
    ],
    [
      "source: { catalogue: true }\nfeatures: { items: { file: a.csv, columns: { a: number } } }\nsplit: { test: { by: auto } }",
      /no events to hold out/,
    ],
    [
      "source: { catalogue: true }\nitemProperties: { title: t }\nfeatures: { items: { file: a.csv, columns: { a: number } } }",
      /itemProperties: there is no events' file/,
    ],
    ["source: { catalogue: true, file: a.csv }", /either a file, a generator, a query or a catalogue/],
  ])("says what is contradictory: %s", (lines, message) => {
    expect(recipe(lines)).toThrow(message);
  });

  test("needs a model that learns from features, and vectors whose columns exist", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "a.csv"), `id,${timbreFeatureNames.join(",")}\nx,${timbreFeatureNames.map(() => 1).join(",")}\n`);
    const run = (models: string, columns: string) =>
      runRecipe(
        parseRecipe(
          `name: x\nsource: { catalogue: true }\nmodels: [{ name: ${models} }]\nfeatures: { items: { file: a.csv, columns: { v: { kind: vector, columns: [${columns}] } } } }`,
          {
            file: join(folder, "x.yaml"),
          },
        ),
        { workspace: join(folder, "work"), threads: 1 },
      );
    await expectError(run("popularity", "mean_*"), "E_DATA", /no interactions that the model popularity/);
    await expectError(run("content", "means_*"), "E_CONFIG", /no column like means_\*/);
  });
});
