/**
 * Searches a model's parameters for a study, on the scenario's validation part only, which lies inside the training data of
 * everything the study reports:
 *   node replication/tune.mjs STUDY[:SCENARIO] --model NAME [--trials 30] [--params JSON] [--space JSON] [--seed 1] [--data DIR]
 * `--params` are where the search starts (missing ones: the model's defaults); `--space` narrows it as in a recipe
 * ({"factors": 64} fixes, [32, 64] lists, {"min": 1, "max": 9, "scale": "log"} gives a range). `--trials 1` judges the start only.
 * The first trial is the start, so the last line says how far the defaults are from the best found.
 */
import { parseArgs } from "node:util";
import { createMemoryTrialStore, fit, getModel, modelSpace, noScheduler, repairFor, tpeSampler, tune } from "#dist/index.js";
import { studyScenarios } from "#dist/service/replicate.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    trials: { type: "string", default: "30" },
    params: { type: "string", default: "{}" },
    space: { type: "string", default: "{}" },
    seed: { type: "string", default: "1" },
    "fold-in": { type: "boolean", default: false },
    data: { type: "string", default: process.env.TASTEMAKER_DATA },
    help: { type: "boolean", default: false },
  },
});
if (options.help || positionals.length !== 1 || !options.model || !options.data) {
  console.log(
    "node replication/tune.mjs STUDY[:SCENARIO] --model NAME [--trials 30] [--params JSON] [--space JSON] [--seed 1] [--fold-in] [--data DIR]",
  );
  console.log(
    "Studies and scenarios: retail:A, retail:B, movielens-100k:ranking, movielens-100k:folds, movielens-100k:random, beauty. --data: default $TASTEMAKER_DATA.",
  );
  process.exit(options.help ? 0 : 64);
}
const [study, name] = positionals[0].split(":");
const scenarios = await studyScenarios(study, { dataFolder: options.data });
const scenario = scenarios.find((one) => one.name === name);
if (!scenario) throw new Error(`${study} has the scenarios ${scenarios.map((one) => one.name ?? "(none)").join(", ")}.`);
const seed = Number(options.seed);
const { train, judge, userFeatures, itemFeatures } = await scenario.validation(seed);

const definition = getModel(options.model);
const start = definition.params.parse(JSON.parse(options.params));
const space = modelSpace(definition, { params: start, narrowed: JSON.parse(options.space), hasTimestamps: train.timestamp !== undefined });
const objective = async ({ params, signal }) => {
  const model = await fit(definition.name, train, params, { seed, signal, userFeatures, itemFeatures });
  try {
    const values = await judge(model, { name: definition.name, params, seeds: [seed], foldIn: options["fold-in"] });
    return { value: values[scenario.chooseBy][""], values };
  } finally {
    model.dispose();
  }
};
const round = (value) => Number(value?.toFixed(5));
const print = (trial) =>
  console.log(JSON.stringify({ [scenario.chooseBy]: round(trial.value), seconds: round(trial.seconds), ...trial.params }));

if (Number(options.trials) === 1) {
  const { values } = await objective({ params: start });
  console.log(JSON.stringify(values));
  process.exit(0);
}
const store = createMemoryTrialStore();
await store.putStudy({ id: "study", settings: {}, createdAt: new Date().toISOString() });
const { best, trials } = await tune({
  space,
  objective,
  direction: scenario.direction,
  sampler: tpeSampler(),
  scheduler: noScheduler,
  seed,
  budget: { trials: Number(options.trials) },
  initial: [start],
  repair: repairFor(definition, space, start),
  concurrency: 1,
  store,
  study: "study",
  onTrial: ({ trial }) => (trial.value === undefined ? console.log(JSON.stringify(trial)) : print(trial)),
});
console.log(`start: ${round(trials[0].value)}, best: ${round(best.value)} ${JSON.stringify(best.params)}`);
