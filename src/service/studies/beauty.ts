/**
 * Amazon Beauty as prepared for S³-Rec (Zhou et al. 2020): leave-one-out on each user's sequence. Models are fitted on
 * all but the last two items, the second last is validation, the last is test with all but the last as history;
 * no refit, full ranking, items of the history left out. The model best on validation carries `selected`. Models that read features
 * are given the attributes of the items (categories, brand).
 */
import { join } from "node:path";
import { z } from "zod";
import { DataError, NotFoundError } from "../../core/errors.js";
import type { Features } from "../../core/features.js";
import type { IdMap } from "../../core/interactions.js";
import { parseParams } from "../../core/params.js";
import { IdMapBuilder } from "../../data/id-map.js";
import { Interactions } from "../../data/interactions.js";
import { type EvaluationCase, evaluateCases } from "../../evaluation/evaluate.js";
import type { Judging, Scenario, Study, StudyData } from "./study.js";
import { modelNames, once, studyModelSchema } from "./study-models.js";
import { readTextFile } from "./text-file.js";

const configSchema = z.strictObject({
  file: z.string(),
  /** JSON: numbers of the attributes (categories, brand) of each item. */
  attributes: z.string(),
  chooseBy: z.string(),
  metrics: z.array(z.string()).min(1),
  models: z.array(studyModelSchema),
});

const attributesSchema = z.record(z.string(), z.array(z.int()));

const parseConfig = (config: unknown) => parseParams(configSchema, config, "Study beauty, config.yaml");

export const beauty: Study = {
  modelNames: (config) => modelNames(parseConfig(config).models),

  scenarios({ config, dataFolder, signal, onProgress }: StudyData): Scenario[] {
    const { file, attributes, chooseBy, metrics, models } = parseConfig(config);
    const sequences = once(() => readSequences(join(dataFolder, file)));
    const train = once(async () => trainingPart(await sequences()));
    const itemFeatures = once(async () => readAttributes(join(dataFolder, attributes), (await train()).items));
    const judging = async (fromEnd: number): Promise<Judging> => {
      const cases = casesAt((await sequences()).rows, fromEnd);
      return {
        train: await train(),
        itemFeatures: await itemFeatures(),
        async judge(model) {
          const values = await evaluateCases(model, cases, { metrics, excludeSeen: true, signal, onProgress });
          return Object.fromEntries(metrics.map((metric) => [metric, { "": values[metric] }]));
        },
      };
    };
    return [
      {
        models,
        chooseBy,
        fitsOnce: true,
        direction: "maximize",
        validation: () => judging(2),
        reports: [{ suffix: "", judgings: async () => [await judging(1)] }],
      },
    ];
  },
};

interface Sequences {
  /** Item indexes of each user, in order. */
  rows: Int32Array[];
  users: IdMapBuilder;
  items: IdMapBuilder;
}

/** Lines of "user item item …", each in order of time. */
async function readSequences(file: string): Promise<Sequences> {
  const users = new IdMapBuilder();
  const items = new IdMapBuilder();
  const rows: Int32Array[] = [];
  for (const [at, line] of (await readTextFile(file)).split("\n").entries()) {
    if (line.trim() === "") continue;
    const [user, ...own] = line.trim().split(/\s+/);
    if (own.length < 3)
      throw new DataError(`${file}, line ${at + 1}: user ${user} has ${own.length} items.`, { hint: "Leave-one-out needs three or more." });
    users.add(user);
    rows.push(Int32Array.from(own, (item) => items.add(item)));
  }
  if (rows.length === 0)
    throw new NotFoundError(`${file} holds no sequences.`, { hint: "Give the folder that holds seq/s3rec_Beauty.txt." });
  return { rows, users, items };
}

/** All but the last two items of each user; the place in the sequence serves as time. */
function trainingPart({ rows, users, items }: Sequences): Interactions {
  const kept = rows.map((row) => row.subarray(0, -2));
  return Interactions.fromArrays({
    userIndex: kept.flatMap((row, user) => Array.from(row, () => user)),
    itemIndex: kept.flatMap((row) => [...row]),
    timestamp: kept.flatMap((row) => Array.from(row, (_, place) => place)),
    users: users.build(),
    items: items.build(),
  });
}

/** The attributes of each item as a text of words, one per attribute. */
async function readAttributes(file: string, items: IdMap): Promise<Features> {
  const byItem = attributesSchema.safeParse(JSON.parse(await readTextFile(file)));
  if (!byItem.success) throw new DataError(`${file} is not a table of attributes by item.`, { hint: 'Expected {"item": [1, 2], …}.' });
  const values = Array.from(items.ids(), (id) => byItem.data[id]?.map((attribute) => `a${attribute}`).join(" ") ?? null);
  return { numRows: items.size, columns: { attributes: { kind: "text", values } } };
}

/** The item `fromEnd` places before the end as the answer, all before it as history. */
function casesAt(rows: readonly Int32Array[], fromEnd: number): EvaluationCase[] {
  return rows.map((row, userIndex) => {
    const at = row.length - fromEnd;
    const history = Array.from(row.subarray(0, at), (itemIndex, place) => ({ itemIndex, timestamp: place }));
    return { query: { userIndex, history }, relevant: row.subarray(at, at + 1) };
  });
}
