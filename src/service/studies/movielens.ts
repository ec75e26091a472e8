/**
 * MovieLens 100k. Scenario "folds": RMSE of rating models over the five official folds, predictions held to the scale. Scenario "random": the
 * same on 80 % and 20 % of the ratings drawn at random, one split per seed. Both with what is known of the users, for models that read it.
 * Scenario "ranking": 75 % of each user's ratings at random for training, the rest as relevant items, NDCG@10 over the
 * full catalogue without the seen; one split per seed. Ratings are the weights.
 * Validation is a split of the same kind inside the training part (of the first fold, of the seed's split).
 */
import { join } from "node:path";
import { z } from "zod";
import type { Interactions } from "../../core/interactions.js";
import { parseParams } from "../../core/params.js";
import { readInteractions } from "../../data/readers/read-dataset.js";
import { alignInteractions, split } from "../../data/splits.js";
import { evaluate } from "../../evaluation/evaluate.js";
import { evaluateRatingModel } from "../../evaluation/ratings.js";
import { readUserFeatures } from "./movielens-features.js";
import type { Judging, Scenario, Study, StudyData } from "./study.js";
import { modelNames, once, studyModelSchema } from "./study-models.js";

const configSchema = z.strictObject({
  folder: z.string(),
  folds: z.array(z.strictObject({ train: z.string(), test: z.string() })).min(1),
  ratings: z.array(studyModelSchema),
  random: z.array(studyModelSchema),
  ranking: z.array(studyModelSchema),
  metrics: z.array(z.string()).min(1),
});

const parseConfig = (config: unknown) => parseParams(configSchema, config, "Study movielens-100k, config.yaml");

export const movielens: Study = {
  modelNames(config) {
    const { ratings, random, ranking } = parseConfig(config);
    return modelNames([...ratings, ...random, ...ranking]);
  },

  scenarios({ config, dataFolder, signal, onProgress }: StudyData): Scenario[] {
    const { folder, folds, ratings, random, ranking, metrics } = parseConfig(config);
    const read = (file: string) => readInteractions(join(dataFolder, folder, file), { signal, onProgress });
    const official = once(() =>
      Promise.all(
        folds.map(async ({ train, test }) => alignInteractions([await read(train), await read(test)]) as [Interactions, Interactions]),
      ),
    );
    const all = once(() => read("u.data"));
    const userFeatures = once(() => readUserFeatures(join(dataFolder, folder)));
    const rating = async ([train, test]: readonly [Interactions, Interactions]): Promise<Judging> => ({
      train,
      userFeatures: (await userFeatures())(train.users),
      judge: async (model) => ({ rmse: { "": (await evaluateRatingModel(model, test, { metrics: ["rmse"], range: [1, 5] })).rmse } }),
    });
    const ranked = ({ train, test }: { train: Interactions; test: Interactions }): Judging => ({
      train,
      async judge(model) {
        const values = await evaluate(model, train, test, { metrics, excludeSeen: true, signal, onProgress });
        return Object.fromEntries(metrics.map((metric) => [metric, { "": values[metric] }]));
      },
    });
    const atRandom = (data: Interactions, seed: number): [Interactions, Interactions] => {
      const { train, test } = split(data, { by: "random", testFraction: 0.2, seed });
      return [train, test];
    };
    const outer = async (seed: number) => split(await all(), { by: "random-per-user", testFraction: 0.25, seed });
    return [
      {
        name: "folds",
        models: ratings,
        chooseBy: "rmse",
        direction: "minimize",
        validation: async (seed) => rating(atRandom((await official())[0][0], seed)),
        reports: [{ suffix: "", judgings: async () => Promise.all((await official()).map(rating)) }],
      },
      {
        name: "random",
        models: random,
        chooseBy: "rmse",
        direction: "minimize",
        validation: async (seed) => rating(atRandom(atRandom(await all(), seed)[0], seed)),
        reports: [{ suffix: "", judgings: async (seed) => [await rating(atRandom(await all(), seed))] }],
      },
      {
        name: "ranking",
        models: ranking,
        chooseBy: metrics[0],
        direction: "maximize",
        validation: async (seed) => ranked(split((await outer(seed)).train, { by: "random-per-user", testFraction: 0.25, seed })),
        reports: [{ suffix: "", judgings: async (seed) => [ranked(await outer(seed))] }],
      },
    ];
  },
};
