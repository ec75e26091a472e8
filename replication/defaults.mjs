/**
 * How far default parameters are from the chosen ones: every model of a scenario that has chosen parameters, with them and with none,
 * on the scenario's validation part (which lies inside the training data of everything the study reports):
 *   node replication/defaults.mjs STUDY[:SCENARIO] [--model NAME …] [--json] [--data DIR]
 * Models made of models have no meaning without parameters and are left out; neural ones are measured only when named.
 */
import { parseArgs } from "node:util";
import { getModel } from "#dist/index.js";
import { studyScenarios } from "#dist/service/replicate.js";
import { judgeOnValidation } from "#dist/service/studies/run-scenario.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", multiple: true },
    json: { type: "boolean", default: false },
    data: { type: "string", default: process.env.TASTEMAKER_DATA },
    help: { type: "boolean", default: false },
  },
});
if (options.help || positionals.length !== 1 || !options.data) {
  console.log("node replication/defaults.mjs STUDY[:SCENARIO] [--model NAME …] [--json] [--data DIR]");
  console.log(
    "Studies and scenarios: retail:A, retail:B, movielens-100k:ranking, movielens-100k:folds, beauty. --data: default $TASTEMAKER_DATA.",
  );
  process.exit(options.help ? 0 : 64);
}
const [study, name] = positionals[0].split(":");
const scenarios = await studyScenarios(study, { dataFolder: options.data });
const scenario = scenarios.find((one) => one.name === name);
if (!scenario) throw new Error(`${study} has the scenarios ${scenarios.map((one) => one.name ?? "(none)").join(", ")}.`);

const round = (value) => Number(value.toFixed(4));
for (const entry of scenario.models.filter(isWanted)) {
  const once = { ...entry, seeds: entry.seeds.slice(0, 1) };
  const chosen = await judgeOnValidation(scenario, once, {});
  const defaults = await judgeOnValidation(scenario, { ...once, params: {} }, {});
  const share = scenario.direction === "maximize" ? defaults / chosen : chosen / defaults;
  const line = {
    scenario: positionals[0],
    model: entry.name,
    metric: scenario.chooseBy,
    chosen: round(chosen),
    defaults: round(defaults),
    share: round(share),
  };
  console.log(
    options.json
      ? JSON.stringify(line)
      : `${line.model.padEnd(14)} ${line.metric} chosen ${line.chosen}, defaults ${line.defaults}: ${Math.round(100 * share)} %`,
  );
}
process.exit(0);

function isWanted({ name: model, variant, params }) {
  if (options.model) return options.model.includes(variant ?? model);
  return variant === undefined && Object.keys(params ?? {}).length > 0 && model !== "blend" && !getModel(model).needs;
}
