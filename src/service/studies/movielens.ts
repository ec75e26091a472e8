/**
 * MovieLens 100k. Scenario "folds": RMSE of rating models over the five official folds, predictions held to the scale.
 * Scenario "ranking": 75 % of each user's ratings at random for training, the rest as relevant items, NDCG@10 over the
 * full catalogue without the seen; one split per seed. Ratings are the weights.
 */
import { join } from "node:path";
import { z } from "zod";
import type { Interactions } from "../../core/interactions.js";

import { parseParams } from "../../core/params.js";

import { readInteractions } from "../../data/readers/read-dataset.js";
import { alignInteractions, split } from "../../data/splits.js";
import { evaluate } from "../../evaluation/evaluate.js";
import { evaluateRatingModel } from "../../evaluation/ratings.js";
import { fit } from "../../models/registry.js";
import type { Study, StudyMeasurement, StudyRun } from "./study.js";
import { measure, modelNames, type StudyModel, studyModelSchema, wantedModels } from "./study-models.js";

const configSchema = z.strictObject({
  folder: z.string(),
  folds: z.array(z.strictObject({ train: z.string(), test: z.string() })).min(1),
  ratings: z.array(studyModelSchema),
  ranking: z.array(studyModelSchema),
  metrics: z.array(z.string()).min(1),
});

const parseConfig = (config: unknown) => parseParams(configSchema, config, "Study movielens-100k, config.yaml");

export const movielens: Study = {
  modelNames: (config) => modelNames([...parseConfig(config).ratings, ...parseConfig(config).ranking]),

  async run({ config, dataFolder, models, signal, onProgress, onMeasurement }: StudyRun) {
    const { folder, folds, ratings, ranking, metrics } = parseConfig(config);
    const read = (file: string) => readInteractions(join(dataFolder, folder, file), { signal, onProgress });
    const context = { signal, onProgress };

    const rated = wantedModels(ratings, models);
    if (rated.length > 0) {
      const pairs: Interactions[][] = [];
      for (const { train, test } of folds) pairs.push(alignInteractions([await read(train), await read(test)]));
      for (const entry of rated) {
        const results = await measure(entry, { scenario: "folds", metric: "rmse", signal }, async (seed) => {
          const errors: number[] = [];
          for (const [train, test] of pairs) {
            const model = await fit(entry.name, train, entry.params, { seed, ...context });
            errors.push((await evaluateRatingModel(model, test, { metrics: ["rmse"], range: [1, 5] })).rmse);
          }
          return {
            "": errors.reduce((a, b) => a + b, 0) / errors.length,
            ...Object.fromEntries(errors.map((rmse, f) => [`fold ${f + 1}`, rmse])),
          };
        });
        results.forEach(onMeasurement);
      }
    }

    const ranked = wantedModels(ranking, models);
    if (ranked.length === 0) return;
    const data = await read("u.data");
    const measured: { onValidation: number; results: StudyMeasurement[] }[] = [];
    for (const entry of ranked) measured.push(await rankOnSplits(entry, data, { metrics, ...context }));
    const best = Math.max(...measured.map((one) => one.onValidation));
    for (const { onValidation, results } of measured) {
      for (const result of results) onMeasurement(onValidation === best ? { ...result, selected: true } : result);
    }
  },
};

/** Each seed draws its own split; the choice among models looks only at a split of the same kind inside train. */
async function rankOnSplits(
  entry: StudyModel,
  data: Interactions,
  { metrics, ...context }: { metrics: string[] } & Pick<StudyRun, "signal" | "onProgress">,
): Promise<{ onValidation: number; results: StudyMeasurement[] }> {
  let onValidation = 0;
  const judged = new Map<number, Record<string, number>>();
  const results: StudyMeasurement[] = [];
  for (const metric of metrics) {
    const measurements = await measure(entry, { scenario: "ranking", metric, signal: context.signal }, async (seed) => {
      if (!judged.has(seed)) {
        const { train, test } = split(data, { by: "random-per-user", testFraction: 0.25, seed });
        const inner = split(train, { by: "random-per-user", testFraction: 0.25, seed });
        const [chosenBy] = metrics;
        const judge = async (on: { train: Interactions; test: Interactions }) => {
          const model = await fit(entry.name, on.train, entry.params, { seed, ...context });
          const values = await evaluate(model, on.train, on.test, { metrics, excludeSeen: true, ...context });
          model.dispose();
          return values;
        };
        onValidation += (await judge(inner))[chosenBy] / entry.seeds.length;
        judged.set(seed, await judge({ train, test }));
      }
      return { "": judged.get(seed)![metric] };
    });
    results.push(...measurements);
  }
  return { onValidation, results };
}
