/**
 * The search loop: asks the sampler for parameters, runs the objective, keeps every finished trial before going on.
 *
 * Trial n may know the results of trials 0 … n − window only, whatever has finished by then, and counts those in between as
 * pending. So up to `window` trials run at once, and yet the same seed gives the same trials on any machine, with any
 * number of cores, and after any kill: only how far a time budget reaches depends on speed.
 */
import { CancelledError, ConfigError, TastemakerError, TrainingError } from "../core/errors.js";
import { createPacer } from "../core/pacer.js";
import { createRandom } from "../core/random.js";
import type { Trial, TrialParams, TrialStore } from "../core/trials.js";
import type { Question, Sampler } from "./sampler.js";
import type { Scheduler } from "./scheduler.js";
import { allValues, axesOf, combinationAt, type Point, pointOf, type SearchSpace, sizeOf } from "./search-space.js";

/** What the objective may use. */
export interface TrialRun {
  readonly number: number;
  readonly params: TrialParams;
  /** Aborted at the end of the time budget, on Ctrl-C, or when another trial met a fault. */
  readonly signal: AbortSignal;
  /** True when the scheduler wants to know the metric after this step. */
  isRung(step: number): boolean;
  /** Tells the metric after a step; on "stop" the objective ends as soon as it can, its value does not count. */
  report(step: number, value: number): "continue" | "stop";
}

/** The metric of one trial; `steps` = the step it was measured at, where the model learns in steps. */
export type Objective = (trial: TrialRun) => Promise<{ value: number; steps?: number }>;

export interface TuneProgress {
  trials: readonly Trial[];
  /** The trial that has just finished. */
  trial: Trial;
  best: Trial | undefined;
  /** Trials the budget allows; undefined when only time is limited. */
  total: number | undefined;
}

export interface TuneOptions {
  space: SearchSpace;
  objective: Objective;
  direction: "maximize" | "minimize";
  sampler: Sampler;
  scheduler: Scheduler;
  seed: number;
  /** At least one of both. Trials that were kept before count, seconds start anew. */
  budget: { trials?: number; seconds?: number };
  /** A trial knows nothing of the `window` − 1 before it; up to that many run at once. Default 4. */
  window?: number;
  /** How many run at once, at most `window`. Changes the time only, not the trials. Default: `window`. */
  concurrency?: number;
  /** Makes a proposal valid, or undefined when it cannot be; by default all are valid. */
  repair?: (params: TrialParams) => TrialParams | undefined;
  /** Tried first. */
  initial?: readonly TrialParams[];
  store: TrialStore;
  /** Id of a study in the store; its trials are gone on with. */
  study: string;
  signal?: AbortSignal;
  onTrial?: (progress: TuneProgress) => void;
}

export interface TuneResult {
  /** By number. */
  trials: Trial[];
  best: Trial;
  stoppedBy: "trials" | "seconds" | "space";
}

const LONGEST_TIMER = 2 ** 31 - 1;
/** Proposals that are looked at for one trial when they are not valid or were tried before. */
const ATTEMPTS = 16;
/** Parameters of trials that failed before the search gives up, when none has succeeded. */
const MAX_FAILURES = 5;

/**
 * Runs the search. Throws ConfigError (no budget, nothing to search), CancelledError (`signal`), TrainingError (no trial
 * succeeded), and whatever else the objective throws than data, training and kernel errors, which make a trial "failed".
 */
export async function tune(options: TuneOptions): Promise<TuneResult> {
  const { space, sampler, budget, window = 4, store, study, seed, initial = [], repair = (params) => params } = options;
  checkOptions(options);
  const concurrency = Math.min(window, options.concurrency ?? window);
  const axes = axesOf(space);
  const size = sizeOf(space);
  const order = trialOrder(options.direction);
  const stored = new Map((await store.listTrials(study)).map((trial) => [trial.number, trial]));
  const limit = Math.min(budget.trials ?? Infinity, sampler.size ? sampler.size(space) + initial.length : Infinity);
  const finished: (Trial | undefined)[] = [];
  const asked: TrialParams[] = [];
  const used = new Set<string>();
  const running = new Map<number, Promise<void>>();
  const stop = new AbortController();
  const cancel = () => stop.abort();
  let fault: unknown;
  let stoppedBy: TuneResult["stoppedBy"] = limit === budget.trials ? "trials" : "space";
  let late = false;
  const pace = createPacer(undefined);

  const known = () => finished.filter((trial) => trial !== undefined);
  let best: Trial | undefined;
  const settle = (trial: Trial) => {
    finished[trial.number] = trial;
    if (trial.state === "complete" && (!best || order(trial, best) < 0)) best = trial;
    options.onTrial?.({ trials: known(), trial, best, total: Number.isFinite(limit) ? limit : undefined });
  };
  const run = async (number: number, visible: readonly Trial[]) => {
    try {
      const trial = await runTrial(options, { number, params: asked[number], visible, signal: stop.signal });
      await store.addTrial(study, trial);
      settle(trial);
      if (!best && known().length >= MAX_FAILURES) throw allFailed(known());
    } catch (error) {
      if (!stop.signal.aborted) fault = error;
      stop.abort();
    } finally {
      running.delete(number);
    }
  };
  const timer =
    budget.seconds === undefined
      ? undefined
      : setTimeout(
          () => {
            late = true;
            if (best) stop.abort(); // without any result yet, the running trials may end
          },
          Math.min(budget.seconds * 1000, LONGEST_TIMER),
        );
  options.signal?.addEventListener("abort", cancel, { once: true });
  if (options.signal?.aborted) stop.abort();
  try {
    for (let number = 0; number < limit && !stop.signal.aborted; number++) {
      while (oldestRunning(running) <= number - window && !stop.signal.aborted) await Promise.race(running.values());
      while (running.size >= concurrency && !stop.signal.aborted) await Promise.race(running.values());
      await pace(); // timers and Ctrl-C have their turn, however quick the objective is
      if (stop.signal.aborted || late) break;
      const visible = finished.slice(0, Math.max(0, number - window + 1)).filter((trial) => trial !== undefined);
      const before = stored.get(number);
      const params = before?.params ?? (number < initial.length ? initial[number] : next(number, visible));
      if (params === undefined) {
        stoppedBy = "space";
        break;
      }
      asked.push(params);
      used.add(keyOf(params));
      if (before) settle(before);
      else running.set(number, run(number, visible));
    }
    while (running.size > 0) await Promise.race(running.values());
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", cancel);
  }
  if (fault !== undefined) throw fault;
  if (options.signal?.aborted) throw new CancelledError("The search was cancelled.", { hint: "Finished trials are kept." });
  if (!best) throw allFailed(known());
  return { trials: known(), best, stoppedBy: late ? "seconds" : stoppedBy };

  /** Parameters that were not asked for before; undefined when there are none left. */
  function next(number: number, visible: readonly Trial[]): TrialParams | undefined {
    const place = (params: TrialParams) => pointOf(space, axes, params);
    const ranked = [...visible].sort(order).map(({ params }) => place(params));
    const pending = asked.slice(Math.max(0, number - window + 1)).map(place);
    const there = (points: (Point | undefined)[]) => points.filter((point) => point !== undefined);
    const question: Omit<Question, "random"> = {
      space,
      axes,
      index: number - initial.length,
      seed,
      ranked: there(ranked),
      pending: there(pending),
    };
    let twice: TrialParams | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const proposal = repair(sampler.propose({ ...question, random: createRandom(mix(seed, number, attempt)) }));
      if (proposal && !used.has(keyOf(proposal))) return proposal;
      twice ??= proposal;
    }
    if (size > 10_000) return twice; // a second look does no harm
    const lists = allValues(space);
    const left = Array.from({ length: size }, (_, i) => repair({ ...space.fixed, ...combinationAt(lists, i) }))
      .filter((params) => params !== undefined)
      .filter((params) => !used.has(keyOf(params)));
    return left.length === 0 ? undefined : left[createRandom(mix(seed, number, ATTEMPTS)).integer(left.length)];
  }
}

async function runTrial(
  { objective, scheduler, direction }: TuneOptions,
  { number, params, visible, signal }: { number: number; params: TrialParams; visible: readonly Trial[]; signal: AbortSignal },
): Promise<Trial> {
  const sign = direction === "minimize" ? 1 : -1;
  const reports: { step: number; value: number }[] = [];
  let stopped = false;
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    const { value, steps } = await objective({
      number,
      params,
      signal,
      isRung: (step) => scheduler.isRung(step),
      report(step, value) {
        reports.push({ step, value });
        const others = visible.flatMap((trial) =>
          trial.reports.filter((report) => report.step === step).map((report) => sign * report.value),
        );
        stopped ||= !scheduler.keeps(sign * value, others);
        return stopped ? "stop" : "continue";
      },
    });
    if (stopped) return { number, params, state: "pruned", value: reports.at(-1)!.value, reports, seconds: seconds() };
    if (!Number.isFinite(value)) throw new TrainingError(`The metric is ${value}.`);
    if (steps !== undefined) reports.push({ step: steps, value });
    return { number, params, state: "complete", value, reports, seconds: seconds() };
  } catch (error) {
    if (!(error instanceof TastemakerError) || !["E_DATA", "E_TRAINING", "E_KERNEL"].includes(error.code)) throw error;
    return { number, params, state: "failed", reports: [], seconds: seconds(), error: error.message };
  }
}

/** Best first: complete trials, then stopped ones (those that came further first), then failed ones; equals by number. */
export function trialOrder(direction: "maximize" | "minimize"): (a: Trial, b: Trial) => number {
  const sign = direction === "minimize" ? 1 : -1;
  const group = { complete: 0, pruned: 1, failed: 2 };
  const reached = ({ state, reports }: Trial) => (state === "pruned" ? (reports.at(-1)?.step ?? 0) : 0);
  return (a, b) =>
    group[a.state] - group[b.state] || reached(b) - reached(a) || sign * ((a.value ?? 0) - (b.value ?? 0)) || a.number - b.number;
}

function oldestRunning(running: ReadonlyMap<number, unknown>): number {
  return Math.min(Infinity, ...running.keys());
}

function keyOf(params: TrialParams): string {
  return JSON.stringify(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A seed for each trial and attempt. */
function mix(seed: number, number: number, attempt: number): number {
  return (Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b) ^ Math.imul(attempt, 0xc2b2ae35)) >>> 0;
}

function allFailed(trials: readonly Trial[]): TrainingError {
  return new TrainingError(`None of ${trials.length} trials could be fitted; the first one: ${trials[0]?.error ?? "stopped early"}`, {
    hint: "Narrow the search to parameters that suit the data.",
  });
}

function checkOptions({ budget: { trials, seconds }, space, window = 4 }: TuneOptions): void {
  if (trials === undefined && seconds === undefined)
    throw new ConfigError("The search has no end.", { hint: "Give a number of trials, or seconds, or both." });
  if (trials !== undefined && !(Number.isInteger(trials) && trials >= 1)) throw wrong("trials", trials, "Give a whole number, 1 or more.");
  if (seconds !== undefined && !(seconds > 0)) throw wrong("seconds", seconds, "Give a number above 0.");
  if (!(Number.isInteger(window) && window >= 1)) throw wrong("window", window, "Give a whole number, 1 or more.");
  if (Object.keys(space.searched).length === 0)
    throw new ConfigError("There is nothing to search: every parameter is fixed.", { hint: "Give a parameter a range or a list." });
}

function wrong(path: string, got: unknown, hint: string): ConfigError {
  return new ConfigError(`The search's ${path} is ${got}.`, { hint, details: { path, got } });
}
