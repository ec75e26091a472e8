/**
 * Which features of MovieLens 100k the cross network crosses: fits dcn on the training part of the scenario "random" (one seed), prints the pairs,
 * strongest first, and writes the heat map:
 *   node replication/feature-strengths.mjs FILE.svg [--seed 1] [--data DIR]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fit } from "#dist/index.js";
import { pairsOf } from "#dist/service/feature-strengths.js";
import { studyScenarios } from "#dist/service/replicate.js";
import { heatMap } from "#dist/service/report/heat-map.js";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" }, data: { type: "string", default: process.env.TASTEMAKER_DATA } },
});
if (positionals.length !== 1 || !options.data) {
  console.log("node replication/feature-strengths.mjs FILE.svg [--seed 1] [--data DIR]; --data: default $TASTEMAKER_DATA.");
  process.exit(64);
}
const scenario = (await studyScenarios("movielens-100k", { dataFolder: options.data })).find(({ name }) => name === "random");
const { params } = scenario.models.find(({ name }) => name === "dcn");
const seed = Number(options.seed);
const [{ train, userFeatures }] = await scenario.reports[0].judgings(seed);
const model = await fit("dcn", train, params, { seed, userFeatures });
const strengths = model.fitted.featureStrengths();
for (const { features, strength } of pairsOf(strengths)) console.log(`${features.join(" × ").padEnd(28)} ${strength.toPrecision(4)}`);
writeFileSync(positionals[0], heatMap(strengths, "MovieLens 100k: feature pairs of dcn"));
