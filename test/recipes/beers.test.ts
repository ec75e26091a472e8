/**
 * The recipes of beers on small made-up files of the same shape: what is joined, dropped and counted, the served answers over HTTP with
 * predicted ratings, the texts of other users, batch files, the archive for SageMaker, training curves and the picture of crosses.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRandom } from "../../src/core/random.js";
import { createServer } from "../../src/server/app.js";
import { predictPairs, recommendAll } from "../../src/service/batch.js";
import { evaluateRecipe } from "../../src/service/evaluate.js";
import { exportModel } from "../../src/service/export.js";
import { featurePairs } from "../../src/service/feature-strengths.js";
import { readRecipe } from "../../src/service/recipe/recipe.js";
import { heatMap } from "../../src/service/report/heat-map.js";
import { serveRun } from "../../src/service/run.js";
import { latestRun } from "../../src/service/workspace.js";
import { expectError } from "../support/errors.js";
import { type ServedRecipe, serveRecipe } from "../support/served-recipe.js";
import { temporaryFolder } from "../support/temporary-folder.js";

const [USERS, BEERS] = [36, 24];
const shipped = (name: string) => readRecipe(new URL(`../../recipes/${name}.yaml`, import.meta.url).pathname);
const beerName = (beer: number) => (beer === 3 ? `Say "Ale", Twice` : `Beer ${beer}`);
const breweryOf = (beer: number) => `Brewery ${beer % 4}`;
const beerId = (beer: number) => `${breweryOf(beer)} / ${beerName(beer)}`;

/** Every user has rated 13 beers, by the beer's quality; odd users dislike odd breweries. */
function ratings(): { user: string; beer: number; rating: number }[] {
  const random = createRandom(7);
  return Array.from({ length: USERS }, (_, user) => {
    const beers = random.shuffle(Int32Array.from({ length: BEERS }, (_, beer) => beer)).slice(0, 13);
    return Array.from(beers, (beer) => {
      const liked = 3.5 + (beer % 5) / 5 - (user % 2 && beer % 2 ? 1.5 : 0) + 0.2 * random.normal();
      return { user: `U${user}`, beer, rating: Math.min(5, Math.max(1, Math.round(100 * liked) / 100)) };
    });
  }).flat();
}

const rows = ratings();
const cell = (text: string) => (text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text);
const tabs = (header: string, lines: string[][]) =>
  `${[`\t${header}`, ...lines.map((line, k) => [k, ...line.map(cell)].join("\t"))].join("\n")}\n`;

const files = {
  "beers/long_matrix.txt": tabs("UID\tbeer_name\trating", [
    ...rows.map(({ user, beer, rating }) => [user, beerName(beer), String(rating)]),
    ...[0, 1, 2, 4].map((beer) => ["U-few", beerName(beer), "4"]),
    ["U0", "Oktoberfest", "4.5"],
    ["U1", "Nobody's", "4.5"],
    ["U2", "Beer 0b", "7"],
    ["U2", "Beer 0c", "nan"],
    ["U2", "Beer 0d", "good"],
  ]),
  "beers/beer_matrix.txt": tabs("beer_name\tabv\tbrewery\ttype", [
    ...Array.from({ length: BEERS }, (_, beer) => [
      beerName(beer),
      beer === 5 ? "?" : beer === 6 ? "nan" : `${4 + (beer % 6)}.50`,
      breweryOf(beer),
      `Style ${beer % 3}`,
    ]),
    ["Oktoberfest", "6.00", "Brewery 1", "Märzen"],
    ["Oktoberfest", "5.00", "Brewery 2", "Märzen"],
    ...["Beer 0b", "Beer 0c", "Beer 0d"].map((name) => [name, "5", "Brewery 0", "Style 0"]),
  ]),
};

const MODELS = ["item-mean", "bias", "popularity", "retrieve-then-rate", "no-cross"];
let served: ServedRecipe;
let curves: string;
beforeAll(async () => {
  curves = mkdtempSync(join(tmpdir(), "tastemaker-test-"));
  served = await serveRecipe("beers", files, { tensorboard: curves }, (recipe) => ({
    ...recipe,
    models: recipe.models.filter(({ label }) => MODELS.includes(label)),
  }));
}, 60_000);
afterAll(async () => {
  await served?.close();
  rmSync(curves, { recursive: true, force: true });
});

interface Predictions {
  predictions: { beers: { beer: string; brewery: string; rating: number }[] }[];
}

const tried = (user: string) => rows.filter((row) => row.user === user).map(({ beer }) => beerName(beer));

describe("from files to data", () => {
  test("users by the number of their ratings, beers by brewery and name; what is dropped is counted by its reason", () => {
    const { numUsers, numItems, numInteractions, report } = served.run.result.data;
    expect([numUsers, numItems, numInteractions]).toEqual([USERS, BEERS, rows.length]);
    expect(Object.fromEntries(report.rejected.map(({ reason, count }) => [reason, count]))).toEqual({
      "rating outside 1 to 5": 2, // 7 and nan
      "beer not in beer_matrix": 1,
      "name of several breweries": 1,
      "unreadable weight": 1,
    });
  });

  test("ratings are judged for the models that predict some, lists for all", () => {
    for (const { label, metrics } of served.run.result.models) {
      const figures = metrics.test!;
      expect(figures["ndcg@10"], label).toBeGreaterThan(0);
      if (label === "popularity") expect(figures.rmse).toBeUndefined();
      else expect(figures.rmse, label).toBeLessThan(1.2);
    }
    const rmse = (label: string) => served.run.result.models.find((model) => model.label === label)!.metrics.test!.rmse;
    expect(rmse("retrieve-then-rate")).toBeLessThan(rmse("item-mean")); // who dislikes which brewery is no property of a beer
  });
});

describe("answers over HTTP", () => {
  test("SageMaker's shape: ready, and for each user untried beers by predicted rating", async () => {
    expect(await served.ask("/ping")).toEqual({ status: 200, body: { status: "ready" } });
    const { status, body } = await served.ask<Predictions>("/invocations", {
      instances: [
        { user: "U0", k: 5 },
        { user: "U1", k: 5, tried: [beerId(0)] },
      ],
    });
    expect(status).toBe(200);
    expect(body.predictions.map(({ beers }) => beers.length)).toEqual([5, 5]);
    for (const [k, user] of ["U0", "U1"].entries()) {
      const { beers } = body.predictions[k];
      for (const { beer, brewery, rating } of beers) {
        expect(tried(user)).not.toContain(beer);
        expect(brewery).toMatch(/^Brewery [0-3]$/);
        expect(rating).toBeGreaterThan(1);
        expect(rating).toBeLessThan(5.5);
      }
      expect(beers.map(({ rating }) => rating)).toEqual(beers.map(({ rating }) => rating).sort((a, b) => b - a));
    }
    expect(body.predictions[1].beers.map(({ beer }) => beer)).not.toContain(beerName(0));
    expect(body.predictions[1].beers[0].brewery).toMatch(/[02]$/); // an odd user
  });

  test("the page's models say which scores are ratings", async () => {
    const { body } = await served.ask<{ models: { name: string; ratings: boolean; default: boolean }[] }>("/v1/models");
    expect(Object.fromEntries(body.models.map(({ name, ratings }) => [name, ratings]))).toEqual({
      ...{ "item-mean": true, bias: true, popularity: false, "retrieve-then-rate": true, "no-cross": true },
    });
    expect(body.models.find((model) => model.default)?.name).toBe("retrieve-then-rate");
  });

  test("an unknown user gets what is popular, an unknown beer or field an error that names it", async () => {
    const stranger = await served.ask<Predictions>("/invocations", { instances: [{ user: "nobody", k: 3 }] });
    expect(stranger.body.predictions[0].beers).toHaveLength(3);
    const wrong = await served.ask<{ detail: string }>("/invocations", { instances: [{ user: "U0", tried: ["Beer 99"] }] });
    expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([400, expect.stringMatching(/Beer 99/)]);
    expect((await served.ask("/invocations", { instances: [{ user: "U0", k: 0 }] })).status).toBe(400);
    expect((await served.ask("/invocations", { instances: [{ drinker: "U0" }] })).status).toBe(400);
    expect((await served.ask("/invocations", { instances: [] })).status).toBe(400);
    expect((await served.ask("/v1/recommendations?user=U0&model=nothing")).status).toBe(404);
  });
});

describe("batch files", () => {
  test("all lists, as csv and as Parquet: the ones that are served", async () => {
    const out = join(served.folder, "lists.csv");
    const { rows: count, model } = await recommendAll(served.run, out, { topK: 4, threads: 1 });
    expect([count, model]).toEqual([4 * USERS, "retrieve-then-rate"]);
    const lines = readFileSync(out, "utf8").trimEnd().split("\n");
    expect(lines[0]).toBe("user,rank,item,predicted_rating,source,item_title,item_brewery,item_style,item_abv");
    expect(lines).toHaveLength(1 + count);
    const { body } = await served.ask<{ items: { itemId: string; score: number }[] }>("/v1/recommendations?user=U7&topK=4");
    const own = lines.filter((line) => line.startsWith("U7,"));
    expect(own.map((line) => line.replaceAll('""', "'"))).toEqual(
      body.items.map(({ itemId, score }, place) =>
        expect.stringContaining(`U7,${place + 1},${quoted(itemId)},${Math.fround(score)},two-stage,`),
      ),
    );
    await recommendAll(served.run, join(served.folder, "lists.parquet"), { topK: 4, threads: 1 });
    expect(readFileSync(join(served.folder, "lists.parquet")).subarray(0, 4).toString()).toBe("PAR1");
  });

  test("predicted ratings of given pairs, in their order; unknown items have none, unknown users are rated for as strangers", async () => {
    const pairs = join(served.folder, "pairs.csv");
    writeFileSync(pairs, `user,item\nU3,${beerId(8)}\nnobody,${beerId(8)}\nU3,Beer 99\nU4,${beerId(9)}\n`);
    const target = join(served.folder, "ratings.csv");
    const written = await predictPairs(served.run, { pairs, target }, { threads: 1 });
    expect(written).toMatchObject({ rows: 4, unknownItems: 1, unknownUsers: 1 });
    const lines = readFileSync(target, "utf8").trimEnd().split("\n").slice(1);
    const values = lines.map((line) => line.split(","));
    expect(values.map(([user, item]) => [user, item])).toEqual([
      ["U3", beerId(8)],
      ["nobody", beerId(8)],
      ["U3", "Beer 99"],
      ["U4", beerId(9)],
    ]);
    expect(values[2][2]).toBe("");
    for (const row of [0, 1, 3]) expect(Number(values[row][2])).toBeGreaterThan(1);
    await expectError(
      predictPairs(served.run, { pairs, target }, { model: "popularity" }),
      "E_CONFIG",
      /popularity predicts no ratings.*svd/,
    );
    await expectError(predictPairs(served.run, { pairs, target: "ratings.txt" }), "E_CONFIG", /\.csv or \.parquet/);
    await expectError(recommendAll(served.run, target, { model: "no-cros" }), "E_NOT_FOUND", /no-cross/);
    writeFileSync(pairs, "user,item\nU3,Beer 99\n");
    await expectError(predictPairs(served.run, { pairs, target }), "E_DATA", /knows none of the items/);
    expect(readFileSync(target, "utf8")).toContain("nobody"); // as it was
  });
});

test("model.tar.gz: unpacked by tar it is a workspace that answers the same", async () => {
  const archive = join(served.folder, "model.tar.gz");
  const { format } = await exportModel(served.run, archive, { model: "retrieve-then-rate" });
  expect(format).toBe("sagemaker");
  const place = temporaryFolder();
  execFileSync("tar", ["-xzf", archive, "-C", place]);
  const run = await latestRun(place);
  expect(run.result.models.map(({ label }) => label)).toEqual(["retrieve-then-rate"]);
  const service = await serveRun(run, { threads: 1 });
  const server = await createServer({ service, host: "127.0.0.1", port: 0, title: "container", routes: run.result.serving!.routes });
  try {
    const { url } = await server.listen();
    expect((await fetch(`${url}/ping`)).status).toBe(200);
    const body = JSON.stringify({ instances: [{ user: "U5", k: 6 }] });
    const answer = await fetch(`${url}/invocations`, { method: "POST", headers: { "content-type": "application/json" }, body });
    expect(await answer.json()).toEqual((await served.ask("/invocations", { instances: [{ user: "U5", k: 6 }] })).body);
  } finally {
    await server.close();
    service.dispose();
  }
});

test("curves and crosses: event files per model and part, norms of the blocks of the cross matrix as a picture", async () => {
  const tags = readdirSync(curves).sort();
  expect(tags).toEqual(["no-cross", "retrieve-then-rate"]);
  for (const label of tags) expect(readdirSync(join(curves, label)).sort()).toEqual(["all", "test", "validation"]);
  const found = await featurePairs(served.run, "retrieve-then-rate");
  expect(found.names).toEqual(["user", "item", "style", "brewery", "abv"]);
  await expectError(featurePairs(served.run, "no-cross"), "E_CONFIG", /crosses no features/);
  expect(heatMap(found, "Feature pairs")).toContain("user × brewery");
});

describe("recipes beside it", () => {
  /** As Python's repr. Half of the reviews are of a bad day, which only they themselves tell. */
  const review = ({ user, beer, rating }: (typeof rows)[number], k: number) => {
    const bad = (k * 7919) % 11 < 5;
    const given = Math.min(5, Math.max(1, rating + (bad ? -0.8 : 0.8)));
    const beerIs = `'beer/beerId': '${beer}', 'beer/name': '${beerName(beer)}', 'beer/brewerId': '${beer % 4}', 'beer/style': 'Style ${beer % 3}'`;
    const said = `'review/text': "It's ${bad ? "thin, a let-down" : "fine and malty"}", 'user/profileName': u'${user}'`;
    return `{${beerIs}, 'beer/ABV': ${4 + (beer % 6)}.5, 'review/overall': ${given}, 'review/timeUnix': 12${k + 100}000, ${said}}`;
  };

  test("text: words of other users' reviews, and the article's way on the same data", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "beers"));
    writeFileSync(
      join(folder, "beers", "beeradvocate_text_2469.pyjson"),
      `${[...rows.map(review), "{'review/text': 'cut o"].join("\n")}\n`,
    );
    const options = { dataFolder: folder, workspace: join(folder, "work"), threads: 1 };
    const [honest, own] = await Promise.all(["beers-text", "beers-own-text"].map(shipped));
    const judged = async (recipe: typeof honest, label: string) => {
      const result = await evaluateRecipe({ ...recipe, models: recipe.models.filter((model) => model.label === label) }, options);
      expect(result.data.report.rejected).toEqual([expect.objectContaining({ reason: "malformed row", count: 1 })]);
      expect(result.data.numInteractions).toBe(rows.length);
      return result.models[0].metrics.test!.rmse;
    };
    const [others, theirs] = [await judged(honest, "dcn"), await judged(own, "dcn-own-text")];
    expect(others).toBeGreaterThan(0.7);
    expect(theirs).toBeLessThan(0.6 * others);
  });
});

function quoted(text: string): string {
  return text.includes(",") || text.includes('"') ? `"${text.replaceAll('"', "'")}"` : text;
}
