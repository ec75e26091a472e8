/** The search loop: repeatable whatever the timing, resumable, bounded; samplers that find minima; schedulers that stop. */
import { describe, expect, test } from "vitest";
import { testFunctions } from "../../bench/support/test-functions.js";
import { ConfigError, TrainingError } from "../../src/core/errors.js";
import { createRandom } from "../../src/core/random.js";
import type { Trial, TrialStore } from "../../src/core/trials.js";
import { importanceOf } from "../../src/tuning/importance.js";
import { createMemoryTrialStore } from "../../src/tuning/memory-trial-store.js";
import { gridSampler, randomSampler, type Sampler, sobolSampler } from "../../src/tuning/sampler.js";
import { ashaScheduler, medianScheduler, noScheduler } from "../../src/tuning/scheduler.js";
import type { SearchSpace } from "../../src/tuning/search-space.js";
import { tpeSampler } from "../../src/tuning/tpe.js";
import { type Objective, type TuneOptions, trialOrder, tune } from "../../src/tuning/tune.js";
import { expectError } from "../support/errors.js";

const line: SearchSpace = {
  searched: {
    x: { kind: "number", low: 0, high: 1, scale: "linear", whole: false, alternatives: [] },
    mode: { kind: "choice", values: ["a", "b", "c"] },
    extra: { kind: "number", low: 1, high: 100, scale: "log", whole: false, alternatives: [undefined] },
  },
  fixed: { z: 1 },
};
/** Best at x = 0.7 with mode b and no extra. */
const bowl: Objective = async ({ params }) => ({
  value: ((params.x as number) - 0.7) ** 2 + (params.mode === "b" ? 0 : 0.1) + (params.extra === undefined ? 0 : 0.05),
});

async function search(over: Partial<TuneOptions> = {}, store: TrialStore = createMemoryTrialStore()) {
  await store.putStudy({ id: "s", settings: {}, createdAt: "" });
  return tune({
    space: line,
    objective: bowl,
    direction: "minimize",
    sampler: tpeSampler(),
    scheduler: noScheduler,
    seed: 1,
    budget: { trials: 30 },
    store,
    study: "s",
    ...over,
  });
}

const outcome = (trials: readonly Trial[]) => trials.map(({ seconds, ...rest }) => rest);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("known minima", () => {
  test.each(testFunctions)("$name has its minimum where it is said to be", ({ value, at, minimum, space }) => {
    expect(value(at)).toBeCloseTo(minimum, 5);
    const random = createRandom(1);
    for (let i = 0; i < 2000; i++) {
      const x = Object.values(space.searched).map((d) => (d.kind === "number" ? d.low + random.uniform() * (d.high - d.low) : 0));
      expect(value(x)).toBeGreaterThanOrEqual(minimum);
    }
  });

  test.each(testFunctions)("tpe beats random search on $name in most of 12 seeds", async ({ value, space }) => {
    const best = async (sampler: Sampler, seed: number) => {
      const objective: Objective = async ({ params }) => ({ value: value(Object.values(params) as number[]) });
      return (await search({ space, objective, sampler, seed, budget: { trials: 40 } })).best.value!;
    };
    let wins = 0;
    for (let seed = 0; seed < 12; seed++) wins += Number((await best(tpeSampler(), seed)) < (await best(randomSampler, seed)));
    expect(wins).toBeGreaterThanOrEqual(10); // by chance: p = 0.02
  });
});

describe("the search", () => {
  test.each<[string, Sampler]>([
    ["random", randomSampler],
    ["sobol", sobolSampler],
    ["tpe", tpeSampler()],
    ["grid", gridSampler({ points: 4 })],
  ])("by %s gives the same trials whatever the timing and the number that run at once", async (_, sampler) => {
    const noisy = createRandom(9);
    const slow: Objective = async (trial) => {
      await pause(noisy.integer(6));
      return bowl(trial);
    };
    const alone = await search({ sampler, concurrency: 1 });
    const crowd = await search({ sampler, objective: slow });
    expect(outcome(crowd.trials)).toEqual(outcome(alone.trials));
    expect(new Set(alone.trials.map(({ params }) => JSON.stringify(params))).size).toBe(30);
    const other = await search({ sampler, seed: 2 });
    expect(outcome(other.trials)).not.toEqual(outcome(alone.trials));
    expect(alone.trials.every(({ params }) => params.z === 1)).toBe(true);
  });

  test("cut off anywhere and gone on with, it ends as if it had never been", async () => {
    const whole = await search({ scheduler: ashaScheduler() });
    const store = createMemoryTrialStore();
    const stop = new AbortController();
    let calls = 0;
    const objective: Objective = async (trial) => {
      calls++;
      await pause(trial.number % 3);
      if (calls > 12) stop.abort();
      return bowl(trial);
    };
    await expectError(search({ objective, scheduler: ashaScheduler(), signal: stop.signal }, store), "E_CANCELLED", /kept/);
    const kept = (await store.listTrials("s")).length;
    expect(kept).toBeGreaterThan(5);
    expect(kept).toBeLessThan(30);
    calls = Number.NEGATIVE_INFINITY;
    let again = 0;
    const counted: Objective = async (trial) => {
      again++;
      return bowl(trial);
    };
    const rest = await search({ objective: counted, scheduler: ashaScheduler() }, store);
    expect(outcome(rest.trials)).toEqual(outcome(whole.trials));
    expect(again).toBe(30 - kept);
  });

  test("a larger budget goes on; a smaller one takes the first", async () => {
    const store = createMemoryTrialStore();
    const ten = await search({ budget: { trials: 10 } }, store);
    const thirty = await search({}, store);
    expect(outcome(thirty.trials.slice(0, 10))).toEqual(outcome(ten.trials));
    expect(outcome((await search({ budget: { trials: 10 } }, store)).trials)).toEqual(outcome(ten.trials));
  });

  test("initial parameters come first, and maximizing turns the order", async () => {
    const initial = [{ x: 0.5, mode: "b", z: 1 }];
    const { trials, best } = await search({ initial, direction: "maximize", objective: async (t) => ({ value: -(await bowl(t)).value }) });
    expect(trials[0].params).toEqual(initial[0]);
    expect(best.value).toBe(Math.max(...trials.map(({ value }) => value!)));
    expect(best.value).toBeGreaterThan(-0.02);
  });

  test("a finite space is searched once through", async () => {
    const space: SearchSpace = {
      searched: {
        n: { kind: "number", low: 1, high: 3, scale: "linear", whole: true, alternatives: ["auto"] },
        flag: { kind: "choice", values: [false, true] },
      },
      fixed: {},
    };
    for (const sampler of [randomSampler, tpeSampler(), sobolSampler, gridSampler()]) {
      const { trials, stoppedBy } = await search({ space, sampler, objective: async ({ params }) => ({ value: Number(params.flag) }) });
      expect(new Set(trials.map(({ params }) => JSON.stringify([params.n, params.flag]))).size).toBe(8);
      expect({ stoppedBy, length: trials.length }, sampler.name).toEqual({ stoppedBy: "space", length: 8 });
    }
  });

  test("a time budget ends the search, but not before there is a result", async () => {
    const endless: Objective = async ({ number, signal }) => {
      await pause(number === 0 ? 60 : 10);
      if (signal.aborted) throw new ConfigError("went on after the end");
      return { value: 1 };
    };
    const { stoppedBy, trials } = await search({ objective: endless, budget: { seconds: 0.03 }, window: 1 });
    expect({ stoppedBy, trials: trials.length }).toEqual({ stoppedBy: "seconds", trials: 1 });
  });

  test("a time budget ends a search that never waits", async () => {
    const { stoppedBy, trials } = await search({ budget: { seconds: 0.1 }, sampler: randomSampler });
    expect(stoppedBy).toBe("seconds");
    expect(trials.length).toBeGreaterThan(1);
  });

  test("trials that cannot be fitted are noted; when all fail, the search does", async () => {
    const picky: Objective = async (trial) => {
      if (trial.params.mode === "a") throw new TrainingError("mode a diverges.");
      return trial.params.mode === "c" ? { value: Number.NaN } : bowl(trial);
    };
    const { trials, best } = await search({ objective: picky });
    expect(best.params.mode).toBe("b");
    expect(trials.find(({ params }) => params.mode === "a")).toMatchObject({ state: "failed", error: "mode a diverges." });
    expect(trials.find(({ params }) => params.mode === "c")).toMatchObject({ state: "failed", error: "The metric is NaN." });
    const never: Objective = async () => {
      throw new TrainingError("No.");
    };
    await expectError(search({ objective: never }), "E_TRAINING", /None of \d trials could be fitted; the first one: No\./);
    const wrong: Objective = async () => {
      throw new ConfigError("There is no such metric.");
    };
    await expectError(search({ objective: wrong }), "E_CONFIG", /no such metric/);
  });

  test.each<[Partial<TuneOptions>, RegExp]>([
    [{ budget: {} }, /has no end/],
    [{ budget: { trials: 0 } }, /trials is 0/],
    [{ budget: { trials: 2.5 } }, /trials is 2\.5/],
    [{ budget: { seconds: -1 } }, /seconds is -1/],
    [{ window: 0 }, /window is 0/],
    [{ space: { searched: {}, fixed: {} } }, /nothing to search/],
  ])("%j is refused", async (over, message) => {
    await expectError(search(over), "E_CONFIG", message);
  });
});

describe("schedulers", () => {
  /** The value falls to its end over 16 steps; trials with a bad end are worse all along. */
  const steps: Objective = async (trial) => {
    const end = (await bowl(trial)).value;
    for (let step = 1; step < 16; step++) {
      if (!trial.isRung(step)) continue;
      if (trial.report(step, end + 1 / step) === "stop") return { value: Number.NaN };
    }
    return { value: end + 1 / 16, steps: 16 };
  };

  test.each([ashaScheduler(), medianScheduler()])("$name stops bad trials early and keeps the best", async (scheduler) => {
    const all = await search({ objective: steps, sampler: randomSampler, budget: { trials: 40 } });
    const { trials, best } = await search({ objective: steps, sampler: randomSampler, scheduler, budget: { trials: 40 } });
    const pruned = trials.filter(({ state }) => state === "pruned");
    expect(pruned.length).toBeGreaterThan(8);
    expect(best.number).toBe(all.best.number);
    for (const { reports, value } of pruned) expect(value).toBe(reports.at(-1)!.value);
    const half = all.trials.map(({ value }) => value!).sort((a, b) => a - b)[20];
    const lost = pruned.filter(({ number }) => all.trials[number].value! < half / 2);
    expect(lost.length).toBeLessThan(pruned.length / 4);
  });

  test("rungs are firstStep · reduction^k", () => {
    const rungs = (scheduler: { isRung(step: number): boolean }) => Array.from({ length: 30 }, (_, i) => i + 1).filter(scheduler.isRung);
    expect(rungs(ashaScheduler())).toEqual([2, 6, 18]);
    expect(rungs(medianScheduler({ firstStep: 1, reduction: 2 }))).toEqual([1, 2, 4, 8, 16]);
    expect(rungs(noScheduler)).toEqual([]);
  });

  test("asha keeps the best half or third, everyone while there are fewer", () => {
    const third = ashaScheduler();
    expect([third.keeps(5, []), third.keeps(5, [1]), third.keeps(5, [1, 2]), third.keeps(0, [1, 2])]).toEqual([true, true, false, true]);
    const asha = ashaScheduler({ reduction: 2 });
    expect(asha.keeps(5, [])).toBe(true);
    expect(asha.keeps(5, [1])).toBe(false);
    expect(asha.keeps(0, [1])).toBe(true);
    expect(asha.keeps(2, [1, 3, 4])).toBe(true);
    expect(asha.keeps(3.5, [1, 3, 4])).toBe(false);
  });
});

describe("order and importance", () => {
  test("complete before stopped before failed, and later stopped before earlier", () => {
    const trial = (number: number, state: Trial["state"], value?: number, step?: number): Trial => ({
      number,
      params: {},
      state,
      value,
      reports: step === undefined ? [] : [{ step, value: value! }],
      seconds: 0,
    });
    const trials = [
      trial(0, "failed"),
      trial(1, "pruned", 9, 2),
      trial(2, "pruned", 8, 4),
      trial(3, "complete", 1),
      trial(4, "complete", 2),
    ];
    expect(trials.sort(trialOrder("maximize")).map(({ number }) => number)).toEqual([4, 3, 2, 1, 0]);
  });

  test("the parameter that decides is named first, noise gets about nothing", async () => {
    const space: SearchSpace = {
      searched: { ...line.searched, noise: { kind: "number", low: 0, high: 1, scale: "linear", whole: false, alternatives: [] } },
      fixed: {},
    };
    const objective: Objective = async ({ params }) => ({ value: (params.x as number) + (params.mode === "b" ? 0.1 : 0) });
    const { trials } = await search({ space, objective, sampler: randomSampler, budget: { trials: 100 } });
    const sorted = [...trials].sort(trialOrder("minimize"));
    const found = importanceOf(sorted, ["noise", "mode", "x"]);
    expect(found[0].param).toBe("x");
    expect(found[0].importance).toBeGreaterThan(0.85);
    expect(found.find(({ param }) => param === "noise")!.importance).toBeLessThan(0.1);
    expect(importanceOf(sorted.slice(0, 9), ["x"])).toEqual([]);
  });
});
