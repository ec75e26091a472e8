/**
 * Measures the models of a scenario. First every model is judged on validation and the best is chosen; then the reports are made,
 * one after the other. Where `--model` narrows, nothing is chosen: a choice among some of the models would be none.
 */
import { throwIfCancelled } from "../../core/errors.js";
import type { FitContext } from "../../core/model.js";
import { fit } from "../../models/registry.js";
import type { Recommender } from "../../ranking/recommender.js";
import type { Judging, Scenario, StudyMeasurement, StudyValues } from "./study.js";
import { type StudyModel, wantedModels } from "./study-models.js";

type FitRun = Pick<FitContext, "device" | "signal" | "onProgress">;
type Running = FitRun & { kept?: KeptModels };

export interface ScenarioRun extends FitRun {
  /** Only these models or variants; all when undefined. */
  models: readonly string[] | undefined;
  onMeasurement: (measurement: StudyMeasurement) => void;
}

export async function runScenario(scenario: Scenario, run: ScenarioRun): Promise<void> {
  const kept: KeptModels | undefined = scenario.fitsOnce ? new Map() : undefined;
  try {
    await measureModels(scenario, { ...run, kept });
  } finally {
    for (const { model } of kept?.values() ?? []) model.dispose();
  }
}

/** Fitted models by `keyOf`, with the time that their fits took. */
type KeptModels = Map<string, { model: Recommender; seconds: number }>;

const keyOf = ({ name, params, features }: StudyModel, seed: number) => JSON.stringify([name, params, features, seed]);

async function measureModels(scenario: Scenario, { models, onMeasurement, ...context }: ScenarioRun & Running): Promise<void> {
  const wanted = wantedModels(scenario.models, models);
  const chosen = wanted.length === scenario.models.length && wanted.length > 1 ? await chooseModel(scenario, wanted, context) : undefined;
  for (const { suffix, judgings } of scenario.reports) {
    for (const entry of wanted) {
      const fitBefore = entry.seeds.reduce((sum, seed) => sum + (context.kept?.get(keyOf(entry, seed))?.seconds ?? 0), 0);
      const started = performance.now();
      const runs: StudyValues[] = [];
      for (const seed of entry.seeds) runs.push(await meanOfFolds(await judgings(seed), entry, { seed, ...context }));
      const seconds = Math.round((performance.now() - started) / 10 + 100 * fitBefore) / 100;
      const head = { scenario: scenario.name && `${scenario.name}${suffix}`, model: entry.name, variant: entry.variant };
      for (const metric of Object.keys(runs[0])) {
        for (const segment of Object.keys(runs[0][metric])) {
          onMeasurement({
            ...head,
            ...(segment === "" ? {} : { segment }),
            metric,
            ...meanAndSpread(runs.map((run) => run[metric][segment])),
            ...(entry.seeds.length > 1 ? { seeds: [...entry.seeds] } : {}),
            ...(entry === chosen ? { selected: true } : {}),
            seconds,
          });
        }
      }
    }
  }
}

/** The headline of one model on validation, mean over its seeds. */
export async function judgeOnValidation(scenario: Scenario, entry: StudyModel, context: Running): Promise<number> {
  let sum = 0;
  for (const seed of entry.seeds)
    sum += (await fitAndJudge(await scenario.validation(seed), entry, { seed, ...context }))[scenario.chooseBy][""];
  return sum / entry.seeds.length;
}

type RunContext = { seed: number } & Running;

async function chooseModel(scenario: Scenario, entries: readonly StudyModel[], context: Running): Promise<StudyModel> {
  const sign = scenario.direction === "maximize" ? 1 : -1;
  let best = { entry: entries[0], value: -Infinity };
  for (const [done, entry] of entries.entries()) {
    context.onProgress?.({ stage: `choosing${scenario.name ? ` (${scenario.name})` : ""}`, done, total: entries.length, note: entry.name });
    const value = sign * (await judgeOnValidation(scenario, entry, context));
    if (value > best.value) best = { entry, value };
  }
  return best.entry;
}

async function fitAndJudge(judging: Judging, entry: StudyModel, { seed, kept, ...context }: RunContext): Promise<StudyValues> {
  throwIfCancelled(context.signal);
  const { train, judge, userFeatures, itemFeatures } = judging;
  const known = kept?.get(keyOf(entry, seed));
  if (known) return judge(known.model, entry);
  const started = performance.now();
  const features = entry.features ? { userFeatures, itemFeatures } : {};
  const model = await fit(entry.name, train, entry.params, { seed, ...context, ...features });
  kept?.set(keyOf(entry, seed), { model, seconds: (performance.now() - started) / 1000 });
  try {
    return await judge(model, entry);
  } finally {
    if (!kept) model.dispose();
  }
}

/** One judging as it is; of several the mean as headline and each as a segment "fold n". */
async function meanOfFolds(judgings: readonly Judging[], entry: StudyModel, context: RunContext): Promise<StudyValues> {
  const folds: StudyValues[] = [];
  for (const judging of judgings) folds.push(await fitAndJudge(judging, entry, context));
  if (folds.length === 1) return folds[0];
  const headlines = (metric: string) => folds.map((fold) => fold[metric][""]);
  return Object.fromEntries(
    Object.keys(folds[0]).map((metric) => [
      metric,
      {
        "": meanAndSpread(headlines(metric)).value,
        ...Object.fromEntries(headlines(metric).map((value, f) => [`fold ${f + 1}`, value])),
      },
    ]),
  );
}

function meanAndSpread(values: readonly number[]): { value: number; sd?: number } {
  const value = values.reduce((a, b) => a + b, 0) / values.length;
  if (values.length === 1) return { value };
  return { value, sd: Math.sqrt(values.reduce((sum, x) => sum + (x - value) ** 2, 0) / (values.length - 1)) };
}
