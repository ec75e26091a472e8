/**
 * Amazon Beauty as prepared for S³-Rec (Zhou et al. 2020): leave-one-out on each user's sequence. Models are fitted on
 * all but the last two items, the second last is validation, the last is test with all but the last as history;
 * no refit, full ranking, items of the history left out. The model best on validation carries `selected`.
 */
import { join } from "node:path";
import { z } from "zod";
import { DataError, NotFoundError } from "../../core/errors.js";
import { parseParams } from "../../core/params.js";
import { IdMapBuilder } from "../../data/id-map.js";
import { Interactions } from "../../data/interactions.js";
import { type EvaluationCase, evaluateCases } from "../../evaluation/evaluate.js";
import { fit } from "../../models/registry.js";
import type { Study, StudyMeasurement, StudyRun } from "./study.js";
import { measure, modelNames, type SegmentValues, studyModelSchema, wantedModels } from "./study-models.js";
import { readTextFile } from "./text-file.js";

const configSchema = z.strictObject({
  file: z.string(),
  chooseBy: z.string(),
  metrics: z.array(z.string()).min(1),
  models: z.array(studyModelSchema),
});

const parseConfig = (config: unknown) => parseParams(configSchema, config, "Study beauty, config.yaml");

export const beauty: Study = {
  modelNames: (config) => modelNames(parseConfig(config).models),

  async run({ config, dataFolder, models, signal, onProgress, onMeasurement }: StudyRun) {
    const { file, chooseBy, metrics, models: configured } = parseConfig(config);
    const sequences = await readSequences(join(dataFolder, file));
    const train = trainingPart(sequences);
    const validation = casesAt(sequences.rows, 2);
    const test = casesAt(sequences.rows, 1);
    const measured: { onValidation: number; results: StudyMeasurement[] }[] = [];
    for (const entry of wantedModels(configured, models)) {
      let onValidation = 0;
      const values = new Map<number, Record<string, number>>();
      const perMetric: StudyMeasurement[] = [];
      for (const metric of metrics) {
        const results = await measure(entry, { metric, signal }, async (seed): Promise<SegmentValues> => {
          if (!values.has(seed)) {
            const model = await fit(entry.name, train, entry.params, { seed, signal, onProgress });
            const options = { excludeSeen: true, signal, onProgress };
            onValidation += (await evaluateCases(model, validation, { ...options, metrics: [chooseBy] }))[chooseBy] / entry.seeds.length;
            values.set(seed, await evaluateCases(model, test, { ...options, metrics }));
            model.dispose();
          }
          return { "": values.get(seed)![metric] };
        });
        perMetric.push(...results);
      }
      measured.push({ onValidation, results: perMetric });
    }
    const best = Math.max(...measured.map((one) => one.onValidation));
    for (const { onValidation, results } of measured) {
      for (const result of results) onMeasurement(onValidation === best ? { ...result, selected: true } : result);
    }
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

/** The item `fromEnd` places before the end as the answer, all before it as history. */
function casesAt(rows: readonly Int32Array[], fromEnd: number): EvaluationCase[] {
  return rows.map((row, userIndex) => {
    const at = row.length - fromEnd;
    const history = Array.from(row.subarray(0, at), (itemIndex, place) => ({ itemIndex, timestamp: place }));
    return { query: { userIndex, history }, relevant: row.subarray(at, at + 1) };
  });
}
