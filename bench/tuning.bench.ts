/**
 * TPE beside random search at equal numbers of trials: Branin, Hartmann-3 and Hartmann-6, and als on MovieLens 100k (real fits,
 * nothing kept between seeds; needs $TASTEMAKER_DATA). Each seed gives one pair of searches; over the seeds: median of the best
 * value so far, and exact Wilcoxon signed-rank and paired t tests of the final best. Time is that of one search by TPE.
 * Also what ASHA saves: the same search with and without it.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import type { Interactions } from "#dist/core/interactions.js";
import { readInteractions } from "#dist/data/readers/read-dataset.js";
import { split } from "#dist/data/splits.js";
import { userCases } from "#dist/evaluation/cases.js";
import { comparePaired } from "#dist/evaluation/compare.js";
import { evaluate } from "#dist/evaluation/evaluate.js";
import { bestVariant } from "#dist/kernels/loader.js";
import { fit, getModel } from "#dist/models/registry.js";
import { createMemoryTrialStore } from "#dist/tuning/memory-trial-store.js";
import { modelObjective } from "#dist/tuning/model-objective.js";
import { modelSpace, repairFor } from "#dist/tuning/model-space.js";
import { randomSampler, type Sampler } from "#dist/tuning/sampler.js";
import { ashaScheduler, noScheduler, type Scheduler } from "#dist/tuning/scheduler.js";
import type { SearchSpace } from "#dist/tuning/search-space.js";
import { tpeSampler } from "#dist/tuning/tpe.js";
import { type TuneOptions, tune } from "#dist/tuning/tune.js";
import type { BenchCase, BenchContext, BenchResult } from "./support/bench-case.js";
import { timing } from "./support/measure.js";
import { type TestFunction, testFunctions } from "./support/test-functions.js";
import { wilcoxonSignedRank } from "./support/wilcoxon.js";

export function cases(quick: boolean): BenchCase[] {
  const seeds = quick ? 6 : 30;
  const onFunctions = testFunctions.map((one) => ({
    name: `tpe-vs-random ${one.name} trials=50 seeds=${seeds}`,
    run: (context: BenchContext) => onFunction(one, seeds, context),
  }));
  const folder = process.env.TASTEMAKER_DATA;
  const file = folder && path.join(folder, "ml-100k", "u.data");
  if (!file || !existsSync(file)) return onFunctions;
  const size = quick ? { trials: 14, seeds: 2 } : { trials: 50, seeds: 30 };
  const name = `tpe-vs-random als movielens-100k ndcg@10 trials=${size.trials} seeds=${size.seeds}`;
  const early = quick ? { trials: 8, seeds: 2 } : { trials: 40, seeds: 10 };
  return [
    ...onFunctions,
    { name, run: (context) => onMovielens(file, size, context) },
    {
      name: `asha-vs-none als movielens-100k ndcg@10 trials=${early.trials} seeds=${early.seeds}`,
      run: (context) => earlyStopping(file, early, context),
    },
  ];
}

type Problem = Pick<TuneOptions, "space" | "objective" | "direction" | "repair">;

interface Searched {
  /** Best value after 1, 2 … trials. */
  bestSoFar: number[];
  params: Readonly<Record<string, unknown>>;
  seconds: number;
}

interface SearchSettings {
  trials: number;
  seed: number;
  scheduler?: Scheduler;
}

async function search(problem: Problem, sampler: Sampler, { trials, seed, scheduler = noScheduler }: SearchSettings): Promise<Searched> {
  const store = createMemoryTrialStore();
  await store.putStudy({ id: "bench", settings: {}, createdAt: "" });
  const start = performance.now();
  const budget = { trials };
  const result = await tune({ ...problem, sampler, scheduler, seed, budget, store, study: "bench", concurrency: 2 });
  const better = problem.direction === "minimize" ? Math.min : Math.max;
  const bestSoFar: number[] = [];
  for (const { value, state } of result.trials)
    bestSoFar.push(state === "complete" ? better(value!, bestSoFar.at(-1) ?? value!) : (bestSoFar.at(-1) ?? Number.NaN));
  return { bestSoFar, params: result.best.params, seconds: (performance.now() - start) / 1000 };
}

async function onFunction({ space, value, minimum }: TestFunction, seeds: number, { say }: BenchContext): Promise<BenchResult> {
  const problem: Problem = {
    space,
    direction: "minimize",
    objective: async ({ params }) => ({ value: value(Object.values(params) as number[]) - minimum }),
  };
  const pairs: [Searched, Searched][] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const settings = { trials: 50, seed };
    pairs.push([await search(problem, tpeSampler(), settings), await search(problem, randomSampler, settings)]);
  }
  say("figures are regrets: the best value found less the minimum");
  return summary(pairs, "minimize");
}

async function onMovielens(
  file: string,
  { trials, seeds }: { trials: number; seeds: number },
  { say }: BenchContext,
): Promise<BenchResult> {
  const data = await readInteractions(file);
  const pairs: [Searched, Searched][] = [];
  const tests: [number[], number[]] = [[], []];
  for (let seed = 0; seed < seeds; seed++) {
    const { train, test } = split(data, { by: "random-per-user", testFraction: 0.25, seed });
    const inner = split(train, { by: "random-per-user", testFraction: 0.25, seed: seed + 1000 });
    const problem = alsProblem(inner.train, inner.test, { seed, iterations: 8, factors: { min: 8, max: 48 } });
    const settings = { trials, seed };
    // by turns, so that the load of the machine falls on both alike
    const [first, second] = seed % 2 === 0 ? [tpeSampler(), randomSampler] : [randomSampler, tpeSampler()];
    const found = [await search(problem, first, settings), await search(problem, second, settings)];
    const pair: [Searched, Searched] = seed % 2 === 0 ? [found[0], found[1]] : [found[1], found[0]];
    pairs.push(pair);
    for (const [s, { params }] of pair.entries()) {
      const model = await fit("als", train, { ...params }, { seed });
      tests[s].push((await evaluate(model, train, test, { metrics: ["ndcg@10"] }))["ndcg@10"]);
      model.dispose();
    }
    say(`seed ${seed}: tpe ${pair[0].bestSoFar.at(-1)!.toFixed(4)}, random ${pair[1].bestSoFar.at(-1)!.toFixed(4)} (validation)`);
  }
  const [tpeTest, randomTest] = tests.map(median);
  const result = summary(pairs, "maximize");
  return { ...result, quality: { ...result.quality, tpeTest, randomTest, pWilcoxonTest: wilcoxonSignedRank(minus(tests[0], tests[1])).p } };
}

interface AlsProblem {
  seed: number;
  iterations: number;
  factors: { min: number; max: number };
}

/** TPE with and without ASHA on longer fits, 30 sweeps of up to 128 factors: what early stopping saves, and what it costs. */
async function earlyStopping(
  file: string,
  { trials, seeds }: { trials: number; seeds: number },
  { say }: BenchContext,
): Promise<BenchResult> {
  const data = await readInteractions(file);
  const asha: Searched[] = [];
  const none: Searched[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const { train } = split(data, { by: "random-per-user", testFraction: 0.25, seed });
    const inner = split(train, { by: "random-per-user", testFraction: 0.25, seed: seed + 1000 });
    const problem = alsProblem(inner.train, inner.test, { seed, iterations: 30, factors: { min: 32, max: 128 } });
    const withAsha = async () => asha.push(await search(problem, tpeSampler(), { trials, seed, scheduler: ashaScheduler() }));
    const without = async () => none.push(await search(problem, tpeSampler(), { trials, seed }));
    for (const run of seed % 2 === 0 ? [withAsha, without] : [without, withAsha]) await run();
    say(`seed ${seed}: asha ${asha.at(-1)!.bestSoFar.at(-1)!.toFixed(4)}, none ${none.at(-1)!.bestSoFar.at(-1)!.toFixed(4)}`);
  }
  const [ours, peer] = [asha, none].map((searches) =>
    timing(
      searches.map(({ seconds }) => seconds),
      "s",
    ),
  );
  const [ashaBest, noneBest] = [asha, none].map((searches) => searches.map(({ bestSoFar }) => bestSoFar.at(-1)!));
  const { wins, losses, p } = wilcoxonSignedRank(minus(ashaBest, noneBest));
  return {
    ours: { ...ours, build: bestVariant().build },
    peer: { name: "the same search without early stopping", ...peer },
    ratio: peer.median / ours.median,
    quality: { asha: median(ashaBest), none: median(noneBest), wins, losses, pWilcoxon: p },
  };
}

function alsProblem(train: Interactions, validation: Interactions, { seed, iterations, factors }: AlsProblem): Problem {
  const definition = getModel("als");
  const start = { factors: 16, regularization: 1, regularizationExponent: 0, alpha: 1, unobservedWeight: 1, iterations };
  const narrowed = { factors, regularization: { min: 0.01, max: 100 }, iterations };
  const space: SearchSpace = modelSpace(definition, { params: { ...start, solver: "cg", cgSteps: 3 }, narrowed, hasTimestamps: true });
  return {
    space,
    direction: "maximize",
    repair: repairFor(definition, space, start),
    objective: modelObjective({
      model: "als",
      train,
      cases: userCases(train, validation),
      metric: "ndcg@10",
      excludeSeen: true,
      seed,
      threads: 1,
    }),
  };
}

/** Medians over the seeds at growing numbers of trials, and tests of the final difference. */
function summary(pairs: readonly [Searched, Searched][], direction: "maximize" | "minimize"): BenchResult {
  const trials = pairs[0][0].bestSoFar.length;
  const quality: Record<string, number> = {};
  for (const at of [10, 20, 30, 40, trials].filter((at, i, all) => at <= trials && all.indexOf(at) === i)) {
    quality[`tpe@${at}`] = median(pairs.map(([tpe]) => tpe.bestSoFar[at - 1]));
    quality[`random@${at}`] = median(pairs.map(([, random]) => random.bestSoFar[at - 1]));
  }
  const sign = direction === "minimize" ? -1 : 1;
  const [tpe, random] = [0, 1].map((s) => pairs.map((pair) => sign * pair[s].bestSoFar.at(-1)!));
  const { wins, losses, p } = wilcoxonSignedRank(minus(tpe, random));
  const { pT } = comparePaired(Float64Array.from(tpe), Float64Array.from(random));
  const seconds = timing(
    pairs.map(([{ seconds }]) => seconds),
    "s",
  );
  return { ours: { ...seconds, build: bestVariant().build }, quality: { ...quality, wins, losses, pWilcoxon: p, pT } };
}

const minus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - b[i]);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}
