/**
 * Full-ranking evaluation of 100k users × 30k items × top-100 with 64 factors, and 1000 bootstrap resamples of its 100k cases:
 * seconds beside the largest resident memory of the process, which also holds the data and the factors.
 */
import type { Csr } from "#dist/core/interactions.js";
import type { FittedModel } from "#dist/core/model.js";
import { createRandom, type Random } from "#dist/core/random.js";
import { numberedIds } from "#dist/data/id-map.js";
import { Interactions } from "#dist/data/interactions.js";
import { userCases } from "#dist/evaluation/cases.js";
import { comparePaired } from "#dist/evaluation/compare.js";
import { judgeCases } from "#dist/evaluation/judge.js";
import { summarize } from "#dist/evaluation/summarize.js";
import { bestVariant } from "#dist/kernels/loader.js";
import { createRecommender } from "#dist/ranking/create-recommender.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { secondsOf, timing } from "./support/measure.js";
import { powerLawData } from "./support/power-law.js";

const factors = 64;
const metrics = ["ndcg@100", "recall@100", "map@100", "precision@10", "coverage@100", "novelty@100"];

export function cases(quick: boolean): BenchCase[] {
  const shape = quick
    ? { numUsers: 10_000, numItems: 5_000, numPairs: 500_000 }
    : { numUsers: 100_000, numItems: 30_000, numPairs: 10_000_000 };
  const size = `users=${shape.numUsers / 1000}k items=${shape.numItems / 1000}k f=${factors}`;
  return [
    { name: `evaluate ${size} top-100 threads=2`, run: (context) => evaluateAll(shape, context) },
    { name: `bootstrap cases=${shape.numUsers / 1000}k metrics=5 resamples=1000`, run: (context) => bootstrap(shape.numUsers, context) },
  ];
}

interface Shape {
  numUsers: number;
  numItems: number;
  numPairs: number;
}

async function evaluateAll(shape: Shape, { quick, cacheFolder }: BenchContext): Promise<BenchResult> {
  const { matrixByUser } = await powerLawData({ ...shape, seed: 42 }, cacheFolder);
  const { train, test } = parts(matrixByUser);
  const model = recommender(shape, train.matrixByUser());
  const before = process.resourceUsage().maxRSS;
  const seconds: number[] = [];
  let figures: Record<string, { value: number }> = {};
  for (let run = 0; run < (quick ? 2 : 3); run++) {
    seconds.push(
      await secondsOf(async () => {
        figures = summarize(await judgeCases(model, userCases(train, test), { metrics }));
      }),
    );
  }
  model.dispose();
  const quality: Record<string, number> = {
    peakRssMiB: process.resourceUsage().maxRSS / 1024,
    rssBeforeMiB: before / 1024,
    multiplyAddsPerSecond: (shape.numUsers * shape.numItems * factors) / timing(seconds, "s").median,
  };
  for (const [label, { value }] of Object.entries(figures)) quality[label] = value;
  return { ours: { ...timing(seconds, "s"), build: bestVariant().build }, quality };
}

/** Every fifth pair of a user is held out. */
function parts({ numRows, numColumns, offsets, indices }: Csr) {
  const pairs = indices.length;
  const side = (held: boolean) => {
    const userIndex = new Int32Array(pairs);
    const itemIndex = new Int32Array(pairs);
    let end = 0;
    for (let user = 0; user < numRows; user++) {
      for (let e = offsets[user]; e < offsets[user + 1]; e++) {
        if (((e - offsets[user]) % 5 === user % 5) !== held) continue;
        userIndex[end] = user;
        itemIndex[end++] = indices[e];
      }
    }
    return Interactions.fromArrays({
      userIndex: userIndex.slice(0, end),
      itemIndex: itemIndex.slice(0, end),
      numUsers: numRows,
      numItems: numColumns,
    });
  };
  return { train: side(false), test: side(true) };
}

/** Factors of a trained model's spread: normal, items scaled by their popularity. */
function recommender({ numUsers, numItems }: Shape, seen: Csr) {
  const random = createRandom(7);
  const popularity = new Float32Array(numItems);
  for (const item of seen.indices) popularity[item]++;
  const userFactors = normals(numUsers * factors, random);
  const itemFactors = normals(numItems * factors, random);
  for (let k = 0; k < itemFactors.length; k++) itemFactors[k] *= Math.log1p(popularity[Math.floor(k / factors)]);
  for (let user = 0; user < numUsers; user++) userFactors[user * factors] = Math.abs(userFactors[user * factors]) + 2;
  for (let item = 0; item < numItems; item++) itemFactors[item * factors] = Math.log1p(popularity[item]);
  const fitted: FittedModel = {
    name: "als",
    params: {},
    numUsers,
    numItems,
    personal: true,
    vectors: {
      dimensions: factors,
      itemVectors: itemFactors,
      async encode(queries, out) {
        queries.forEach(({ userIndex = 0 }, q) => {
          out.set(userFactors.subarray(userIndex * factors, (userIndex + 1) * factors), q * factors);
        });
      },
    },
    state: () => ({ arrays: {} }),
  };
  return createRecommender({ fitted, users: numberedIds(numUsers), items: numberedIds(numItems), seen, popularity, threads: 2 });
}

function normals(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => 0.1 * random.normal());
}

async function bootstrap(numCases: number, { quick }: BenchContext): Promise<BenchResult> {
  const random = createRandom(3);
  const labels = ["a", "b", "c", "d", "e"];
  const values = Object.fromEntries(labels.map((label) => [label, Float64Array.from({ length: numCases }, () => random.uniform())]));
  const all = { labels, numCases, values, catalogue: {} };
  const seconds: number[] = [];
  const compared: number[] = [];
  for (let run = 0; run < (quick ? 2 : 3); run++) {
    seconds.push(await secondsOf(async () => summarize(all, { intervals: {} })));
    compared.push(await secondsOf(async () => comparePaired(values.a, values.b)));
  }
  const { a } = summarize(all, { intervals: {} });
  const quality = { peakRssMiB: process.resourceUsage().maxRSS / 1024, pairedComparisonSeconds: timing(compared, "s").median };
  return {
    ours: { ...timing(seconds, "s"), build: "plain" },
    quality: { ...quality, standardErrorOfTheory: a.standardError! * Math.sqrt(12 * numCases) },
  };
}
